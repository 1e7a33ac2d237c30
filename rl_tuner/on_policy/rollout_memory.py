"""RolloutMemory: the sequences of the last round, and the best ones so far."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import tensorflow as tf

from rl_tuner.on_policy import rollouts
from rl_tuner.on_policy.best_sequences import BestSequences
from rl_tuner.on_policy.rollouts import Rollouts
from rl_tuner.system.lazy_arrays import LazyArrays
from rl_tuner.training.replay.buffers import Sample
from rl_tuner.training.replay.memory import Memory

# The total rewards [N, T] of sequences, or the log pi(a|s) of the policy as it is.
OfTokens = Callable[[Rollouts], tf.Tensor]


class RolloutMemory(Memory):
    """All of the last round is learned from, with some of the best sequences so far."""

    def __init__(
        self,
        specs: Rollouts,
        num_best: int,
        total_rewards: OfTokens,
        log_policies: OfTokens,
    ):
        """Begins with nothing.

        Args:
          specs: shapes and types of a round: see `rollouts.specs`.
          num_best: how many of the best a batch holds besides.
          total_rewards: what is learned from.
          log_policies: of sequences that were remembered.
        """
        self._last = rollouts.variables(specs)
        self._num_best = num_best
        self._max_length = self._length = specs.actions.shape[1]
        self._best = BestSequences(specs) if num_best else None
        self._total_rewards, self._log_policies = total_rewards, log_policies

    @property
    def can_learn(self) -> tf.Tensor:
        """Always: a round is played before it is learned from."""
        return tf.constant(True)

    def keep(self, played: Rollouts) -> None:
        """Takes a round with its rewards in place of the last."""
        rollouts.assign(self._last, played)
        if self._best is not None:
            self._best.offer(played)

    def sample(self, seed: tf.Tensor) -> Sample:
        """The last round, and some of the best."""
        batch = Rollouts(*(tf.convert_to_tensor(var) for var in self._last))
        if self._best is not None:
            best = self._best.draw(self._num_best, seed)
            best = best._replace(log_policies=self._log_policies(best))
            pairs = zip(batch, best, strict=True)
            batch = Rollouts(*(tf.concat(pair, axis=0) for pair in pairs))
        batch = rollouts.cut(batch, self._length)
        rewards = self._total_rewards(batch)
        fields = {**batch._asdict(), "rewards": rewards}
        count = batch.lengths.shape[0]
        return Sample(fields, tf.range(count, dtype=tf.int64), tf.ones([count]))

    def longest(self, lengths: np.ndarray) -> int:
        """Tokens of the longest sequence of a batch, of a round of these lengths."""
        if self._best is None:
            return int(lengths.max())
        return max(int(lengths.max()), int(self._best.variables.lengths.numpy().max()))

    @contextlib.contextmanager
    def cut_to(self, length: int) -> Iterator[None]:
        """Batches that are drawn meanwhile have so many steps, for all their tokens.

        What is traced meanwhile is for such batches only.
        """
        self._length = length
        try:
            yield
        finally:
            self._length = self._max_length

    def state(self) -> LazyArrays:
        """As of `Memory`."""
        return LazyArrays({name: var.numpy for name, var in self._variables().items()})

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """As of `Memory`."""
        for name, variable in self._variables().items():
            variable.assign(state[name])

    def bytes_after(self, num_steps: int) -> int:
        """As of `Memory`: always the same."""
        del num_steps
        return sum(
            variable.dtype.size * variable.shape.num_elements()
            for variable in self._variables().values()
        )

    def _variables(self) -> dict[str, tf.Variable]:
        named = {f"last/{k}": var for k, var in self._last._asdict().items()}
        if self._best is not None:
            best = self._best.variables
            named |= {f"best/{k}": var for k, var in best._asdict().items()}
        return named
