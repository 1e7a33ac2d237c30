"""Task: the only interface between the method and a world."""

from __future__ import annotations

import abc
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from rl_tuner.errors import UserError
from rl_tuner.metrics import Judgement, MetricRow

# The tokens of a sequence, of whatever integers.
Tokens = Sequence[int] | np.ndarray


class HasClasses(Protocol):
    """What a task needs of a model: the number of its tokens."""

    num_classes: int


class Task(abc.ABC):
    """What a world tells the method: how a sequence begins, is rewarded and ends.

    `prime`, `random_actions` and `reward` run inside a compiled loop: TensorFlow
    operations only, and shapes that do not depend on values.

    Attributes:
      name: as users name it.
      num_classes: how many tokens there are.
      max_length: a sequence ends when it has this many tokens.
      end_token: a sequence also ends with this token; None if no token ends it.
      reward_state_size: integers per sequence that `reward` carries from one token to
        the next; they are 0 before the first.
      uses_autograph: whether `prime`, `random_actions` and `reward` may use Python's
        `if` and `while` on tensors. TensorFlow takes a while to convert them; a task
        that does without says False.
      uses_log_prior: False keeps log p(a|s) out of the reward under any algorithm.
      curve_panels: which of `metrics` are drawn along training: name -> title.
    """

    name: str
    num_classes: int
    max_length: int
    end_token: int | None = None
    reward_state_size: int = 0
    uses_autograph: bool = True
    uses_log_prior: bool = True
    curve_panels: Mapping[str, str] = {}

    def prime(self, batch_size: int, seed: tf.Tensor) -> tf.Tensor:
        """What new sequences begin from, not part of them: [N] or [N, P] int32.

        The networks read the tokens from a zero state. One each, uniform over all
        tokens, unless a world says otherwise.
        """
        return self._uniform_tokens(batch_size, seed)

    def random_actions(self, batch_size: int, seed: tf.Tensor) -> tf.Tensor:
        """What epsilon-greedy exploration draws: [N] int32, uniform by default."""
        return self._uniform_tokens(batch_size, seed)

    @abc.abstractmethod
    def reward(
        self,
        sequences: tf.Tensor,
        positions: tf.Tensor,
        actions: tf.Tensor,
        reward_state: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The task's reward r(s, a), before it is scaled by 1/c.

        Args:
          sequences: [N, max_length] int32; entries at and after the position are not
            yet written and must not matter.
          positions: [N] int32, how many tokens each sequence has.
          actions: [N] int32, the token that is added at the position.
          reward_state: [N, reward_state_size] int32.

        Returns:
          rewards [N] float32, and the next reward state.
        """

    @abc.abstractmethod
    def rewards(self, sequences: np.ndarray) -> np.ndarray:
        """`reward` of each token of whole sequences: [N, max_length] -> the same."""

    @abc.abstractmethod
    def metrics(self, sequences: np.ndarray) -> dict[str, float]:
        """What generated sequences [N, max_length] are judged by, name -> value."""

    def check_model(self, model: HasClasses) -> None:
        """Proves that a model has the task's vocabulary.

        Raises:
          UserError: it has another.
        """
        if model.num_classes != self.num_classes:
            raise UserError(
                f"the model has {model.num_classes} classes but the task {self.name!r} "
                f"has {self.num_classes}; choose a model of the task's own vocabulary"
            )

    def from_corpus(self, corpus: Sequence[Any]) -> Sequence[Any]:
        """What `World.read_corpus` gave, in the tokens of this task.

        A dataset need not have those of the model: what the task cannot say is left
        out. By default they are the same. Texts stay texts.
        """
        return corpus

    def judge(
        self, sequences: np.ndarray, corpus: Sequence[Tokens | str] | None = None
    ) -> Judgement:
        """`metrics` of sequences [N, T], with their errors where these are known.

        With the corpus that the prior was trained on, as of `World.read_corpus`, they
        may be compared with it.
        """
        del corpus
        return Judgement(self.metrics(sequences), {}, {})

    def judge_lines(self, lines: Sequence[str]) -> Judgement:
        """The same of sequences that are given as text.

        Raises:
          UserError: a line is no sequence of the task.
        """
        return self.judge(self.from_lines(lines))

    def metric_rows(self) -> list[MetricRow]:
        """How `metrics` are shown in tables, in order; by default by their names."""
        return []

    def remarks(self) -> list[str]:
        """Sentences that a reader of a table of `metrics` must know."""
        return []

    def token_labels(self) -> list[str]:
        """What the tokens are called in figures."""
        return [str(token) for token in range(self.num_classes)]

    def write_samples(
        self, sequences: np.ndarray, directory: pathlib.Path, title: str
    ) -> None:
        """Writes sequences [N, T] in the form that the world's users want.

        By default a line of numbers each, in `sequences.txt`.
        """
        del title
        np.savetxt(directory / "sequences.txt", sequences, fmt="%d")

    def remarks_on(self, sequences: np.ndarray) -> list[str]:
        """What a user should know of sequences [N, T] that are written; a line each."""
        del sequences
        return []

    def write_audio(  # noqa: B027 - most cannot be heard
        self, sequences: np.ndarray, directory: pathlib.Path
    ) -> None:
        """Writes a few of the sequences [N, T] as WAV files, if they can be heard."""

    def to_lines(self, sequences: np.ndarray) -> list[str]:
        """Sequences as text: [N, T] integers -> N lines, for files of millions.

        By default numbers with spaces between.
        """
        return [" ".join(map(str, tokens)) for tokens in sequences.tolist()]

    def from_lines(self, lines: Sequence[str]) -> np.ndarray:
        """The sequences that `to_lines` wrote: N lines -> [N, max_length] int32.

        Raises:
          UserError: a line is no sequence of the task.
        """
        length, classes = self.max_length, self.num_classes
        sequences = np.zeros([len(lines), length], np.int32)
        for row, line in zip(sequences, lines, strict=True):
            try:
                tokens = [int(word) for word in line.split()]
            except ValueError:
                tokens = []
            if len(tokens) != length or not all(0 <= x < classes for x in tokens):
                raise UserError(
                    f"{line[:60]!r} is no sequence of the task {self.name!r}: "
                    f"{length} integers from 0 to {classes - 1}"
                )
            row[:] = tokens
        return sequences

    def score_lines(self, lines: Sequence[str]) -> dict[str, np.ndarray]:
        """What each sequence is worth: columns [N] by name, at least one.

        By default that is `task_reward`, the sum of r(s, a) over the tokens, unscaled.

        Raises:
          UserError: a line is no sequence of the task.
        """
        rewards = self.rewards(self.from_lines(lines))
        return {"task_reward": np.asarray(rewards).sum(axis=1)}

    def _uniform_tokens(self, batch_size: int, seed: tf.Tensor) -> tf.Tensor:
        return tf.random.stateless_uniform(
            [batch_size], seed, minval=0, maxval=self.num_classes, dtype=tf.int32
        )
