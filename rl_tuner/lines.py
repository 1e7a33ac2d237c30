"""Lines: sequences as text, one a line, for files of millions of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rl_tuner.errors import UserError
from rl_tuner.task import Task


class Lines:
    """Sequences of a task as numbers with spaces between; worlds may have their own.

    Attributes:
      task: whose sequences.
    """

    def __init__(self, task: Task):
        self.task = task

    def write(self, sequences: np.ndarray) -> list[str]:
        """The text of each sequence: [N, T] integers -> N lines."""
        return [" ".join(map(str, tokens)) for tokens in sequences.tolist()]

    def score(self, lines: Sequence[str]) -> dict[str, np.ndarray]:
        """What each sequence is worth: columns [N] by name, at least one.

        Here that is `task_reward`, the sum of r(s, a) over the tokens, unscaled.

        Raises:
          UserError: a line is no sequence of the task.
        """
        rewards = self.task.rewards(self.read(lines))
        return {"task_reward": np.asarray(rewards).sum(axis=1)}

    def read(self, lines: Sequence[str]) -> np.ndarray:
        """The sequences that `write` wrote: N lines -> [N, max_length] int32.

        Raises:
          UserError: a line is no sequence of the task.
        """
        length, classes = self.task.max_length, self.task.num_classes
        sequences = np.zeros([len(lines), length], np.int32)
        for row, line in zip(sequences, lines, strict=True):
            try:
                tokens = [int(word) for word in line.split()]
            except ValueError:
                tokens = []
            if len(tokens) != length or not all(0 <= x < classes for x in tokens):
                raise UserError(
                    f"{line[:60]!r} is no sequence of the task {self.task.name!r}: "
                    f"{length} integers from 0 to {classes - 1}"
                )
            row[:] = tokens
        return sequences
