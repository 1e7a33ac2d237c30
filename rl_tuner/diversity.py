"""Are the sequences new? Share that is unique, and share that is copied."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


def unique_share(sequences: np.ndarray) -> float:
    """Distinct sequences, as a percentage of all: [N, T] integers."""
    return 100.0 * len(np.unique(sequences, axis=0)) / len(sequences)


class Corpus:
    """Training sequences, to find out what a model copies from them verbatim."""

    def __init__(self, sequences: Iterable[np.ndarray]):
        """Keeps the sequences: any number of [length] integers below 2**16."""
        self._sequences = [np.asarray(s, np.uint16) for s in sequences]
        self._windows: dict[int, set[bytes]] = {}

    def copied_share(self, sequences: np.ndarray) -> float:
        """Sequences that occur whole in the corpus, anywhere, as a percentage of all.

        Args:
          sequences: [N, T] integers.
        """
        windows = self._windows_of(sequences.shape[1])
        rows = np.ascontiguousarray(sequences, np.uint16)
        return 100.0 * sum(row.tobytes() in windows for row in rows) / len(rows)

    def _windows_of(self, length: int) -> set[bytes]:
        """All stretches of a length, as bytes."""
        if length not in self._windows:
            self._windows[length] = {
                sequence[start : start + length].tobytes()
                for sequence in self._sequences
                for start in range(len(sequence) - length + 1)
            }
        return self._windows[length]
