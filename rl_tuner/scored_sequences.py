"""ScoredSequences: what whole sequences earn in a training, filtered and written."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from rl_tuner.scored_task import ScoredTask
from rl_tuner.system.csv_shards import CsvShards
from rl_tuner.system.lazy_arrays import LazyArrays

DIRECTORY_NAME = "scored"
STEM = "scored"
# The column of what a sequence earned with its last token, before it was filtered.
REWARD = "reward"


class ScoredSequences:
    """Takes each sequence that has ended once, in the order in which they were acted.

    Attributes:
      shards: where they are written; None writes nothing.
    """

    def __init__(self, task: ScoredTask):
        """Makes the task's filter, if it has one, and writes nothing."""
        self._task = task
        self._filter = task.make_filter()
        self.shards: CsvShards | None = None

    def write_to(self, directory: pathlib.Path) -> None:
        """Writes what is taken from now on into the folder of a run."""
        self.shards = CsvShards(directory / DIRECTORY_NAME, STEM)

    def take(
        self, step: int, tokens: np.ndarray, lengths: np.ndarray, rewards: np.ndarray
    ) -> np.ndarray:
        """What sequences earn with their last token.

        Args:
          step: environment steps with them.
          tokens: [N, T]; what follows the first `lengths` does not matter.
          lengths: [N].
          rewards: [N], what the task gave, unscaled.

        Returns:
          [N] float32, the same where there is no filter.
        """
        if self.shards is None and self._filter is None:
            return rewards
        is_read = np.arange(tokens.shape[1]) < lengths[:, np.newaxis]
        end = np.int32(self._task.end_token or 0)
        sequences = np.where(is_read, tokens, end)
        earned = rewards
        if self._filter is not None:
            earned = self._filter.filtered(sequences, rewards)
            earned = np.asarray(earned, np.float32)
        if self.shards is not None and len(sequences):
            columns: dict[str, Any] = {"step": [step] * len(sequences)}
            columns[REWARD] = rewards
            if self._filter is not None:
                columns["filtered_reward"] = earned
            self.shards.add(columns | dict(self._task.scored_columns(sequences)))
        return earned

    def flush(self) -> None:
        """Brings what was written so far to the disk."""
        if self.shards is not None:
            self.shards.flush()

    def state(self) -> LazyArrays:
        """All that `restore` needs; a view."""
        found = LazyArrays({})
        if self.shards is not None:
            found |= self.shards.state().in_folder("scored_shards")
        if self._filter is not None:
            # Not a view of what is remembered until it is asked for.
            state = self._filter.state()
            makers = {name: lambda array=array: array for name, array in state.items()}
            found |= LazyArrays(makers).in_folder("filter")
        return found

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Goes to where `state` was taken, of the same task.

        Raises:
          KeyError: the state is of another kind of run.
          UserError: what was written is not there any more.
        """
        if self.shards is not None:
            self.shards.restore(LazyArrays.of_folder(state, "scored_shards"))
        if self._filter is not None:
            self._filter.restore(LazyArrays.of_folder(state, "filter"))
