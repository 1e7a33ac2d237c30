"""Seeds: randomness without a state, keyed by the seed, the purpose and the round."""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from rl_tuner.config import RLTunerConfig

_START, _ROUND = range(2)


@dataclasses.dataclass(frozen=True)
class Seeds:
    """The seeds of one replica's training.

    Attributes:
      config: whose seed, and how many steps and updates a round has.
      replica: the replica's number.
    """

    config: RLTunerConfig
    replica: int = 0

    @property
    def at_start(self) -> tf.Tensor:
        """What the first sequences are primed with: [2] int32."""
        return self._key(_START, 0)

    def of_round(self, index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """A round's seeds, one for each step of acting [K, 2] and update [L, 2]."""
        steps = self.config.acting_steps_per_round
        seeds = tf.random.split(
            self._key(_ROUND, index), steps + self.config.updates_per_round
        )
        return seeds[:steps], seeds[steps:]

    def _key(self, purpose: int, index: int | tf.Tensor) -> tf.Tensor:
        """A key of its own for each purpose and round of this run."""
        key = tf.constant([self.config.seed, purpose], tf.int32)
        if self.replica:
            key = tf.random.fold_in(key, self.replica)
        return tf.random.fold_in(key, tf.cast(index, tf.int32))
