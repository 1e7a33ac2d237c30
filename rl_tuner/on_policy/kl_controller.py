"""The adaptive KL controller: moves c until the policy is as far as it should be."""

from __future__ import annotations

import tensorflow as tf

# The most that a round's KL may count, as a share of the target.
CLIP = 0.2
# How much c moves a round, of the share by which the KL is off its target.
GAIN = 0.1


def next_scaler(
    scaler: tf.Tensor, kl: tf.Tensor, target: float, rate: tf.Tensor
) -> tf.Tensor:
    """1/c after a round, of what it was: scalars.

    c <- c (1 + k clip(kl / target - 1, -CLIP, CLIP)), the controller of Ziegler et al.
    2019, section 2.2, with k = GAIN times the rate.

    Args:
      scaler: 1/c.
      kl: of the policy from the prior in the round, in nats a token.
      target: what it should be.
      rate: the share of the learning rate that is left: c must not run away from a
        policy that hardly follows.
    """
    error = tf.clip_by_value(kl / target - 1.0, -CLIP, CLIP)
    return scaler / (1.0 + GAIN * rate * error)
