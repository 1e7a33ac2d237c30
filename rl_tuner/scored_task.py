"""Tasks whose rewards cannot be compiled: they come from outside the graph."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from rl_tuner import user_code
from rl_tuner.errors import UserError
from rl_tuner.sequence_ends import sequence_lengths
from rl_tuner.task import Task


class Prefixes(NamedTuple):
    """Sequences so far.

    Attributes:
      tokens: [N, max_length] int32; what follows the first `lengths` does not matter.
      lengths: [N] int32, at least 1.
      ended: [N] bool, whether the last token ended the sequence.
    """

    tokens: np.ndarray
    lengths: np.ndarray
    ended: np.ndarray


class SequenceFilter(abc.ABC):
    """Lowers what sequences earn while a policy is tuned, by those that came before.

    Evaluations do without.
    """

    @abc.abstractmethod
    def filtered(self, sequences: np.ndarray, rewards: np.ndarray) -> np.ndarray:
        """What sequences earn instead, which are remembered in their order.

        Args:
          sequences: [N, max_length] int32; behind their ends stand end tokens.
          rewards: [N], of the token that ended each.
        """

    @abc.abstractmethod
    def state(self) -> dict[str, np.ndarray]:
        """All that `restore` needs, by name."""

    @abc.abstractmethod
    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Makes all what it was when `state` was taken."""


class ScoredTask(Task):
    """A task that rewards many prefixes at once, outside of the compiled loop.

    The tuner acts for a while, hands over what was acted, learns from older transitions
    meanwhile, and then asks for the rewards.

    Attributes:
      scores_prefixes: whether prefixes that have not ended are scored, too. Where they
        are not, evaluations reward all sequences, and not only some of them.
    """

    scores_prefixes: bool = True

    @abc.abstractmethod
    def start_scoring(self, prefixes: Prefixes) -> Callable[[], np.ndarray]:
        """Begins to find r(s, a) of each prefix's last token, given those before.

        The same prefixes must always have the same rewards.

        Returns:
          what waits for the rewards, unscaled, and returns them: [N] float32.
        """

    def make_filter(self) -> SequenceFilter | None:
        """A new filter of what is earned while a policy is tuned; mostly none."""
        return None

    def scored_columns(self, sequences: np.ndarray) -> dict[str, Sequence[Any]]:
        """What is written of sequences that were scored: [N, T] -> columns by name.

        They have just been scored, and have ended. By default their lines.
        """
        return {"sequence": self.to_lines(sequences)}

    def reward(
        self,
        sequences: tf.Tensor,
        positions: tf.Tensor,
        actions: tf.Tensor,
        reward_state: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Nothing: the rewards come later, from `start_scoring`."""
        return tf.zeros([actions.shape[0]]), reward_state

    def rewards(self, sequences: np.ndarray) -> np.ndarray:
        """Rewards of each token: [N, T] -> [N, T] float32, 0 after the end."""
        return self.start_scoring_sequences(sequences)()

    def start_scoring_sequences(
        self, sequences: np.ndarray
    ) -> Callable[[], np.ndarray]:
        """`start_scoring` of every prefix of whole sequences: [N, T] -> [N, T]."""
        lengths = sequence_lengths(sequences, self.end_token)
        rows, columns = np.nonzero(np.arange(sequences.shape[1]) < lengths[:, None])
        wait = self.start_scoring(
            Prefixes(
                tokens=sequences[rows].astype(np.int32),
                lengths=(columns + 1).astype(np.int32),
                ended=columns + 1 == lengths[rows],
            )
        )

        def collect() -> np.ndarray:
            rewards = np.zeros(sequences.shape, np.float32)
            rewards[rows, columns] = self.checked(wait(), len(rows))
            return rewards

        return collect

    def checked(self, rewards: np.ndarray, number: int) -> np.ndarray:
        """What `start_scoring` found of so many prefixes, as float32.

        Raises:
          UserError: it is not one number for each.
        """
        user_code.end_fork()
        rewards = np.asarray(rewards, np.float32)
        if rewards.shape != (number,):
            raise UserError(
                f"the task {self.name!r} gave rewards of shape {rewards.shape} for "
                f"{number} prefixes; it must give one for each"
            )
        if not np.isfinite(rewards).all():
            raise UserError(
                f"the task {self.name!r} gave a reward that is not finite; rewards "
                "must be numbers"
            )
        return rewards


class PythonTask(ScoredTask):
    """A task whose reward is a Python function: any code will do, but it is slow."""

    @abc.abstractmethod
    def score(self, tokens: list[int], ended: bool) -> float:
        """The reward r(s, a) of the last of the tokens, given those before it.

        Args:
          tokens: the sequence so far, with its end token if it has come.
          ended: whether the last token ended the sequence.
        """

    def start_scoring(self, prefixes: Prefixes) -> Callable[[], np.ndarray]:
        """Calls `score` for one prefix after the other."""

        def collect() -> np.ndarray:
            scores = [
                float(self.score(tokens[:length].tolist(), bool(ended)))
                for tokens, length, ended in zip(*prefixes, strict=True)
            ]
            return np.asarray(scores, np.float32)

        return collect
