"""ScaffoldFilter: molecules of scaffolds that were found often enough earn nothing.

The diversity filter of REINVENT (Blaschke et al. 2020), IdenticalMurckoScaffold in
REINVENT 4, whose names and defaults these are.
"""

from __future__ import annotations

import collections
import dataclasses
import json
import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from molecule_rnn.scoring.molecule_statistics import profile, start_profilers
from molecule_rnn.scoring.workers import InProcess, StringWorkers
from rl_tuner.errors import UserError
from rl_tuner.scored_task import SequenceFilter
from rl_tuner.system.provenance import available_cores


@dataclasses.dataclass(frozen=True)
class ScaffoldSettings:
    """How often a scaffold may be found.

    Attributes:
      bucket_size: molecules of a scaffold that earn what they are worth.
      minimum_score: what a molecule must be worth to be remembered: by a scoring
        function 0 to 1, else what it earns at its end, unscaled.

    Raises:
      UserError: a number makes no sense.
    """

    bucket_size: int = 25
    minimum_score: float = 0.4

    def __post_init__(self) -> None:
        if self.bucket_size < 1:
            raise UserError(
                f"scaffold_bucket_size is {self.bucket_size}; it must be at least 1"
            )
        if not math.isfinite(self.minimum_score):
            raise UserError(
                f"scaffold_minimum_score is {self.minimum_score}; it must be finite"
            )


class ScaffoldFilter(SequenceFilter):
    """Remembers molecules that earn enough, and counts those of each scaffold.

    A molecule that is remembered already earns 0, and so does one whose scaffold
    (Bemis and Murcko 1996) has a full bucket. Molecules without a ring share a bucket.
    """

    def __init__(
        self,
        settings: ScaffoldSettings,
        decode: Callable[[np.ndarray], Sequence[str]],
        num_processes: int | None = None,
        score: Callable[[Sequence[str]], np.ndarray] | None = None,
    ):
        """Remembers nothing.

        Args:
          settings: how often a scaffold may be found.
          decode: the strings of sequences [N, T].
          num_processes: that find scaffolds, by default one for each core, with 0 none
            but this; they are started when there is something to find.
          score: what strings are worth [N]; None takes what they earn.
        """
        self._settings, self._decode = settings, decode
        self._num_processes, self._score = num_processes, score
        self._workers: StringWorkers | InProcess | None = None
        self._known: dict[str, None] = {}
        self._counts: collections.Counter[str] = collections.Counter()

    def filtered(self, sequences: np.ndarray, rewards: np.ndarray) -> np.ndarray:
        """As of `SequenceFilter`."""
        earned = np.array(rewards, np.float32)
        smiles = self._decode(sequences)
        worth = earned if self._score is None else self._score(smiles)
        good = np.flatnonzero(worth >= self._settings.minimum_score).tolist()
        strings = [smiles[row] for row in good]
        profiles = profile(strings, self._started(), ("canonical", "scaffold"))
        for row, string in zip(good, strings, strict=True):
            values = profiles[string]
            # None of what kills the process: it was scored, but is not remembered.
            if values and not self._is_new(values["canonical"], values["scaffold"]):
                earned[row] = 0.0
        return earned

    def state(self) -> dict[str, np.ndarray]:
        """As of `SequenceFilter`: the molecules and the counts, as JSON."""
        text = json.dumps({"known": [*self._known], "counts": self._counts})
        return {"memory": np.frombuffer(text.encode(), np.uint8)}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """As of `SequenceFilter`."""
        memory = json.loads(np.asarray(state["memory"], np.uint8).tobytes())
        self._known = dict.fromkeys(memory["known"])
        self._counts = collections.Counter(memory["counts"])

    def _is_new(self, canonical: str, scaffold: str) -> bool:
        """Remembers a molecule; whether it earns what it is worth."""
        if canonical in self._known:
            return False
        self._known[canonical] = None
        self._counts[scaffold] += 1
        return self._counts[scaffold] <= self._settings.bucket_size

    def _started(self) -> StringWorkers | InProcess:
        if self._workers is None:
            count = self._num_processes
            if count is None:
                count = available_cores()
            self._workers = start_profilers(count)
        return self._workers
