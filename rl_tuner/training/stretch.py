"""A stretch of training between two reports, in parts that take about a second."""

from __future__ import annotations

import dataclasses
import time

import numpy as np

from rl_tuner.training.loop import NUM_SUMS, Loop

# Seconds that a part is to take.
_PART = 0.5
# The first part is compiled, and says nothing of the next: parts grow by this at most.
_GROWTH = 8


@dataclasses.dataclass
class Stretch:
    """Where a stretch stands. What it adds up to does not depend on its parts.

    Attributes:
      goal: rounds of the whole; 0 where none is begun.
      done: rounds so far.
      sums: of these rounds: see `Loop.run`.
    """

    goal: int = 0
    done: int = 0
    sums: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(NUM_SUMS))

    def run(self, loop: Loop, num_rounds: int) -> None:
        """Runs a part of it."""
        self.sums = loop.run(num_rounds, self.sums)
        self.done += num_rounds

    def state(self) -> np.ndarray:
        """All of it, to be stored."""
        return np.array([self.goal, self.done, *self.sums], np.float64)

    @classmethod
    def from_state(cls, state: np.ndarray) -> Stretch:
        """What `state` was taken of."""
        goal, done, *sums = state
        return cls(int(goal), int(done), np.array(sums))


class Pace:
    """How many rounds to run before the next look at the clock."""

    def __init__(self, loop: Loop):
        """Begins with as few as can be."""
        self._loop = loop
        self._rounds = loop.rounds_at_once

    def run(self, stretch: Stretch) -> None:
        """Runs a part of a stretch, and learns how long it takes."""
        number = min(self._rounds, stretch.goal - stretch.done)
        number = self._loop.least(number)  # the same in all processes
        begun = time.monotonic()
        stretch.run(self._loop, number)
        seconds = max(time.monotonic() - begun, 1e-6)
        wanted = min(number * _PART / seconds, _GROWTH * self._rounds)
        at_once = self._loop.rounds_at_once
        self._rounds = max(1, int(wanted) // at_once) * at_once
