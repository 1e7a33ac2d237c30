"""OpenSequences: puts the rewards of a sequence's tokens together, until it ends."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf


class OpenSequences(tf.Module):
    """What the tokens of sequences that are being played have earned so far."""

    def __init__(self, num_sequences: int, max_length: int):
        """Begins with nothing."""
        super().__init__(name="open_sequences")
        zeros = tf.zeros([num_sequences, max_length])
        self.rewards = tf.Variable(zeros, trainable=False, name="rewards")

    def close(self, steps: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Takes K steps of all N sequences; what has ended in them comes out.

        Args:
          steps: fields [K, N, ...]: `tokens` with priming tokens before them,
            `num_read`, `rewards` and `continues` of `replay_modes.WholePrefixes`.

        Returns:
          `tokens`, `num_read` and `rewards` [E, max_length] of the E that have ended.
        """
        max_length = self.rewards.shape[1]
        num_primes = steps["tokens"].shape[2] - max_length
        last = steps["num_read"] - num_primes
        rewards = self._of_all_tokens(steps["rewards"], last)
        self.rewards.assign(rewards[-1])
        fields = {
            "tokens": steps["tokens"],
            "num_read": steps["num_read"],
            "rewards": rewards,
        }
        has_ended = steps["continues"] == 0.0
        return {name: tf.boolean_mask(x, has_ended) for name, x in fields.items()}

    def _of_all_tokens(self, rewards: tf.Tensor, last: tf.Tensor) -> tf.Tensor:
        """The rewards of all tokens up to the last: [K, N], [K, N] -> [K, N, T]."""
        count, number = rewards.shape
        positions = tf.range(self.rewards.shape[1])
        ago = last[:, :, tf.newaxis] - positions
        steps = tf.range(count)[:, tf.newaxis, tf.newaxis] - ago
        columns = tf.broadcast_to(tf.range(number)[:, tf.newaxis], tf.shape(steps))
        here = tf.stack([tf.clip_by_value(steps, 0, count - 1), columns], axis=-1)
        earned = tf.where(steps >= 0, tf.gather_nd(rewards, here), self.rewards)
        return tf.where(ago >= 0, earned, 0.0)
