"""TensorFlow 1's LSTM cell, for one step and over whole sequences."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from melody_rnn.networks.layouts import FORGET_BIAS
from rl_tuner.networks.lstm_over_time import lstm_over_time

# A weight by its name.
Weights = Callable[[str], tf.Tensor]


def lstm_cell(
    weights: Weights, name: str, x: tf.Tensor, c: tf.Tensor, h: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """BasicLSTMCell: new c and h."""
    gates = affine(weights, name, tf.concat([x, h], axis=1))
    i, j, f, o = tf.split(gates, 4, axis=1)
    c = c * tf.sigmoid(f + FORGET_BIAS) + tf.sigmoid(i) * tf.tanh(j)
    return c, tf.tanh(c) * tf.sigmoid(o)


def lstm_layer(
    weights: Weights, name: str, x: tf.Tensor, c: tf.Tensor, h: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """`lstm_cell` over all steps [T, N, inputs]: outputs [T, N, units], c and h."""
    kernel = _in_keras_order(weights(f"{name}/kernel"))
    bias = _in_keras_order(weights(f"{name}/bias"), FORGET_BIAS)
    of_inputs, recurrent = tf.split(kernel, [x.shape[-1], h.shape[-1]], axis=0)
    return lstm_over_time(tf.tensordot(x, of_inputs, 1) + bias, recurrent, c, h)


def _in_keras_order(gates: tf.Tensor, forget_bias: float = 0.0) -> tf.Tensor:
    """Gates i, j, f, o in the last dimension as i, f, j, o."""
    i, j, f, o = tf.split(gates, 4, axis=-1)
    return tf.concat([i, f + forget_bias, j, o], axis=-1)


def affine(weights: Weights, name: str, x: tf.Tensor) -> tf.Tensor:
    """A dense layer: [..., inputs] -> [..., units]."""
    return tf.tensordot(x, weights(f"{name}/kernel"), 1) + weights(f"{name}/bias")
