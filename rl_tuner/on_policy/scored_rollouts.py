"""ScoredRollouts: the loop of whole sequences whose rewards come from outside."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from rl_tuner.on_policy import rollouts
from rl_tuner.on_policy.rollout_replica import RolloutReplica, sums_of
from rl_tuner.on_policy.rollouts import Rollouts
from rl_tuner.scored_sequences import ScoredSequences
from rl_tuner.scored_task import ScoredTask
from rl_tuner.training.loop import Loop, begun

# Batches are cut to the longest of their sequences, rounded up: what is learned from is
# compiled anew for each length.
_BUCKET = 16


class ScoredRollouts(Loop):
    """Samples the next sequences while the last are being scored.

    What is learned from was sampled by the policy of one round before. After a round
    nothing is being scored, but the next sequences are sampled and kept: a run may be
    cut there, and depends on its seed alone.
    """

    _scored: ScoredSequences

    def __init__(self, replica: RolloutReplica, task: ScoredTask):
        """Takes what plays and learns."""
        self._replica, self._task = replica, task
        self._scored = ScoredSequences(task)

    def run(self, num_rounds: int, sums: np.ndarray | None = None) -> np.ndarray:
        """As of `Loop`.

        Raises:
          UserError: the task's rewards are not numbers, or not one for each token.
        """
        replica = self._replica
        sums = begun(sums)
        pending: Rollouts = replica.pending
        for _ in range(num_rounds):
            index = int(replica.rounds)
            if index == 0:
                rollouts.assign(pending, self._sample(tf.constant(0, tf.int64)))
            collect = self._start_scoring(pending)
            following = self._sample(tf.constant(index + 1, tf.int64))
            length = self._replica.memory.longest(pending.lengths.numpy())
            sums += self._learn(
                tf.constant(self._take(pending, collect())),
                tf.constant(index, tf.int64),
                min(-(-length // _BUCKET) * _BUCKET, self._task.max_length),
            ).numpy()
            rollouts.assign(pending, following)
            replica.rounds.assign_add(1)
        return sums

    def _start_scoring(self, pending: Rollouts) -> Callable[[], np.ndarray]:
        """Begins to score: what waits for the rewards [N, T]."""
        return self._task.start_scoring_sequences(pending.actions.numpy())

    def _take(self, pending: Rollouts, rewards: np.ndarray) -> np.ndarray:
        """The rewards [N, T] of sequences, as filtered; they are written."""
        lengths = pending.lengths.numpy()
        last = np.arange(len(lengths)), lengths - 1
        step = self._replica.steps + int(lengths.sum())
        rewards[last] = self._scored.take(
            step, pending.actions.numpy(), lengths, rewards[last]
        )
        return rewards

    @tf.function(jit_compile=True, autograph=False)
    def _sample(self, index: tf.Tensor) -> Rollouts:
        return self._replica.sample(index)

    @tf.function(jit_compile=True, autograph=False)
    def _learn(self, rewards: tf.Tensor, index: tf.Tensor, length: int) -> tf.Tensor:
        """Learns from the pending sequences and their rewards [N, T]: sums.

        None of them has more than `length` tokens.
        """
        replica = self._replica
        scored = Rollouts(*(tf.convert_to_tensor(x) for x in replica.pending))
        scored = scored._replace(task_rewards=rewards)
        replica.memory.keep(scored)
        played = sums_of(scored)
        with replica.memory.cut_to(length):
            learned = replica.learn(index)
        replica.end_round(played)
        return tf.concat([learned, played], axis=0)
