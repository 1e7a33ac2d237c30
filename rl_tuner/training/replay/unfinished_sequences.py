"""UnfinishedSequences: puts together what a sequence's tokens earn, until it ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import tensorflow as tf


class UnfinishedSequences(tf.Module):
    """What the tokens of sequences that are being played have earned so far.

    Attributes:
      variables_by_name: [N, max_length] each, of every field of tokens.
    """

    def __init__(
        self, num_sequences: int, max_length: int, names: Sequence[str] = ("rewards",)
    ):
        """Begins with nothing.

        Args:
          num_sequences: that are played side by side.
          max_length: tokens of a sequence, at the most.
          names: of the fields of tokens.
        """
        super().__init__(name="unfinished_sequences")
        zeros = tf.zeros([num_sequences, max_length])
        self.variables_by_name = {
            name: tf.Variable(zeros, trainable=False, name=name) for name in names
        }

    def add(self, steps: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Takes K steps of all N sequences.

        Args:
          steps: fields [K, N, ...]: `tokens` with priming tokens before them,
            `num_read` of `replay_modes.WholePrefixes`, and the fields of tokens.

        Returns:
          `tokens`, `num_read`, and the fields of tokens [K, N, max_length] up to each
          step: of a sequence that has ended there, all of it.
        """
        fields = {"tokens": steps["tokens"], "num_read": steps["num_read"]}
        for name, variable in self.variables_by_name.items():
            num_primes = steps["tokens"].shape[2] - variable.shape[1]
            last = steps["num_read"] - num_primes
            fields[name] = _of_all_tokens(variable, steps[name], last)
            variable.assign(fields[name][-1])
        return fields


def _of_all_tokens(
    so_far: tf.Variable, values: tf.Tensor, last: tf.Tensor
) -> tf.Tensor:
    """The values of all tokens up to the last: [K, N], [K, N] -> [K, N, T]."""
    count, number = values.shape
    positions = tf.range(so_far.shape[1])
    ago = last[:, :, tf.newaxis] - positions
    steps = tf.range(count)[:, tf.newaxis, tf.newaxis] - ago
    columns = tf.broadcast_to(tf.range(number)[:, tf.newaxis], tf.shape(steps))
    here = tf.stack([tf.clip_by_value(steps, 0, count - 1), columns], axis=-1)
    earned = tf.where(steps >= 0, tf.gather_nd(values, here), so_far)
    return tf.where(ago >= 0, earned, 0.0)
