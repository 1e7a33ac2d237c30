"""How c and the learning rate move along a training of policy gradients."""

from __future__ import annotations

import math

import tensorflow as tf

from rl_tuner.config import RLTunerConfig

# Of the training, over which c moves to its value.
ANNEALING_SHARE = 0.5


def reward_scaler(progress: tf.Tensor, config: RLTunerConfig) -> tf.Tensor:
    """1/c at a share of the training, a scalar in [0, 1].

    From `initial_reward_scaler`, evenly in its logarithm; to 0 evenly.
    """
    first = config.initial_reward_scaler
    if first is None:
        return tf.constant(config.reward_scaler)
    share = tf.minimum(progress / ANNEALING_SHARE, 1.0)
    if not config.reward_scaler:
        return first * (1.0 - share)
    ratio = math.log(config.reward_scaler / first)
    return first * tf.exp(ratio * share)


def rate_left(progress: tf.Tensor, config: RLTunerConfig) -> tf.Tensor:
    """The share of the learning rate at a share of the training; it ends at 0."""
    if not config.learning_rate_decay:
        return tf.constant(1.0)
    left = tf.maximum(1.0 - progress, 0.0) / config.learning_rate_decay
    return tf.minimum(left, 1.0)
