"""Loop: rounds of acting and updating, by what acts, remembers and learns."""

from __future__ import annotations

import abc

import numpy as np

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

    @abc.abstractmethod
    def run(self, num_rounds: int, sums: np.ndarray | None = None) -> np.ndarray:
        """Trains: sums [NUM_SUMS], added to those that are given.

        The sums of two calls, the second beginning with those of the first, are those
        of one, to the last bit.
        """

    def any_wishes(self, wish: bool) -> bool:
        """Whether any process that trains asks for it: the answer is the same in all.

        All must ask, after the same step; mostly there is one process.
        """
        return wish

    def least(self, number: int) -> int:
        """The least number of any process that trains: see `any_wishes`."""
        return number
