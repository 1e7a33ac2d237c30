"""Lookback and attention against Magenta's own figures, step by step and unrolled."""

import numpy as np
import pytest
import tensorflow as tf
from reference import REFERENCE, needs_reference

from melody_rnn.encoding import melody_events_to_classes
from melody_rnn.magenta.names import magenta_names
from melody_rnn.networks.kinds import AttentionRNN, LookbackRNN
from melody_rnn.networks.melody_rnn import MelodyRNN
from rl_tuner.networks.network import Network

# The melody that MELODY_RNN.md, section 10, has figures of.
_BARS = [60, -2, 64, -2, 67, -2, -1, -2, 72, -2, 71, 69, 67, -2, -1, -2]
MELODY = [*_BARS, *_BARS, 60, -2, 64, -2, 67, -2, -2, -1, 72, -2, 71, 69]
EVENTS = np.array([melody_events_to_classes(MELODY)])


def _known_after(network, tokens):
    """Inputs, and what the encoding remembers before each event and after it."""
    encoding = network.encoding
    first = tf.zeros([len(tokens), encoding.state_size])
    inputs, after = encoding.follow(tf.constant(tokens), first)
    before = tf.concat([first[:, tf.newaxis], after[:, :-1]], axis=1)
    return inputs.numpy(), before, after


def _labels(network, tokens):
    _, before, _ = _known_after(network, tokens)
    flat = tf.reshape(before, [-1, network.encoding.state_size])
    labels = network.encoding.labels(tf.constant(tokens.reshape(-1)), flat)
    return labels.numpy().reshape(tokens.shape)


def _set(indices):
    """ "14 43..45" -> {14, 43, 44, 45}."""
    numbers = set()
    for part in indices.split():
        first, _, last = part.partition("..")
        numbers |= set(range(int(first), int(last or first) + 1))
    return numbers


@pytest.mark.parametrize(
    ("network_class", "t", "ones", "minus_ones"),
    [
        (LookbackRNN, 0, "14 38 76 114", "115..118"),
        (LookbackRNN, 16, "14 38 76 114 118 119", "115..117"),
        (LookbackRNN, 33, "0 56 94 115 119 120", "114 116..118"),
        (LookbackRNN, 43, "23 59 97 116 117 119 120", "114 115 118"),
        (
            AttentionRNN,
            0,
            "12 36 38 42 50 51 53 55 57 58 60 62 63 65 67 69 70 72",
            "43..48",
        ),
        (AttentionRNN, 6, "37 39 42 43 44 50 55 57 62 67 69", "45..48"),
        (
            AttentionRNN,
            33,
            "12 36 40 41 43 47 50 57 62 67 69 72",
            "39 42 44 45 46 48",
        ),
    ],
)
def test_inputs_are_magentas(network_class, t, ones, minus_ones):
    inputs, _, _ = _known_after(network_class(38, (4,)), EVENTS)
    assert set(np.flatnonzero(inputs[0, t] == 1)) == _set(ones)
    assert set(np.flatnonzero(inputs[0, t] == -1)) == _set(minus_ones)


def test_labels_are_magentas():
    lookback = _labels(LookbackRNN(38, (4,)), EVENTS)[0].tolist()
    assert lookback[:16] == [14, 39, 18, 39, 21, 39, 1, 39, 26, 39, 25, 23, 21, 39, 1, 39]  # noqa: E501  # fmt: skip
    assert lookback[28:] == [38, 39, 38, *[39] * 7, 0, 1, *[39] * 4]
    key = _labels(AttentionRNN(38, (4,)), EVENTS)[0].tolist()
    assert key[:16] == [12, 39, 16, 39, 19, 39, 37, 39, 24, 39, 23, 21, 19, 39, 37, 39]
    assert key[36:] == [39, 39, 36, 37, 39, 39, 39, 39]


def _with_sine_weights(network, around_all=False):
    """The weights of section 10: by their number in the order of Magenta's names."""
    weights = network.named_weights()
    theirs = magenta_names(weights, around_all)
    for number, name in enumerate(sorted(weights, key=theirs.get)):
        shape = weights[name].shape
        elements = np.arange(np.prod(shape))
        values = 0.08 * np.sin(1 + number + 0.7 * elements)
        weights[name].assign(values.reshape(shape).astype(np.float32))
    return network


@pytest.mark.parametrize(
    ("network", "around_all", "first", "last", "sum_of_sizes", "likelihood"),
    [
        (
            lambda: MelodyRNN(38),
            False,
            [0.060891, 0.074865, 0.053629, 0.007170],
            0.074317,
            82.31310,
            -155.26921,
        ),
        (
            lambda: MelodyRNN(130, min_note=0),
            False,
            [0.064458, 0.076097, 0.051947, 0.003365],
            -0.014603,
            279.92780,
            -207.63942,
        ),
        (
            LookbackRNN,
            False,
            [0.070332, 0.081586, 0.054470, 0.001735],
            -0.003813,
            91.47086,
            -158.24463,
        ),
        (
            AttentionRNN,
            False,
            [0.069198, 0.079858, 0.052959, 0.001153],
            -0.004282,
            89.81099,
            -158.27884,
        ),
        (
            lambda: AttentionRNN(attention_layout="all_layers"),
            True,
            [0.071241, 0.081831, 0.053935, 0.000672],
            -0.004902,
            92.34601,
            -158.29111,
        ),
    ],
    ids=["basic", "mono", "lookback", "attention", "old attention"],
)
def test_figures_of_magenta(network, around_all, first, last, sum_of_sizes, likelihood):
    network = _with_sine_weights(network(), around_all)
    events = EVENTS
    if network.num_classes == 130:
        events = np.where(events > 1, events + 48, events)
    logits, _, _ = network.unroll_labels(events)
    logits = logits.numpy()[0]
    np.testing.assert_allclose(logits[-1, :4], first, atol=2e-6)
    np.testing.assert_allclose(logits[-1, -1], last, atol=2e-6)
    np.testing.assert_allclose(np.abs(logits).sum(), sum_of_sizes, rtol=1e-5)
    log_p = tf.nn.log_softmax(logits).numpy()
    labels = _labels(network, events)[0, 1:]
    found = log_p[np.arange(len(labels)), labels].sum()
    np.testing.assert_allclose(found, likelihood, rtol=1e-6)


@needs_reference
@pytest.mark.parametrize("name", ["lookback_rnn", "attention_rnn"])
@pytest.mark.parametrize("file", ["", "model.ckpt", "model.mag"])
def test_magentas_model_gives_magentas_probabilities(name, file):
    folder = REFERENCE / "magenta" / name
    golden = np.load(folder / "golden.npz")
    network = Network.load(folder / file if file else folder)
    tokens = np.array([melody_events_to_classes(row) for row in golden["events"]])
    inputs, _, known = _known_after(network, tokens)
    np.testing.assert_array_equal(inputs, golden["inputs"])
    np.testing.assert_array_equal(_labels(network, tokens), golden["labels"])
    logits, _, _ = network.unroll_labels(tokens)
    found = tf.nn.softmax(logits).numpy()
    np.testing.assert_allclose(found, golden["probabilities"], atol=1e-6)
    # Of events: what each label decodes to, as `class_index_to_event` of note_seq.
    events = tf.nn.softmax(network.unroll(tokens)).numpy()
    expected = np.zeros_like(events)
    history = known.numpy()[..., :32].astype(int)
    for label in range(40):
        if label >= 38:
            meant = history[..., 16 if label == 38 else 0]
        elif name == "lookback_rnn":
            meant = np.full(tokens.shape, label)
        else:
            meant = np.full(tokens.shape, label + 2 if label < 36 else label - 36)
        p = golden["probabilities"][..., label]
        np.add.at(expected, (*np.indices(tokens.shape), meant), p)
    np.testing.assert_allclose(events, expected, atol=1e-6)


@pytest.mark.parametrize(
    "network",
    [
        lambda: LookbackRNN(38, (12, 9)),
        lambda: LookbackRNN(29, (12,), min_note=55, has_old_error=True),
        lambda: AttentionRNN(38, (12, 9), attention_length=5),
        lambda: AttentionRNN(
            130, (12, 9), attention_layout="all_layers", attention_length=7, min_note=0
        ),
        lambda: AttentionRNN(38, (12, 9, 9), residual=True, attention_length=5),
        lambda: MelodyRNN(38, (9, 12), residual=True),
    ],
    ids=["lookback", "old error", "attention", "old layout", "residual", "one-hot"],
)
def test_steps_are_the_unrolled_network(network):
    network = network()
    tokens = np.random.default_rng(0).integers(0, network.num_classes, [3, 40])
    tokens = np.where(np.random.default_rng(1).random([3, 40]) < 0.5, 0, tokens)
    step = tf.function(network.step, jit_compile=True)
    unroll = network.unroll_with_state  # compiled by test_tuning.py
    state, logits = network.initial_state(3), []
    for column in tokens.T:
        one, state = step(tf.constant(column), state)
        logits.append(one)
    unrolled, last = unroll(tf.constant(tokens))
    np.testing.assert_allclose(np.stack(logits, 1), unrolled, atol=1e-5)
    np.testing.assert_allclose(state, last, atol=1e-5)
    # From the middle on, with the state of there.
    first, middle = unroll(tf.constant(tokens[:, :17]))
    rest, last_again = unroll(tf.constant(tokens[:, 17:]), middle)
    np.testing.assert_allclose(tf.concat([first, rest], 1), unrolled, atol=1e-5)
    np.testing.assert_allclose(last_again, last, atol=1e-5)


def test_filled_logits_are_what_is_put_out():
    network = AttentionRNN(38, (8,), attention_length=4)
    network.fill_logits(1.5)
    logits = network.unroll(np.zeros([2, 40], np.int32)).numpy()
    np.testing.assert_allclose(logits, 1.5, atol=1e-6)


def test_saved_and_cloned(tmp_path):
    network = AttentionRNN(
        29, (8, 6), attention_length=4, attention_layout="all_layers", min_note=50
    )
    network.metadata = {"melody_range": [50, 76]}
    network.save(tmp_path)
    tokens = np.random.default_rng(0).integers(0, 29, [2, 20])
    for same in (Network.load(tmp_path), network.clone()):
        assert type(same) is AttentionRNN
        assert same.architecture() == network.architecture()
        assert same.metadata == network.metadata
        np.testing.assert_array_equal(same.unroll(tokens), network.unroll(tokens))
    assert network.in_words() == (
        "LSTM layers of 8, 6 cells, 29 classes, key encoding, attention over 4 steps "
        "around all layers"
    )


def test_what_no_shape_shows_is_set_up():
    network = AttentionRNN(38, (8,), attention_length=4)
    network.set_up_as(attention_length=9, min_note=40)
    assert network.attention_length == 9
    assert network.unroll(EVENTS).shape == (1, 44, 38)
    assert network.clone().architecture()["min_note"] == 40
    with pytest.raises(ValueError, match="needs other weights"):
        network.set_up_as(attention_length=0)
