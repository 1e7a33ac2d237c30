"""ScoringPool: scores of SMILES strings, from processes and a cache, in the background.

RDKit takes milliseconds for a molecule, where the networks take microseconds for a
token, so every core scores, while the networks learn, and nothing is scored twice.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

import numpy as np

from molecule_rnn.scoring.score_cache import ScoreCache
from molecule_rnn.scoring.scorer import Scorer
from molecule_rnn.scoring.worker_job import tell_on_stderr
from molecule_rnn.scoring.workers import InProcess, StringWorkers
from rl_tuner.system.provenance import available_cores


@dataclasses.dataclass(frozen=True)
class Scores:
    """What strings are worth.

    Attributes:
      components: names of the columns.
      parsed: [N] bool, which strings are molecules.
      values: [N, components] float32; of a string that is no molecule, 0.
    """

    components: tuple[str, ...]
    parsed: np.ndarray
    values: np.ndarray

    def column(self, component: str) -> np.ndarray:
        """The values of a component, [N]."""
        return self.values[:, self.components.index(component)]


class ScoringPool:
    """Scores strings; results do not depend on processes, cache or order.

    A context manager; not to be used after `close`.
    """

    def __init__(
        self,
        components: Sequence[str],
        num_processes: int | None = None,
        cache_size: int = 250_000,
        time_limit: float = 10.0,
        tell: Callable[[str], None] = tell_on_stderr,
        scoring: Mapping[str, Any] | None = None,
        most_in_a_row: int = 10,
    ):
        """Starts the processes.

        Args:
          components: names, as `descriptors.find_components` takes them.
          num_processes: by default one for each core; with 0 this process scores, which
            is quicker for a few strings, but has no time limit and dies of a crash.
          cache_size: strings, 1 or more, whose scores are kept.
          time_limit: seconds of processor time; what takes more, waits thrice that for
            anything but a processor, or crashes, on a string twice, counts as failing
            there: a component, or the parsing, and then the string is no molecule.
          tell: called with what the user must know, the first time each component
            fails and the 1st, 10th, 100th and so on time that a process dies of a
            string.
          scoring: as of `descriptors.find_components`.
          most_in_a_row: as of `StringWorkers`.

        Raises:
          UserError: there is no such component.
        """
        self.components = tuple(components)
        # Refuses names before processes start.
        scorer = Scorer(self.components, scoring)
        self._cache = ScoreCache(cache_size, 1 + len(self.components))
        self._lock = threading.Lock()
        if num_processes is None:
            num_processes = available_cores()
        self._workers: StringWorkers | InProcess
        if num_processes:
            self._workers = StringWorkers(
                "molecule_rnn.scoring.scorer:Scorer",
                {"components": self.components, "scoring": scoring},
                self.components,
                num_processes,
                time_limit,
                tell,
                most_in_a_row,
            )
        else:
            self._workers = InProcess(scorer, tell)

    def __enter__(self) -> ScoringPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def process_ids(self) -> Sequence[int]:
        """Of the processes that now score."""
        return self._workers.process_ids

    def start(self, smiles: Sequence[str]) -> Pending:
        """Begins to score strings, and returns at once."""
        strings, places = _distinct(smiles)
        with self._lock:
            known, rows = self._cache.look_up(strings)
        unknown = [strings[index] for index in np.flatnonzero(~known)]
        return Pending(self, places, known, rows, unknown, self._workers.start(unknown))

    def score(self, smiles: Sequence[str]) -> Scores:
        """The scores of strings, in their order."""
        return self.start(smiles).result()

    def close(self) -> None:
        """Ends the processes; what has not been scored by then is lost."""
        self._workers.close()

    def _store(self, strings: Sequence[str], rows: np.ndarray) -> None:
        with self._lock:
            self._cache.store(strings, rows)


class Pending:
    """Strings that are being scored."""

    def __init__(
        self,
        pool: ScoringPool,
        places: np.ndarray,
        known: np.ndarray,
        known_rows: np.ndarray,
        unknown: Sequence[str],
        futures: Sequence[Future],
    ):
        """Is made by `ScoringPool.start`."""
        self._pool = pool
        self._places = places
        self._known = known
        self._known_rows = known_rows
        self._unknown = unknown
        self._futures = futures
        self._scores: Scores | None = None

    def result(self) -> Scores:
        """Waits for the scores, which are in the order of the strings.

        Raises:
          UserError: the processes cannot be started, or a component ends them on
            string after string.
          RuntimeError, CancelledError: the pool was closed.
        """
        if self._scores is None:
            self._scores = self._gather()
        return self._scores

    def _gather(self) -> Scores:
        components = self._pool.components
        # Column 0: whether it is a molecule.
        rows = np.zeros([len(self._known), 1 + len(components)], np.float32)
        rows[self._known] = self._known_rows
        new = np.zeros([len(self._unknown), 1 + len(components)], np.float32)
        results = (values for future in self._futures for values in future.result())
        for row, values in zip(new, results, strict=True):
            if values is not None:
                row[0], row[1:] = 1.0, values
        rows[~self._known] = new
        self._pool._store(self._unknown, new)
        rows = rows[self._places]
        return Scores(components, rows[:, 0] > 0, rows[:, 1:])


def _distinct(strings: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """The strings, each once, and the place in them of each that was given."""
    places: dict[str, int] = {}
    found = [places.setdefault(string, len(places)) for string in strings]
    return list(places), np.array(found, np.int64)
