"""Runs in Magenta's own environment: what its models make of tokens.

  python in_magenta.py loader CHECKPOINT_DIR LAYERS TOKENS.npy OUTPUT.npy
  python in_magenta.py create CONFIG LAYERS CHECKPOINT TOKENS.npy OUTPUT.npy
  python in_magenta.py restore CONFIG LAYERS CHECKPOINT TOKENS.npy OUTPUT.npy
  python in_magenta.py train LAYERS RUN_DIR EXAMPLES TOKENS.npy OUTPUT.npy
  python in_magenta.py bundle BUNDLE.mag TOKENS.npy OUTPUT.npy

TOKENS.npy holds tokens [N, T] of one-hot models, or what others read of them [N, T,
inputs]. LAYERS is "16,16", or "16,16;attn_length=24" with more hyperparameters.
`loader` gives logits [N, T, classes], the others probabilities. `create` makes a model
of random weights and saves it first; `train` runs melody_rnn_train for some steps.
"""

import sys

import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


def loader(checkpoint_dir, layers, tokens):
    """The logits of rl_tuner's NoteRNNLoader, from a zero state."""
    from magenta.models.rl_tuner import note_rnn_loader, rl_tuner_ops

    hparams = rl_tuner_ops.default_hparams()
    hparams.rnn_layer_sizes = [int(size) for size in layers.split(",")]
    graph = tf.Graph()
    model = note_rnn_loader.NoteRNNLoader(
        graph, "test", checkpoint_dir, hparams=hparams
    )
    session = tf.Session(graph=graph)
    model.initialize_and_restore(session)
    one_hot = np.eye(hparams.one_hot_length)[tokens]
    logits = session.run(
        model.logits,
        {
            model.melody_sequence: one_hot,
            model.initial_state: np.zeros([len(tokens), model.cell.state_size]),
            model.lengths: np.full(len(tokens), tokens.shape[1]),
        },
    )
    return logits.reshape([*tokens.shape, -1])


def _model(config_name, layers):
    from magenta.models.melody_rnn import melody_rnn_model

    config = melody_rnn_model.default_configs[config_name]
    sizes, _, more = layers.partition(";")  # "16,16;attn_length=24"
    told = f"batch_size=1,rnn_layer_sizes=[{sizes}]" + (f",{more}" if more else "")
    config.hparams.parse(told)
    return melody_rnn_model.MelodyRnnModel(config)


def create(config_name, layers, checkpoint, tokens):
    """A model of random weights, saved; its probabilities."""
    model = _model(config_name, layers)
    with tf.Graph().as_default():
        model._build_graph_for_generation()
        session = tf.Session()
        random = np.random.default_rng(0)
        for variable in tf.global_variables():
            value = 0.2 * random.normal(size=variable.shape)
            session.run(tf.assign(variable, value.astype(np.float32)))
        tf.train.Saver().save(session, checkpoint)
        return _probabilities(session, tokens)


def restore(config_name, layers, checkpoint, tokens):
    """The probabilities of a melody_rnn checkpoint."""
    model = _model(config_name, layers)
    model.initialize_with_checkpoint(checkpoint)
    with model._session.graph.as_default():
        return _probabilities(model._session, tokens)


def train(layers, run_dir, examples, tokens):
    """The probabilities of a model that melody_rnn_train trained in RUN_DIR/train."""
    from magenta.models.melody_rnn import melody_rnn_train
    from tensorflow.python.framework import ops

    ops.IndexedSlices = tf.IndexedSlices  # where tf_slim looks for it
    tf.app.flags.FLAGS(
        [
            "melody_rnn_train",
            "--config=basic_rnn",
            f"--run_dir={run_dir}",
            f"--sequence_example_file={examples}",
            f"--hparams=batch_size=8,rnn_layer_sizes=[{layers}]",
            "--num_training_steps=6",
            "--summary_frequency=2",
        ]
    )
    melody_rnn_train.main(None)
    checkpoint = tf.train.latest_checkpoint(f"{run_dir}/train")
    return restore("basic_rnn", layers, checkpoint, tokens)


def bundle(path, tokens):
    """The probabilities of a bundle, loaded as melody_rnn_generate does."""
    import os
    import tempfile

    from magenta.models.melody_rnn import melody_rnn_model
    from magenta.models.shared import sequence_generator_bundle

    contents = sequence_generator_bundle.read_bundle_file(path)
    config = melody_rnn_model.default_configs[contents.generator_details.id]
    model = melody_rnn_model.MelodyRnnModel(config)
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = os.path.join(folder, "model.ckpt")
        metagraph = os.path.join(folder, "metagraph.meta")
        for name, content in (
            (checkpoint, contents.checkpoint_file[0]),
            (metagraph, contents.metagraph_file),
        ):
            with open(name, "wb") as file:
                file.write(content)
        model.initialize_with_checkpoint_and_metagraph(checkpoint, metagraph)
    with model._session.graph.as_default():
        return _probabilities(model._session, tokens)


def _probabilities(session, tokens):
    graph = tf.get_default_graph()
    inputs, softmax, temperature = (
        graph.get_collection(name)[0] for name in ("inputs", "softmax", "temperature")
    )
    if tokens.ndim == 2:
        tokens = np.eye(inputs.shape[2])[tokens]
    found = [
        session.run(softmax, {inputs: row[np.newaxis], temperature: 1.0})
        for row in tokens
    ]
    return np.concatenate(found)


if __name__ == "__main__":
    command, *arguments, tokens_path, output_path = sys.argv[1:]
    result = globals()[command](*arguments, np.load(tokens_path))
    np.save(output_path, result)
