"""Job: what processes do to strings, and how failures are reported."""

from __future__ import annotations

import collections
import sys
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

from rl_tuner.errors import UserError

# Molecules on which what fails on all is at fault, and not they.
_NO_ACCIDENT = 100


class Job(Protocol):
    """What is done to a string.

    Attributes:
      complaints: what went wrong since it was last emptied, by what it is about.
      failures: on how many strings, since it was last emptied, by what it is about.
    """

    complaints: dict[str, str]
    failures: collections.Counter[str]

    @property
    def stages(self) -> Sequence[str]:
        """What the parts are called."""

    def __call__(
        self, text: str, /, skipped: Collection[int], begin: Callable[[int], None]
    ) -> Any:
        """Does it; the result must be JSON-serializable.

        Args:
          text: the string.
          skipped: stages to leave out, by their place.
          begin: to be called with each stage's place before it.
        """


def tell_on_stderr(message: str) -> None:
    """Prints a message for the user."""
    print(message, file=sys.stderr, flush=True)


class News:
    """Tells the user what is new, from any thread."""

    def __init__(self, tell: Callable[[str], None]):
        """Takes what is called with the messages."""
        self._tell = tell
        self._lock = threading.Lock()
        self._told: set[str] = set()
        self._num_condemned = 0
        self._in_a_row: collections.Counter[str] = collections.Counter()
        self._failures: collections.Counter[str] = collections.Counter()
        self._num_done = 0

    def complain(self, complaints: Mapping[str, str]) -> None:
        """Tells the first complaint about each thing."""
        for about, complaint in complaints.items():
            with self._lock:
                is_news = about not in self._told
                self._told.add(about)
            if is_news:
                self._tell(f"{complaint}; further failures of it are not told")

    def count(self, failures: Mapping[str, int], num_done: int) -> None:
        """Adds up on how many strings what has failed, of so many that were done.

        Raises:
          UserError: a user's own has not once succeeded, on as many as is no accident.
        """
        with self._lock:
            self._failures.update(failures)
            self._num_done += num_done
            failed, done = self._failures.copy(), self._num_done
        for name, number in failed.items():
            if ":" in name and number >= max(done, _NO_ACCIDENT):
                raise UserError(
                    f"component {name!r} has failed on each of {number:,} molecules; "
                    "mend it, or leave it out"
                )

    def conclude(self) -> None:
        """Tells, once, on how many strings each thing has failed."""
        with self._lock:
            failed = dict(self._failures)
            self._failures.clear()
        # One failure was told of with what it was.
        for name, number in ((k, n) for k, n in failed.items() if n > 1):
            self._tell(
                f"component {name!r} failed on {number:,} of {self._num_done:,} "
                "distinct molecules"
            )

    def praise(self, stages: Collection[str]) -> None:
        """Notes the stages that did end no process."""
        with self._lock:
            for stage in stages:
                del self._in_a_row[stage]

    def condemned_in_a_row(self, stage: str) -> int:
        """How often a stage was condemned since it was praised."""
        with self._lock:
            return self._in_a_row[stage]

    def condemn(self, what: str, cause: str, stage: str = "") -> None:
        """Tells of the 1st, 10th, 100th and so on thing that ends processes."""
        with self._lock:
            self._num_condemned += 1
            self._in_a_row[stage] += 1
            if stage:
                self._failures[stage] += 1
            number = self._num_condemned
        if str(number).rstrip("0") == "1":
            self._tell(
                f"{what}: its process {cause}, twice, so it counts as failing; such "
                f"cases so far: {number:,}"
            )
