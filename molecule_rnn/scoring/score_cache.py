"""ScoreCache: the scores of the strings that were asked for last."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np


class ScoreCache:
    """Rows of numbers by string; the one that was not used for longest gives way."""

    def __init__(self, size: int, num_columns: int):
        """Makes room for `size` strings, 1 or more, of `num_columns` float32 each."""
        self._size = size
        self._slots: OrderedDict[str, int] = OrderedDict()
        # Untouched pages cost no memory.
        self._rows = np.empty([size, num_columns], np.float32)

    def __len__(self) -> int:
        return len(self._slots)

    def look_up(self, strings: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Finds strings.

        Returns:
          which are known, [N] bool, and the rows of these, [known, num_columns].
        """
        slots = np.fromiter(
            (self._slots.get(string, -1) for string in strings), np.int64, len(strings)
        )
        known = slots >= 0
        for index in np.flatnonzero(known).tolist():
            self._slots.move_to_end(strings[index])
        return known, self._rows[slots[known]]

    def store(self, strings: Sequence[str], rows: np.ndarray) -> None:
        """Keeps a row [N, num_columns] for each string."""
        for string, row in zip(strings, rows, strict=True):
            slot = self._slots.pop(string, None)
            if slot is None:
                full = len(self._slots) == self._size
                slot = self._slots.popitem(last=False)[1] if full else len(self._slots)
            self._slots[string] = slot
            self._rows[slot] = row
