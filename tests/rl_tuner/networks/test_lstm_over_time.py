"""The layer over time against Keras' own, with its automatic gradient."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from rl_tuner.networks.lstm_over_time import lstm_over_time

N, T, INPUTS, UNITS = 3, 7, 4, 5


@pytest.fixture(scope="module")
def given():
    """A layer, what it reads, its state before, and the weights of a made-up loss."""
    keras.utils.set_random_seed(0)
    layer = keras.layers.LSTM(UNITS, return_sequences=True, return_state=True)
    layer.build((None, None, INPUTS))
    layer.cell.bias.assign(tf.random.normal([4 * UNITS]))
    x = tf.random.normal([N, T, INPUTS])
    c, h = tf.random.normal([N, UNITS]), tf.random.normal([N, UNITS])
    weights = [tf.random.normal(shape) for shape in ((N, T, UNITS), (N, UNITS))]
    return layer, x, c, h, weights


def _loss(y, c, h, weights):
    of_steps, of_states = weights
    states = tf.reduce_sum(of_states * (c + h * h))
    return tf.reduce_sum(of_steps * y * y) + states


def _of_keras(given):
    layer, x, c, h, weights = given
    with tf.GradientTape() as tape:
        tape.watch([x, c, h])
        y, last_h, last_c = layer(x, initial_state=[h, c])
        loss = _loss(y, last_c, last_h, weights)
    sources = [x, *layer.trainable_variables, c, h]
    return [y, last_c, last_h, *tape.gradient(loss, sources)]


def _of_ours(given, jit_compile):
    layer, x, c, h, weights = given

    @tf.function(jit_compile=jit_compile)
    def run(x, kernel, recurrent_kernel, bias, c, h):
        sources = [x, kernel, recurrent_kernel, bias, c, h]
        with tf.GradientTape() as tape:
            tape.watch(sources)
            read = tf.tensordot(tf.transpose(x, [1, 0, 2]), kernel, 1) + bias
            y, last_c, last_h = lstm_over_time(read, recurrent_kernel, c, h)
            y = tf.transpose(y, [1, 0, 2])
            loss = _loss(y, last_c, last_h, weights)
        return [y, last_c, last_h, *tape.gradient(loss, sources)]

    return run(x, *map(tf.convert_to_tensor, layer.trainable_variables), c, h)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_outputs_states_and_all_gradients_are_those_of_keras(given, jit_compile):
    theirs, ours = _of_keras(given), _of_ours(given, jit_compile)
    assert len(ours) == 9
    for a, b in zip(theirs, ours, strict=True):
        assert np.abs(a.numpy()).max() > 0.05  # or nothing would be compared
        np.testing.assert_allclose(a, b, atol=1e-5)
