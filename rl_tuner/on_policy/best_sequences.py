"""BestSequences: a memory of those that earned most, for rewards that are rare."""

from __future__ import annotations

import tensorflow as tf

from rl_tuner.on_policy import rollouts
from rl_tuner.on_policy.rollouts import Rollouts

CAPACITY = 100


class BestSequences:
    """The sequences of the highest task reward so far, each once.

    REINVENT's inception (Blaschke et al. 2020).

    Attributes:
      variables: [CAPACITY, ...] in no order; what is no sequence has length 0.
    """

    def __init__(self, specs: Rollouts):
        """Begins with none; takes the shapes and types of a round."""
        shapes = specs.primes.shape[1], specs.actions.shape[1]
        self.variables = rollouts.variables(rollouts.specs(CAPACITY, *shapes))

    def offer(self, played: Rollouts) -> None:
        """Keeps the best of these sequences and its own."""
        pairs = zip(self.variables, played, strict=True)
        both = Rollouts(*(tf.concat(pair, axis=0) for pair in pairs))
        earned = tf.reduce_sum(both.task_rewards, axis=1)
        lowest = tf.float32.min
        is_new = (both.lengths > 0) & ~_is_repeated(both)
        order = tf.argsort(tf.where(is_new, earned, lowest), direction="DESCENDING")
        chosen = order[:CAPACITY]
        is_sequence = tf.gather(is_new, chosen)
        for variable, value in zip(self.variables, both, strict=True):
            kept = tf.gather(value, chosen)
            row = tf.reshape(is_sequence, [-1] + [1] * (len(kept.shape) - 1))
            variable.assign(tf.where(row, kept, tf.zeros_like(kept)))

    def draw(self, number: int, seed: tf.Tensor) -> Rollouts:
        """Some of them, all as likely, with replacement; one at least must be known."""
        known = tf.reduce_sum(tf.cast(self.variables.lengths > 0, tf.int32))
        rows = tf.random.stateless_uniform(
            [number], seed, minval=0, maxval=tf.maximum(known, 1), dtype=tf.int32
        )
        return Rollouts(*(tf.gather(variable, rows) for variable in self.variables))


def _is_repeated(sequences: Rollouts) -> tf.Tensor:
    """Whether each is the same as one before it: [N] bool."""
    tokens = tf.concat([sequences.primes, sequences.actions], axis=1)
    same = tf.reduce_all(tokens[:, tf.newaxis] == tokens, axis=-1)
    same &= sequences.lengths[:, tf.newaxis] == sequences.lengths
    count = tokens.shape[0]
    is_before = tf.range(count) < tf.range(count)[:, tf.newaxis]
    return tf.reduce_any(same & is_before, axis=1)
