"""Attention to the last outputs of a cell, as in Magenta's attention_rnn."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from melody_rnn.networks.lstm_cells import Weights, affine


class Attention(NamedTuple):
    """What attention remembers of N melodies.

    Attributes:
      attended: [N, A], what was read from the memory last.
      memory: [N, L, A], the last L outputs, oldest first; zeros at the beginning.
      keys: [N, L, A], the memory times the weight that it is searched by.
    """

    attended: tf.Tensor
    memory: tf.Tensor
    keys: tf.Tensor


def weight_shapes(width: int, query: int, size: int) -> dict[str, tuple[int, ...]]:
    """The shapes of its weights, for inputs, a query and outputs of these sizes."""
    return {
        "attention/input/kernel": (width + size, width),
        "attention/input/bias": (width,),
        "attention/query/kernel": (query, size),
        "attention/query/bias": (size,),
        "attention/memory_kernel": (size, size),
        "attention/score": (size,),
        "attention/output/kernel": (2 * size, size),
        "attention/output/bias": (size,),
    }


def with_attended(weights: Weights, x: tf.Tensor, attention: Attention) -> tf.Tensor:
    """The cells' input: what is read, and what was attended to before."""
    return affine(
        weights, "attention/input", tf.concat([x, attention.attended], axis=1)
    )


def attend(
    weights: Weights,
    query: list[tf.Tensor],
    output: tf.Tensor,
    attention: Attention,
) -> tuple[tf.Tensor, Attention]:
    """Attends to the last outputs, and remembers one more.

    Args:
      weights: by name.
      query: c and h of the cells after this step.
      output: [N, A] of them.
      attention: before this step.

    Returns:
      the output [N, A] with what is attended to, and the attention after it.
    """
    asked = affine(weights, "attention/query", tf.concat(query, axis=1))
    matches = tf.tanh(attention.keys + asked[:, tf.newaxis])
    scores = tf.reduce_sum(matches * weights("attention/score"), axis=2)
    # Rows that nothing was written to yet take part: there is no mask.
    shares = tf.nn.softmax(scores)[..., tf.newaxis]
    attended = tf.reduce_sum(shares * attention.memory, axis=1)
    y = affine(weights, "attention/output", tf.concat([output, attended], axis=1))
    key = tf.matmul(y, weights("attention/memory_kernel"))
    return y, Attention(
        attended, _pushed(attention.memory, y), _pushed(attention.keys, key)
    )


def _pushed(rows: tf.Tensor, row: tf.Tensor) -> tf.Tensor:
    """Rows [N, L, A] without the first, and one more [N, A]."""
    return tf.concat([rows[:, 1:], row[:, tf.newaxis]], axis=1)
