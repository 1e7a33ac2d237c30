"""Magenta's checkpoints and bundles as users have them: found, read, named."""

import numpy as np
import pytest
import tensorflow as tf
from reference import REFERENCE, needs_reference

from melody_rnn.encoding import class_to_pitch
from melody_rnn.magenta import bundles, graph
from melody_rnn.magenta.weights import MELODY_RNN_NAMES, NOTE_RNN_NAMES, to_magenta
from melody_rnn.task import MelodyTask
from melody_rnn.world import MelodyWorld
from rl_tuner.errors import UserError
from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.rl_tuner import RLTuner, RLTunerConfig

TOKENS = np.random.default_rng(0).integers(0, 7, [3, 9])


def _model(num_classes=7, layer_sizes=(6,), seed=0):
    model = SequenceRNN(num_classes, layer_sizes)
    random = np.random.default_rng(seed)
    model.set_named_weights(
        {
            name: 0.5 * random.normal(size=value.shape)
            for name, value in model.weight_arrays().items()
        }
    )
    return model


def _save_v2(prefix, tensors):
    tf.raw_ops.SaveV2(
        prefix=str(prefix),
        tensor_names=list(tensors),
        shape_and_slices=[""] * len(tensors),
        tensors=list(tensors.values()),
    )


def _assert_same(loaded, model):
    np.testing.assert_allclose(loaded.unroll(TOKENS), model.unroll(TOKENS), atol=1e-6)


@pytest.mark.parametrize(
    ("cell", "dense"),
    [
        ("RNN/MultiRNNCell/Cell0/BasicLSTMCell/Linear/{Matrix,Bias}", "weights,biases"),
        ("RNN/MultiRNNCell/Cell0/LSTMCell/{W_0,B}", "weights,bias"),
        ("rnn/multi_rnn_cell/cell_0/basic_lstm_cell/{weights,biases}", "weights,bias"),
        ("rnn/multi_rnn_cell/cell_0/lstm_cell/lstm_cell/{kernel,bias}", "kernel,bias"),
        ("rnn/basic_lstm_cell/{kernel,bias}", "weights,biases"),
        ("rnn/lstm_cell/{kernel,bias}", "weights,biases"),
    ],
)
@pytest.mark.parametrize("scope", ["", "rnn_model/", "q_network/"])
@pytest.mark.parametrize("version", [1, 2])
def test_names_of_ten_years(tmp_path, cell, dense, scope, version):
    model = _model()
    folder, kinds = cell.rstrip("}").split("{")
    names = [f"{scope}{folder}{kind}" for kind in kinds.split(",")]
    names += [f"{scope}fully_connected/{kind}" for kind in dense.split(",")]
    tensors = to_magenta(model.weight_arrays(), tuple(names))
    slots = {f"{scope}{name}/Adam": value for name, value in tensors.items()}
    tensors |= slots | {"global_step": np.int64(3)}
    if version == 1:
        graph.v1_checkpoint(str(tmp_path / "model.ckpt-3"), tensors)
    else:
        _save_v2(tmp_path / "model.ckpt-3", tensors)
    loaded = SequenceRNN.load(tmp_path / "model.ckpt-3")
    _assert_same(loaded, model)
    assert loaded.read_from.startswith(
        f"read {tmp_path}/model.ckpt-3, TensorFlow V{version} checkpoint: "
        "1 LSTM layer of 6 cells, 7 classes, from "
    )
    assert f"{scope}fully_connected/{{" in loaded.read_from
    assert loaded.read_from.endswith("; 5 other variables not used")
    assert "\n" not in loaded.read_from


@needs_reference
def test_line_of_the_papers_checkpoint():
    model = SequenceRNN.load(REFERENCE / "note_rnn_paper")
    assert model.read_from.endswith(
        "model.ckpt-1994, TensorFlow V1 checkpoint: 1 LSTM layer of 100 cells, 38 "
        "classes, from rnn_model/RNN/MultiRNNCell/Cell0/LSTMCell/{B,W_0}, "
        "rnn_model/fully_connected/{bias,weights}; 5 other variables not used"
    )


def test_line_of_our_own(tmp_path):
    _model(7, (6, 4)).save(tmp_path)
    assert SequenceRNN.load(tmp_path).read_from == (
        f"read {tmp_path}, RL Tuner checkpoint: LSTM layers of 6, 4 cells, 7 classes, "
        "from lstm_0/{kernel,recurrent_kernel,bias}, "
        "lstm_1/{kernel,recurrent_kernel,bias}, logits/{kernel,bias}"
    )


def _training_directory(directory, steps=(9, 100, 20)):
    """Checkpoints of several steps, each of its own weights."""
    directory.mkdir(parents=True, exist_ok=True)
    models = {}
    for step in steps:
        models[step] = _model(seed=step)
        tensors = to_magenta(models[step].weight_arrays(), MELODY_RNN_NAMES)
        _save_v2(directory / f"model.ckpt-{step}", tensors)
    (directory / "graph.pbtxt").write_text("node {}")
    return models


def test_newest_of_a_training_directory(tmp_path):
    models = _training_directory(tmp_path)
    _assert_same(SequenceRNN.load(tmp_path), models[100])


def test_file_checkpoint_says_which_is_the_newest(tmp_path):
    models = _training_directory(tmp_path)
    (tmp_path / "checkpoint").write_text(
        'model_checkpoint_path: "/home/somebody/run/train/model.ckpt-20"\n'
        'all_model_checkpoint_paths: "/home/somebody/run/train/model.ckpt-9"\n'
    )
    _assert_same(SequenceRNN.load(tmp_path), models[20])


@pytest.mark.parametrize("state", ['model_checkpoint_path: "gone"', "\0\xff", ""])
def test_damaged_file_checkpoint_is_passed_over(tmp_path, state):
    models = _training_directory(tmp_path)
    (tmp_path / "checkpoint").write_bytes(state.encode("latin-1"))
    _assert_same(SequenceRNN.load(tmp_path), models[100])


def test_run_directory_of_melody_rnn(tmp_path):
    models = _training_directory(tmp_path / "run" / "train")
    _assert_same(SequenceRNN.load(tmp_path / "run"), models[100])


@pytest.mark.parametrize("suffix", ["", ".index", ".data-00000-of-00001", ".meta"])
def test_any_file_of_a_checkpoint_names_it(tmp_path, suffix):
    models = _training_directory(tmp_path)
    _assert_same(SequenceRNN.load(f"{tmp_path}/model.ckpt-9{suffix}"), models[9])


def test_first_complete_scope_is_taken(tmp_path):
    """As in a checkpoint of Magenta's rl_tuner, which holds three networks."""
    models = {
        scope: _model(seed=seed)
        for seed, scope in enumerate(["q_network", "reward_rnn"])
    }
    tensors = {}
    for scope, model in models.items():
        names = tuple(f"{scope}/{name}" for name in MELODY_RNN_NAMES)
        tensors |= to_magenta(model.weight_arrays(), names)
    del tensors["q_network/fully_connected/biases"]
    _save_v2(tmp_path / "model.ckpt", tensors)
    loaded = SequenceRNN.load(tmp_path)
    _assert_same(loaded, models["reward_rnn"])
    assert "from reward_rnn/fully_connected" in loaded.read_from


def _refusal(path):
    with pytest.raises(UserError) as caught:
        SequenceRNN.load(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("missing", range(4))
def test_missing_variable_is_told_with_what_is_there(tmp_path, missing):
    tensors = to_magenta(_model().weight_arrays(), NOTE_RNN_NAMES)
    del tensors[list(tensors)[missing]]
    _save_v2(tmp_path / "model.ckpt", tensors)
    message = _refusal(tmp_path)
    assert "looked for multi_rnn_cell/cell_N/lstm_cell/{kernel,bias}" in message
    for name in tensors:
        assert name in message


def test_missing_layer_is_told(tmp_path):
    tensors = to_magenta(_model(7, (6, 5, 4)).weight_arrays(), MELODY_RNN_NAMES)
    del tensors["rnn/multi_rnn_cell/cell_1/basic_lstm_cell/kernel"]
    del tensors["rnn/multi_rnn_cell/cell_1/basic_lstm_cell/bias"]
    _save_v2(tmp_path / "model.ckpt", tensors)
    assert "holds no sequence RNN" in _refusal(tmp_path)


def test_empty_and_foreign_folders_say_what_they_hold(tmp_path):
    assert "it holds nothing" in _refusal(tmp_path)
    for name in ("notes.txt", "model.h5"):
        (tmp_path / name).touch()
    assert "it holds model.h5, notes.txt" in _refusal(tmp_path)


def test_half_an_attention_is_refused(tmp_path):
    tensors = {
        f"rnn/attention_cell_wrapper/{name}": value
        for name, value in to_magenta(
            _model().weight_arrays(), MELODY_RNN_NAMES
        ).items()
    }
    _save_v2(tmp_path / "model.ckpt", tensors)
    message = _refusal(tmp_path)
    assert "holds an RNN with attention, but not all of it" in message
    assert "attention_cell_wrapper/fully_connected/weights" in message


@pytest.mark.parametrize(
    ("more_inputs", "what"), [(5, "as none does"), (49, "as improv_rnn does")]
)
def test_inputs_of_no_melody_rnn_are_told(tmp_path, more_inputs, what):
    tensors = to_magenta(_model().weight_arrays(), MELODY_RNN_NAMES)
    kernel = "rnn/multi_rnn_cell/cell_0/basic_lstm_cell/kernel"
    more = np.zeros([more_inputs, 24], np.float32)
    tensors[kernel] = np.concatenate([more, tensors[kernel]])
    _save_v2(tmp_path / "model.ckpt", tensors)
    message = _refusal(tmp_path)
    assert f"reads {7 + more_inputs} inputs for 7 classes, {what}" in message


def test_bundle_without_a_checkpoint(tmp_path):
    (tmp_path / "empty.mag").write_bytes(b"")
    assert "it holds 0 checkpoints" in _refusal(tmp_path / "empty.mag")
    (tmp_path / "text.mag").write_text("not a bundle at all")
    assert "no Magenta bundle, or it is damaged" in _refusal(tmp_path / "text.mag")
    assert "No such file" in _refusal(tmp_path / "missing.mag")


@pytest.mark.learning
def test_basic_rnn_of_two_layers_tunes(tmp_path):
    layer_sizes = (12, 10)
    bundles.write(tmp_path / "b.mag", _model(38, layer_sizes), "basic_rnn", "")
    prior = SequenceRNN.load(tmp_path / "b.mag")
    tuner = RLTuner(prior, MelodyTask(reward_mode="key"), RLTunerConfig())
    tuner.train(400)
    assert tuner.q_network.layer_sizes == layer_sizes
    for ours, before in zip(
        tuner.q_network.trainable_variables, prior.trainable_variables, strict=True
    ):
        assert np.abs(ours.numpy() - before.numpy()).max() > 0, ours.path
    assert tuner.generate(2).shape == (2, 32)


def _model_of_range(num_classes, melody_range=None):
    model = _model(num_classes)
    if melody_range:
        model.metadata["melody_range"] = melody_range
    return model


@pytest.mark.parametrize(
    ("num_classes", "melody_range", "notes"),
    [
        (38, None, (48, 83)),
        (130, None, (0, 127)),
        (29, [55, 81], (55, 81)),
        (62, [36, 95], (36, 95)),
    ],
)
def test_task_takes_its_notes_from_the_model(num_classes, melody_range, notes):
    model = _model_of_range(num_classes, melody_range)
    task = MelodyWorld().make_task({}, model)
    task.check_model(model)
    assert (task.notes.min_note, task.notes.max_note) == notes
    assert len(task.token_labels()) == num_classes
    assert class_to_pitch(task.settings.parsed_key.tonic_class, task.notes) == 60
    primes = task.prime(500, tf.constant([0, 1])).numpy()
    assert primes.max() == num_classes - 2  # never the highest note


@pytest.mark.parametrize(
    ("num_classes", "melody_range", "message"),
    [
        (62, [36, 96], "has 62 classes but .* give the MIDI pitch of the lowest"),
        (29, None, "has 29 classes but .* give the MIDI pitch of the lowest"),
        (9, [48, 54], "48 to 54 are less than an octave"),
    ],
)
def test_ranges_that_make_no_sense(num_classes, melody_range, message):
    with pytest.raises(UserError, match=message):
        MelodyWorld().make_task({}, _model_of_range(num_classes, melody_range))


def test_checkpoint_of_29_classes_begins_at_48_and_says_so(tmp_path):
    tensors = to_magenta(_model(29).weight_arrays(), MELODY_RNN_NAMES)
    _save_v2(tmp_path / "model.ckpt", tensors)
    model = SequenceRNN.load(tmp_path)
    assert "checkpoint, its notes taken for 48 to 74 (or --min_note): 1 LSTM" in (
        model.read_from
    )
    notes = MelodyWorld().make_task({}, model).notes
    assert (notes.min_note, notes.max_note) == (48, 74)


def test_model_of_29_classes_tunes():
    prior = _model_of_range(29, [55, 81])
    task = MelodyWorld().make_task({"reward_mode": "music_theory_all"}, prior)
    tuner = RLTuner(prior, task, RLTunerConfig(minibatch_size=8))
    tuner.train(200)
    melodies = tuner.generate(40)
    assert melodies.max() < 29
    assert "notes_not_in_key" in task.judge(melodies).counts
