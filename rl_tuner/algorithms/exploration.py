"""How the tuner acts while it learns: an epsilon schedule, and two ways to explore."""

from __future__ import annotations

import numpy as np
import tensorflow as tf


def linear_epsilon(
    step: tf.Tensor, exploration_steps: int, initial: float, final: float
) -> tf.Tensor:
    """Epsilon falls linearly over `exploration_steps` environment steps, then stays.

    Args:
      step: scalar integer, environment steps so far.
      exploration_steps: how long it falls; 0 gives `final` at once.
      initial: at step 0.
      final: from `exploration_steps` on.

    Returns:
      scalar float in [final, initial].
    """
    share = tf.cast(step, tf.float32) / max(exploration_steps, 1)
    if exploration_steps <= 0:
        share = tf.ones_like(share)
    return initial + (final - initial) * tf.minimum(share, 1.0)


def epsilon_greedy(
    scores: tf.Tensor, random_actions: tf.Tensor, epsilon: tf.Tensor, seed: tf.Tensor
) -> tf.Tensor:
    """With probability epsilon the random action, else argmax_a of the scores.

    Args:
      scores: [N, A].
      random_actions: [N] integers, drawn by the task.
      epsilon: scalar.
      seed: [2] integers; the same seed draws the same.

    Returns:
      [N] int32.
    """
    explore = tf.random.stateless_uniform([scores.shape[0]], seed) < epsilon
    greedy = tf.argmax(scores, axis=-1, output_type=tf.int32)
    return tf.where(explore, random_actions, greedy)


def boltzmann(
    scores: tf.Tensor, seed: tf.Tensor, temperature: float | tf.Tensor = 1.0
) -> tf.Tensor:
    """Samples from softmax(scores / temperature): [N, A] -> [N] int32.

    By the inverse of the cumulative distribution, which takes one random number for
    each row; on a TPU, which can only imitate double precision, by Gumbel's argmax,
    which takes A: on a CPU a quarter of the time of generating.
    """
    logits = scores / temperature
    if _has_tpu():
        tiny = np.finfo(np.float32).tiny
        shares = tf.random.stateless_uniform(logits.shape, seed, minval=tiny)
        noisy = logits - tf.math.log(-tf.math.log(shares))
        return tf.argmax(noisy, axis=-1, output_type=tf.int32)
    probabilities = tf.cast(tf.nn.softmax(logits), tf.float64)
    size = scores.shape[-1]
    # Sums of the first 1, 2, ... as a product: XLA adds up each anew on a CPU. In
    # float64, which no GPU rounds to fewer digits.
    triangle = tf.linalg.band_part(tf.ones([size, size], tf.float64), 0, -1)
    sums = tf.matmul(probabilities, triangle)
    share = tf.random.stateless_uniform([scores.shape[0], 1], seed, dtype=tf.float64)
    # Below the total, since a share is at most 1 - 2**-52.
    is_passed = sums <= share * sums[:, -1:]
    return tf.reduce_sum(tf.cast(is_passed, tf.int32), axis=-1)


def _has_tpu() -> bool:
    return bool(tf.config.list_logical_devices("TPU"))
