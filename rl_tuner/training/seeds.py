"""Seeds: randomness without a state, keyed by the seed, the purpose and the round."""

from __future__ import annotations

import dataclasses

import tensorflow as tf

_START, _ROUND = range(2)


@dataclasses.dataclass(frozen=True)
class Seeds:
    """The seeds of one replica's training.

    Attributes:
      seed: the run's.
      plays: seeds for acting that a round needs, one for each of its steps.
      updates: seeds for learning that a round needs, one for each of its updates.
      replica: the replica's number.
    """

    seed: int
    plays: int
    updates: int
    replica: int = 0

    @property
    def at_start(self) -> tf.Tensor:
        """What the first sequences are primed with: [2] int32."""
        return self._key(_START, 0)

    def of_round(self, index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """A round's seeds: of acting [plays, 2] and of its updates [updates, 2]."""
        seeds = tf.random.split(self._key(_ROUND, index), self.plays + self.updates)
        return seeds[: self.plays], seeds[self.plays :]

    def _key(self, purpose: int, index: int | tf.Tensor) -> tf.Tensor:
        """A key of its own for each purpose and round of this run."""
        key = tf.constant([self.seed, purpose], tf.int32)
        if self.replica:
            key = tf.random.fold_in(key, self.replica)
        return tf.random.fold_in(key, tf.cast(index, tf.int32))
