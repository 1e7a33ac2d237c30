"""Patience: when a run ends before its calls are spent."""

from __future__ import annotations

from collections.abc import Sequence

# Rounds without a new molecule: the policy has collapsed.
ROUNDS = 20
# Calls that change none of the hundred best, once one of them has a score.
CALLS = 500


class Patience:
    """Counts the rounds, and the calls, that came to nothing."""

    def __init__(self) -> None:
        """Begins before the first round."""
        self._rounds = self._calls = 0
        self._leading: Sequence[str] = []

    @property
    def is_over(self) -> bool:
        """Whether the run shall end."""
        return self._rounds >= ROUNDS or self._calls >= CALLS

    def see(self, calls: int, names: Sequence[str], highest: float) -> None:
        """Takes a round: its calls, and the best so far with the highest score."""
        self._rounds = 0 if calls else self._rounds + 1
        is_same = names[:100] == self._leading and highest > 0.0
        self._calls = self._calls + calls if is_same else 0
        self._leading = names[:100]
