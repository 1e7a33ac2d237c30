"""BestMolecules: the best molecules so far, as the sequences that the policy reads."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Remembered(NamedTuple):
    """N sequences.

    Attributes:
      actions: [N, T] int32, 0 behind the end.
      lengths: [N] int32, with the end.
      scores: [N] float32.
      log_priors: [N] float32, log p of the whole under the prior.
    """

    actions: np.ndarray
    lengths: np.ndarray
    scores: np.ndarray
    log_priors: np.ndarray


class BestMolecules:
    """Keeps the best `capacity` molecules, each once, in the order of their scores.

    Attributes:
      names: canonical SMILES, the best first.
      stored: the sequences, in that order.
    """

    def __init__(self, capacity: int, max_length: int):
        """Begins with none."""
        self._capacity = capacity
        self.names: list[str] = []
        self.stored = Remembered(
            np.zeros([0, max_length], np.int32),
            np.zeros([0], np.int32),
            np.zeros([0], np.float32),
            np.zeros([0], np.float32),
        )

    def offer(self, names: list[str], offered: Remembered) -> None:
        """Takes molecules, of which those that are known already change nothing."""
        known, rows = set(self.names), []
        for row, name in enumerate(names):
            if name and name not in known:
                known.add(name)
                rows.append(row)
        pairs = zip(self.stored, offered, strict=True)
        both = Remembered(*(np.concatenate([a, b[rows]]) for a, b in pairs))
        order = np.argsort(-both.scores, kind="stable")[: self._capacity]
        every = [*self.names, *(names[row] for row in rows)]
        self.names = [every[place] for place in order]
        self.stored = Remembered(*(values[order] for values in both))

    def draw(
        self, number: int, rank_coefficient: float, generator: np.random.Generator
    ) -> Remembered:
        """Some of them, with replacement, by rank.

        The chance of the k-th best is proportional to 1 / (coefficient N + k), as in
        Genetic GFN (Kim et al. 2024).
        """
        count = len(self.names)
        chances = 1.0 / (rank_coefficient * count + np.arange(count))
        rows = generator.choice(count, number, p=chances / chances.sum())
        return Remembered(*(values[rows] for values in self.stored))
