import json

import numpy as np
import pytest
import tensorflow as tf
from reference import REFERENCE, needs_reference

from rl_tuner.errors import UserError
from rl_tuner.networks.sequence_rnn import SequenceRNN


@pytest.fixture(name="tokens", scope="module")
def _tokens():
    return np.random.default_rng(0).integers(0, 7, [3, 9])


@needs_reference
def test_papers_checkpoint_gives_magentas_logits():
    golden = np.load(REFERENCE / "music" / "note_rnn_logits.npz")
    model = SequenceRNN.load(REFERENCE / "note_rnn_paper")
    assert (model.num_classes, model.layer_sizes) == (38, (100,))
    logits = model.unroll(golden["tokens"])
    np.testing.assert_allclose(logits, golden["logits"], atol=1e-4)


@needs_reference
def test_checkpoint_file_is_found_by_name_too():
    by_file = SequenceRNN.load(REFERENCE / "note_rnn_paper" / "model.ckpt-1994")
    by_folder = SequenceRNN.load(REFERENCE / "note_rnn_paper")
    for one, other in zip(by_file.get_weights(), by_folder.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("layer_sizes", [(5,), (6, 4)])
def test_steps_equal_unroll(tokens, layer_sizes):
    model = SequenceRNN(7, layer_sizes)
    logits, final_state = model.unroll_with_state(tokens)
    state = model.initial_state(3)
    for t in range(tokens.shape[1]):
        step_logits, state = model.step(tokens[:, t], state)
        np.testing.assert_allclose(step_logits, logits[:, t], atol=1e-5)
    np.testing.assert_allclose(state, final_state, atol=1e-5)


def test_unroll_goes_on_from_a_state(tokens):
    model = SequenceRNN(7, (6, 4))
    whole = model.unroll(tokens)
    _, state = model.unroll_with_state(tokens[:, :4])
    np.testing.assert_allclose(
        model.unroll(tokens[:, 4:], state), whole[:, 4:], atol=1e-5
    )


def test_step_compiles(tokens):
    model = SequenceRNN(7, (6, 4))
    step = tf.function(model.step, jit_compile=True)
    state = tf.random.stateless_normal([3, model.state_size], [1, 2])
    for ours, theirs in zip(
        step(tokens[:, 0], state), model.step(tokens[:, 0], state), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_save_and_load_change_nothing(tokens, tmp_path):
    model = SequenceRNN(7, (6, 4), metadata={"vocabulary": "toy"})
    model.save(tmp_path / "deep" / "model")
    loaded = SequenceRNN.load(tmp_path / "deep" / "model")
    np.testing.assert_array_equal(loaded.unroll(tokens), model.unroll(tokens))
    assert loaded.metadata == {"vocabulary": "toy"}
    names = {path.name for path in (tmp_path / "deep" / "model").iterdir()}
    assert names == {"config.json", "weights.npz"}


def test_clone_shares_no_variable(tokens):
    model = SequenceRNN(7, (5,))
    before = model.unroll(tokens)
    copy = model.clone()
    np.testing.assert_array_equal(copy.unroll(tokens), before)
    for variable in copy.variables:
        variable.assign(variable + 1.0)
    np.testing.assert_array_equal(model.unroll(tokens), before)


def _flip_a_byte(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda d: (d / "weights.npz").unlink(), "weights.npz"),
        (lambda d: _flip_a_byte(d / "weights.npz"), "checksum"),
        (lambda d: (d / "weights.npz").write_bytes(b""), "checksum"),
        (lambda d: (d / "config.json").write_text("{"), "config.json"),
        (lambda d: (d / "config.json").write_text("{}"), "lacks 'format'"),
        (lambda d: (d / "config.json").unlink(), "no checkpoint in"),
    ],
)
def test_damaged_checkpoint_is_refused_in_one_line(tmp_path, damage, message):
    SequenceRNN(7, (5,)).save(tmp_path)
    damage(tmp_path)
    with pytest.raises(UserError, match=message) as caught:
        SequenceRNN.load(tmp_path)
    assert "\n" not in str(caught.value)


def test_wrong_shape_is_named(tmp_path):
    SequenceRNN(7, (5,)).save(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    del config["sha256"]
    config["num_classes"] = 8
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match=r"lstm_0/kernel is \[7, 20\].* \[8, 20\]"):
        SequenceRNN.load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\0" * 5000])
def test_file_that_is_no_checkpoint_is_refused(tmp_path, content):
    path = tmp_path / "model.ckpt-1"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"model\.ckpt-1") as caught:
        SequenceRNN.load(path)
    assert "\n" not in str(caught.value)


def test_missing_path_is_named(tmp_path):
    with pytest.raises(UserError, match="nowhere"):
        SequenceRNN.load(tmp_path / "nowhere")


def test_unwritable_directory_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="file"):
        SequenceRNN(7, (5,)).save(tmp_path / "file")


OLD_NAMES = {
    "2016": (
        "rnn_model/RNN/MultiRNNCell/Cell{}/LSTMCell/W_0",
        "rnn_model/RNN/MultiRNNCell/Cell{}/LSTMCell/B",
        "rnn_model/fully_connected/weights",
        "rnn_model/fully_connected/bias",
    ),
    "tf-1.0": (
        "rnn_model/rnn/multi_rnn_cell/cell_{}/lstm_cell/weights",
        "rnn_model/rnn/multi_rnn_cell/cell_{}/lstm_cell/biases",
        "rnn_model/fully_connected/weights",
        "rnn_model/fully_connected/bias",
    ),
    "tf-1.2": (
        "rnn_model/rnn/multi_rnn_cell/cell_{}/lstm_cell/kernel",
        "rnn_model/rnn/multi_rnn_cell/cell_{}/lstm_cell/bias",
        "rnn_model/fully_connected/weights",
        "rnn_model/fully_connected/bias",
    ),
    "melody_rnn": (
        "rnn/multi_rnn_cell/cell_{}/basic_lstm_cell/kernel",
        "rnn/multi_rnn_cell/cell_{}/basic_lstm_cell/bias",
        "fully_connected/weights",
        "fully_connected/biases",
    ),
}


@pytest.mark.parametrize("era", OLD_NAMES)
def test_every_historical_name_is_read(tmp_path, tokens, era):
    model = SequenceRNN(7, (6, 4))
    ours = {name: value.numpy() for name, value in model.named_weights().items()}
    kernel, bias, dense_kernel, dense_bias = OLD_NAMES[era]
    tensors = {
        dense_kernel: ours["logits/kernel"],
        dense_bias: ours["logits/bias"],
        "global_step": np.int64(9),
        dense_kernel + "/Adagrad": ours["logits/kernel"],
    }
    for layer in range(2):
        both = np.concatenate(
            [ours[f"lstm_{layer}/kernel"], ours[f"lstm_{layer}/recurrent_kernel"]]
        )
        i, f, c, o = np.split(both, 4, axis=1)
        tensors[kernel.format(layer)] = np.concatenate([i, c, f, o], axis=1)
        i, f, c, o = np.split(ours[f"lstm_{layer}/bias"], 4)
        tensors[bias.format(layer)] = np.concatenate([i, c, f - 1.0, o])
    tf.raw_ops.SaveV2(
        prefix=str(tmp_path / "model.ckpt-9"),
        tensor_names=list(tensors),
        shape_and_slices=[""] * len(tensors),
        tensors=list(tensors.values()),
    )
    loaded = SequenceRNN.load(tmp_path)
    np.testing.assert_allclose(loaded.unroll(tokens), model.unroll(tokens), atol=1e-6)


def test_checkpoint_without_a_note_rnn_lists_what_it_holds(tmp_path):
    tf.raw_ops.SaveV2(
        prefix=str(tmp_path / "model.ckpt-9"),
        tensor_names=["some/thing"],
        shape_and_slices=[""],
        tensors=[np.zeros(3, np.float32)],
    )
    with pytest.raises(UserError, match="it holds some/thing"):
        SequenceRNN.load(tmp_path)
