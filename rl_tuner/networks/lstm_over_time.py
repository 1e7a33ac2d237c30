"""An LSTM layer over whole sequences, with its gradient written out.

What needs no previous step is one product for all steps, of reading as of the gradient
of the weights; a step is left with one small product and one sweep over its gates.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf


def lstm_over_time(
    read: tf.Tensor, recurrent_kernel: tf.Tensor, c: tf.Tensor, h: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Runs a layer of U cells over T steps of N sequences.

    With the gates in Keras' order, input i, forget f, candidate g and output o:
    c_t = f c_(t-1) + i g, h_t = o tanh(c_t).

    Args:
      read: [T, N, 4U], what each step reads times the layer's kernel, with its bias.
      recurrent_kernel: [U, 4U].
      c: [N, U], the cells before the first step.
      h: [N, U], what the layer put out before it.

    Returns:
      what the layer puts out [T, N, U], and c and h after the last step. Gradients
      reach all four arguments; they have none of their own.
    """
    return _run(read, recurrent_kernel, c, h)


@tf.custom_gradient
def _run(
    read: tf.Tensor, recurrent_kernel: tf.Tensor, c: tf.Tensor, h: tf.Tensor
) -> tuple[Any, Callable[..., Any]]:
    steps, units = tf.shape(read)[0], h.shape[1]
    # sigmoid(x) = tanh(x / 2) / 2 + 1 / 2, so that one tanh serves all gates.
    half, whole = np.full(units, 0.5), np.ones(units)
    scale = tf.constant(np.concatenate([half, half, whole, half]), read.dtype)
    shift = tf.constant(np.concatenate([half, half, 0 * whole, half]), read.dtype)
    kernel = recurrent_kernel * scale

    def step(
        t: tf.Tensor, c: tf.Tensor, h: tf.Tensor, arrays: list[tf.TensorArray]
    ) -> tuple[Any, ...]:
        gates = tf.tanh(read[t] * scale + tf.matmul(h, kernel)) * scale + shift
        i, f, g, o = tf.split(gates, 4, axis=1)
        c = f * c + i * g
        h = o * tf.tanh(c)
        values = (gates, c, h)
        return t + 1, c, h, [a.write(t, x) for a, x in zip(arrays, values, strict=True)]

    _, last_c, last_h, arrays = tf.while_loop(
        lambda t, *_: t < steps,
        step,
        (tf.constant(0), c, h, _arrays(read, (4 * units, units, units))),
        maximum_iterations=read.shape[0],
    )
    gates, cells, outputs = (_stack(array, read) for array in arrays)

    def gradient(d_outputs: tf.Tensor, d_c: tf.Tensor, d_h: tf.Tensor) -> Any:
        before_c = tf.concat([c[tf.newaxis], cells[:-1]], axis=0)
        before_h = tf.concat([h[tf.newaxis], outputs[:-1]], axis=0)
        transposed = tf.transpose(recurrent_kernel)

        def step_back(
            t: tf.Tensor, d_c: tf.Tensor, d_h: tf.Tensor, array: tf.TensorArray
        ) -> tuple[Any, ...]:
            i, f, g, o = tf.split(gates[t], 4, axis=1)
            squashed = tf.tanh(cells[t])
            d_h += d_outputs[t]
            d_c += d_h * o * (1 - squashed * squashed)
            d_read = tf.concat(
                [
                    d_c * g * i * (1 - i),
                    d_c * before_c[t] * f * (1 - f),
                    d_c * i * (1 - g * g),
                    d_h * squashed * o * (1 - o),
                ],
                axis=1,
            )
            array = array.write(t, d_read)
            return t - 1, d_c * f, tf.matmul(d_read, transposed), array

        _, d_c, d_h, array = tf.while_loop(
            lambda t, *_: t >= 0,
            step_back,
            (steps - 1, d_c, d_h, *_arrays(read, (4 * units,))),
            maximum_iterations=read.shape[0],
        )
        d_read = _stack(array, read)
        d_kernel = tf.matmul(
            tf.reshape(before_h, [-1, units]),
            tf.reshape(d_read, [-1, 4 * units]),
            transpose_a=True,
        )
        return d_read, d_kernel, d_c, d_h

    return (outputs, last_c, last_h), gradient


def _arrays(read: tf.Tensor, widths: tuple[int, ...]) -> list[tf.TensorArray]:
    """Arrays of as many steps as are read, each [N, a width]."""
    return [
        tf.TensorArray(
            read.dtype, tf.shape(read)[0], element_shape=[read.shape[1], width]
        )
        for width in widths
    ]


def _stack(array: tf.TensorArray, read: tf.Tensor) -> tf.Tensor:
    """An array's steps, [T, N, a width], with T known where `read` knows it."""
    stacked = array.stack()
    stacked.set_shape(read.shape[:1].concatenate(stacked.shape[1:]))
    return stacked
