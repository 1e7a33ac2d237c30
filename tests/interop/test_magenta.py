"""Our files in the real Magenta 2.1.4, and its files here."""

import os
import pathlib
import subprocess

import numpy as np
import pytest
import tensorflow as tf
from reference import REFERENCE, needs_reference

from melody_rnn.magenta.formats import hparams
from melody_rnn.networks.kinds import AttentionRNN, LookbackRNN
from melody_rnn.note_rnn import sequence_examples
from melody_rnn.task import MelodyTask
from rl_tuner.algorithms import get_algorithm
from rl_tuner.formats.writing import export
from rl_tuner.generation.policy import Policy
from rl_tuner.networks.network import Network
from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.rl_tuner import RLTuner, RLTunerConfig

pytestmark = pytest.mark.interop

SHIPPED = pathlib.Path(__file__).parents[2] / "checkpoints" / "note_rnn"
# Two TensorFlows, six years apart, sum in other orders.
LOGITS_TOLERANCE = 5e-5
PROBABILITY_TOLERANCE = 5e-6


@pytest.fixture(name="in_magenta")
def _in_magenta(magenta_bin, tmp_path):
    """Runs a command of in_magenta.py on tokens; returns its array."""

    def run(command, *arguments, tokens):
        np.save(tmp_path / "tokens.npy", tokens)
        output = tmp_path / "output.npy"
        script = pathlib.Path(__file__).with_name("in_magenta.py")
        files = (tmp_path / "tokens.npy", output)
        _run(magenta_bin / "python", script, command, *arguments, *files)
        return np.load(output)

    return run


def _run(*command, fails=False):
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment.pop("PYTHONPATH", None)
    result = subprocess.run(
        [str(part) for part in command],
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert (result.returncode != 0) == fails, result.stdout + result.stderr
    return result.stdout + result.stderr


def _tokens(num_classes=38, count=4):
    return np.random.default_rng(0).integers(0, num_classes, [count, 32])


def _random_model(num_classes, layer_sizes, seed=0):
    model = SequenceRNN(num_classes, layer_sizes)
    random = np.random.default_rng(seed)
    model.set_named_weights(
        {
            name: 0.2 * random.normal(size=value.shape)
            for name, value in model.weight_arrays().items()
        }
    )
    return model


def _tuned_by_g():
    """The network of a G-tuned policy: two networks in one."""
    prior = SequenceRNN.load(SHIPPED)
    policy = Policy(_random_model(38, (100,), 1), prior, get_algorithm("g"))
    return policy.as_network(), policy


def _model(name):
    if name == "shipped":
        return SequenceRNN.load(SHIPPED)
    if name == "tuned by G":
        return _tuned_by_g()[0]
    return _random_model(38, (64, 48))


MODELS = ("shipped", "tuned by G", "two layers")


def _report(record_property, what, ours, theirs, tolerance):
    difference = float(np.abs(np.asarray(ours) - theirs).max())
    record_property(what, difference)
    print(f"{what}: largest difference {difference:.2g}")
    assert theirs.shape == tuple(ours.shape)
    assert difference < tolerance


@pytest.mark.parametrize("name", MODELS)
def test_note_rnn_loader_restores_our_checkpoint(
    in_magenta, tmp_path, record_property, name
):
    model = _model(name)
    export(model, "magenta_checkpoint", tmp_path / "exported")
    layers = ",".join(map(str, model.layer_sizes))
    tokens = _tokens()
    theirs = in_magenta("loader", tmp_path / "exported", layers, tokens=tokens)
    what = f"logits of NoteRNNLoader, {name}"
    _report(record_property, what, model.unroll(tokens), theirs, LOGITS_TOLERANCE)


@needs_reference
def test_papers_checkpoint_there_and_back(in_magenta, tmp_path, record_property):
    golden = np.load(REFERENCE / "music" / "note_rnn_logits.npz")
    model = SequenceRNN.load(REFERENCE / "note_rnn_paper")
    export(model, "magenta_checkpoint", tmp_path / "exported")
    theirs = in_magenta("loader", tmp_path / "exported", "100", tokens=golden["tokens"])
    what = "logits of the paper's Note RNN through our export and Magenta"
    _report(record_property, what, golden["logits"], theirs, LOGITS_TOLERANCE)


def test_policy_of_g_learning_is_what_magenta_plays(
    in_magenta, tmp_path, record_property
):
    network, policy = _tuned_by_g()
    export(network, "mag", tmp_path / "g.mag")
    tokens = _tokens()
    scores = policy.algorithm.policy_logits(
        policy.q_network.unroll(tokens), policy.reward_rnn.unroll(tokens)
    )
    theirs = in_magenta("bundle", tmp_path / "g.mag", tokens=tokens)
    what = "probabilities of a G-tuned policy in Magenta"
    _report(record_property, what, tf.nn.softmax(scores), theirs, PROBABILITY_TOLERANCE)


@pytest.mark.parametrize("name", MODELS)
def test_melody_rnn_loads_our_bundle(in_magenta, tmp_path, record_property, name):
    model = _model(name)
    export(model, "mag", tmp_path / "exported.mag")
    tokens = _tokens()
    theirs = in_magenta("bundle", tmp_path / "exported.mag", tokens=tokens)
    ours = tf.nn.softmax(model.unroll(tokens))
    what = f"probabilities of a bundle, {name}"
    _report(record_property, what, ours, theirs, PROBABILITY_TOLERANCE)


def test_melody_rnn_restores_our_checkpoint(in_magenta, tmp_path, record_property):
    model = _random_model(38, (64, 48))
    export(model, "magenta_checkpoint", tmp_path / "exported")
    tokens = _tokens()
    prefix = tmp_path / "exported" / "model.ckpt"
    theirs = in_magenta("restore", "basic_rnn", "64,48", prefix, tokens=tokens)
    ours = tf.nn.softmax(model.unroll(tokens))
    what = "probabilities of melody_rnn with our checkpoint"
    _report(record_property, what, ours, theirs, PROBABILITY_TOLERANCE)


@pytest.mark.parametrize("file_format", ["mag", "magenta_checkpoint"])
def test_melody_rnn_generate_plays_our_export(magenta_bin, tmp_path, file_format):
    import pretty_midi

    model = SequenceRNN.load(SHIPPED)
    if file_format == "mag":
        export(model, "mag", tmp_path / "exported.mag")
        # The bundle's graph says all there is to know: no --hparams.
        source = [f"--bundle_file={tmp_path / 'exported.mag'}"]
    else:
        export(model, "magenta_checkpoint", tmp_path / "exported")
        source = [
            f"--checkpoint_file={tmp_path / 'exported' / 'model.ckpt'}",
            f"--hparams={hparams(model)}",
        ]
    _run(
        magenta_bin / "melody_rnn_generate",
        "--config=basic_rnn",
        *source,
        f"--output_dir={tmp_path / 'played'}",
        "--num_outputs=3",
        "--num_steps=64",
        "--primer_melody=[60, -2, 64, -2]",
    )
    files = sorted((tmp_path / "played").glob("*.mid"))
    assert len(files) == 3
    for file in files:
        notes = pretty_midi.PrettyMIDI(str(file)).instruments[0].notes
        assert [note.pitch for note in notes[:2]] == [60, 64]
        assert len(notes) > 4
        assert all(48 <= note.pitch <= 83 for note in notes)


@pytest.mark.parametrize(
    ("config", "layers", "num_classes", "melody_range"),
    [
        ("basic_rnn", "100", 38, [48, 83]),
        ("basic_rnn", "64,64", 38, [48, 83]),
        ("mono_rnn", "32,16", 130, [0, 127]),
    ],
)
def test_magentas_bundles_and_checkpoints_load_here(
    in_magenta,
    magenta_bin,
    tmp_path,
    record_property,
    config,
    layers,
    num_classes,
    melody_range,
):
    checkpoint = tmp_path / "run" / "train" / "model.ckpt-7"
    checkpoint.parent.mkdir(parents=True)
    tokens = _tokens(num_classes)
    theirs = in_magenta("create", config, layers, checkpoint, tokens=tokens)
    bundle = tmp_path / "theirs.mag"
    _run(
        magenta_bin / "melody_rnn_generate",
        f"--config={config}",
        f"--checkpoint_file={checkpoint}",
        f"--hparams=batch_size=128,rnn_layer_sizes=[{layers}]",
        f"--bundle_file={bundle}",
        "--save_generator_bundle",
    )
    for path in (checkpoint, checkpoint.parent, tmp_path / "run", bundle):
        model = SequenceRNN.load(path)
        sizes = tuple(map(int, layers.split(",")))
        assert (model.num_classes, model.layer_sizes) == (num_classes, sizes)
        ours = tf.nn.softmax(model.unroll(tokens))
        what = f"probabilities of Magenta's {config} [{layers}], {path.name}"
        _report(record_property, what, ours, theirs, PROBABILITY_TOLERANCE)
    assert model.metadata["melody_range"] == melody_range


def _inputs(model, tokens):
    """What a model reads of tokens, proven to be note_seq's by other tests."""
    first = tf.zeros([len(tokens), model.encoding.state_size])
    return model.encoding.follow(tf.constant(tokens, tf.int32), first)[0].numpy()


def _label_probabilities(model, tokens):
    return tf.nn.softmax(model.unroll_labels(tokens)[0])


@pytest.mark.parametrize(
    ("config", "layers"),
    [
        ("lookback_rnn", "16,12"),
        ("lookback_rnn", "16,16;residual_connections=True"),
        ("attention_rnn", "16,12"),
        ("attention_rnn", "16,12,8;attn_length=24"),
        ("attention_rnn", "16,16;attn_length=8,residual_connections=True"),
        ("basic_rnn", "16,12;attn_length=8"),
    ],
)
def test_every_model_of_magentas_loads_here(
    in_magenta, magenta_bin, tmp_path, record_property, config, layers
):
    checkpoint = tmp_path / "model.ckpt-7"
    tokens = _tokens()
    shape = [4, 32, {"lookback_rnn": 121, "attention_rnn": 74}.get(config, 38)]
    in_magenta("create", config, layers, checkpoint, tokens=np.zeros(shape))
    bundle = tmp_path / "theirs.mag"
    sizes, _, more = layers.partition(";")
    _run(
        magenta_bin / "melody_rnn_generate",
        f"--config={config}",
        f"--checkpoint_file={checkpoint}",
        f"--hparams=batch_size=1,rnn_layer_sizes=[{sizes}]" + f",{more}" * bool(more),
        f"--bundle_file={bundle}",
        "--save_generator_bundle",
    )
    model = Network.load(bundle)
    theirs = in_magenta("bundle", bundle, tokens=_inputs(model, tokens))
    ours = _label_probabilities(model, tokens)
    what = f"probabilities of Magenta's {config} [{layers}]"
    _report(record_property, what, ours, theirs, PROBABILITY_TOLERANCE)
    # Training directories have no length in their graph, but these have.
    assert Network.load(checkpoint).attention_length == model.attention_length


@pytest.mark.parametrize("name", ["lookback_rnn", "attention_rnn"])
def test_tuned_models_play_in_magenta(
    in_magenta, magenta_bin, tmp_path, record_property, name
):
    made = {"lookback_rnn": LookbackRNN, "attention_rnn": AttentionRNN}[name]
    more = {"attention_length": 24} if name == "attention_rnn" else {}
    tuner = RLTuner(
        made(38, (24, 16), **more),
        MelodyTask(reward_mode="key"),
        RLTunerConfig(algorithm="psi", replay_capacity=1000),
    )
    tuner.train(2000)
    model = tuner.q_network
    export(model, "mag", tmp_path / "tuned.mag")
    export(model, "magenta_checkpoint", tmp_path / "tuned")
    tokens = _tokens()
    ours, read = _label_probabilities(model, tokens), _inputs(model, tokens)
    theirs = in_magenta("bundle", tmp_path / "tuned.mag", tokens=read)
    what = f"probabilities of a tuned {name}'s bundle"
    _report(record_property, what, ours, theirs, PROBABILITY_TOLERANCE)
    layers = "24,16;" + f"attn_length={model.attention_length}"
    prefix = tmp_path / "tuned" / "model.ckpt"
    theirs = in_magenta("restore", name, layers, prefix, tokens=read)
    what = f"probabilities of a tuned {name}'s checkpoint"
    _report(record_property, what, ours, theirs, PROBABILITY_TOLERANCE)
    _run(
        magenta_bin / "melody_rnn_generate",
        f"--config={name}",
        f"--bundle_file={tmp_path / 'tuned.mag'}",
        f"--output_dir={tmp_path / 'played'}",
        "--num_outputs=2",
        "--num_steps=48",
        "--primer_melody=[60, -2, 64, -2]",
    )
    assert len(list((tmp_path / "played").glob("*.mid"))) == 2


def test_model_that_magenta_trained_on_our_dataset_loads_here(
    in_magenta, tmp_path, record_property
):
    """A training directory as users have it, with optimizer slots and global step."""
    melodies = np.random.default_rng(3).integers(0, 38, [32, 40])
    names = sequence_examples.write_shards(tmp_path, "training", melodies, 38, 1)
    examples, tokens = tmp_path / names[0], _tokens()
    run_dir = tmp_path / "run"
    theirs = in_magenta("train", "24,16", run_dir, examples, tokens=tokens)
    model = SequenceRNN.load(tmp_path / "run")
    assert model.layer_sizes == (24, 16)
    assert "other variables not used" in model.read_from
    ours = tf.nn.softmax(model.unroll(tokens))
    what = "probabilities of a model that melody_rnn_train trained"
    _report(record_property, what, ours, theirs, PROBABILITY_TOLERANCE)
