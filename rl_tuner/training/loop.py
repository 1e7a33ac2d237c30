"""Loop: rounds of acting and updating, by what acts, remembers and learns."""

from __future__ import annotations

import abc
import pathlib
from collections.abc import Mapping

import numpy as np

from rl_tuner.errors import UserError
from rl_tuner.scored_sequences import ScoredSequences
from rl_tuner.system.lazy_arrays import LazyArrays

# What rounds add up: loss, updates; then what `Replica.play` adds up: task reward,
# log p(a|s), KL(pi || p), tokens.
NUM_SUMS = 6
NUM_PLAYED = 4


class Loop(abc.ABC):
    """Runs rounds: some steps of all sequences, then the updates that are due for them.

    Attributes:
      rounds_at_once: `run` takes multiples of it.
    """

    rounds_at_once: int = 1
    # What whole sequences earn, of a loop that scores them outside of its graph.
    _scored: ScoredSequences | None = None

    @abc.abstractmethod
    def run(self, num_rounds: int, sums: np.ndarray | None = None) -> np.ndarray:
        """Trains: sums [NUM_SUMS], added to those that are given.

        The sums of two calls, the second beginning with those of the first, are those
        of one, to the last bit.
        """

    def write_scored(self, directory: pathlib.Path) -> None:
        """Has the sequences that are scored written into the folder of a run.

        Raises:
          UserError: they are scored inside the loop, and never seen.
        """
        if self._scored is None:
            raise UserError(
                "--write_scored is for tasks that score outside of the compiled loop, "
                "as that of molecules; leave it out (nothing is written to "
                f"{directory})"
            )
        self._scored.write_to(directory)

    def flush(self) -> None:
        """Brings what was written so far to the disk."""
        if self._scored is not None:
            self._scored.flush()

    def state(self) -> LazyArrays:
        """All that `restore` needs beside the replicas' states; mostly nothing."""
        return LazyArrays({}) if self._scored is None else self._scored.state()

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Goes to where `state` was taken."""
        if self._scored is not None:
            self._scored.restore(state)

    def any_wishes(self, wish: bool) -> bool:
        """Whether any process that trains asks for it: the answer is the same in all.

        All must ask, after the same step; mostly there is one process.
        """
        return wish

    def least(self, number: int) -> int:
        """The least number of any process that trains: see `any_wishes`."""
        return number


def begun(sums: np.ndarray | None) -> np.ndarray:
    """What a loop adds its sums to: a copy of those that are given, or zeros."""
    return np.zeros(NUM_SUMS) if sums is None else np.array(sums)
