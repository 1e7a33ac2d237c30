"""Diversity: the share of sequences that is unique, and the share that is copied."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np


def unique_share(sequences: np.ndarray) -> float:
    """Distinct sequences, as a percentage of all: [N, T] integers."""
    return 100.0 * len(np.unique(sequences, axis=0)) / len(sequences)


class Corpus:
    """Training sequences, to find out what a model copies from them verbatim.

    Attributes:
      sequences: each [length] uint16, or all of them texts.
    """

    def __init__(self, sequences: Iterable[np.ndarray | Sequence[int] | str]):
        """Keeps the sequences: any number of [length] integers below 2**16.

        Where an end token ends sequences, these are without it. Sequences that were
        written in classes of their own, which need not be the model's, are given as
        texts, as `Task.to_lines` writes them.
        """
        self.sequences = [
            s if isinstance(s, str) else np.asarray(s, np.uint16) for s in sequences
        ]
        self._texts = {s for s in self.sequences if isinstance(s, str)}
        self._tokens = [s for s in self.sequences if not isinstance(s, str)]
        self._windows: dict[int, set[bytes]] = {}
        self._wholes: set[bytes] | None = None

    def copied_share(
        self,
        sequences: np.ndarray,
        end_token: int | None = None,
        to_lines: Callable[[np.ndarray], list[str]] | None = None,
    ) -> float:
        """Sequences that are in the corpus, as a percentage of all.

        Args:
          sequences: [N, T] integers.
          end_token: ends a sequence, which then is in the corpus if it equals one of
            it; if None, no token does, and they may occur anywhere in one.
          to_lines: of the task, what a corpus of texts is compared by.
        """
        if to_lines and self._texts:
            lines = to_lines(sequences)
            return 100.0 * sum(line in self._texts for line in lines) / len(lines)
        rows = np.ascontiguousarray(sequences, np.uint16)
        if end_token is None:
            known = self._windows_of(sequences.shape[1])
        else:
            known = self._whole_sequences()
            lengths = (rows != end_token).cumprod(axis=1).sum(axis=1)
            cut = [row[:length] for row, length in zip(rows, lengths, strict=True)]
            return 100.0 * sum(row.tobytes() in known for row in cut) / len(cut)
        return 100.0 * sum(row.tobytes() in known for row in rows) / len(rows)

    def _whole_sequences(self) -> set[bytes]:
        if self._wholes is None:
            self._wholes = {sequence.tobytes() for sequence in self._tokens}
        return self._wholes

    def _windows_of(self, length: int) -> set[bytes]:
        """All stretches of a length, as bytes."""
        if length not in self._windows:
            self._windows[length] = {
                sequence[start : start + length].tobytes()
                for sequence in self._tokens
                for start in range(len(sequence) - length + 1)
            }
        return self._windows[length]
