"""Gradient clipping as in Jaques et al. 2016, section 5: each weight on its own."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf


def clip_by_group_norm(
    gradients: Sequence[tf.Tensor], groups: Sequence[Sequence[int]], clip_norm: float
) -> list[tf.Tensor]:
    """Scales down each group of gradients whose joint L2 norm is above `clip_norm`."""
    clipped = list(gradients)
    for group in groups:
        chosen = [gradients[i] for i in group]
        norm = tf.sqrt(sum(_square(gradient) for gradient in chosen))
        scaled, _ = tf.clip_by_global_norm(chosen, clip_norm, norm)
        for index, gradient in zip(group, scaled, strict=True):
            clipped[index] = gradient
    return clipped


def _square(gradient: tf.Tensor) -> tf.Tensor:
    """The sum of the squares of a vector's or a matrix's elements.

    XLA adds up one by one on a CPU, unless it adds up rows to a row; the product keeps
    it from making one sum of the two.
    """
    squares = tf.square(gradient)
    if len(gradient.shape) > 1:
        squares = tf.reduce_sum(squares, axis=0)
    return tf.tensordot(squares, tf.ones_like(squares), 1)
