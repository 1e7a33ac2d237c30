"""Molecules as lines of text, and what they are worth."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from molecule_rnn.scoring.scoring_pool import ScoringPool
from rl_tuner.lines import Lines


class MoleculeLines(Lines):
    """A molecule is its SMILES string."""

    def write(self, sequences: np.ndarray) -> list[str]:
        """The string of each molecule: [N, T] integers -> N lines."""
        return self.task.vocabulary.decode(sequences)

    def score(self, lines: Sequence[str]) -> dict[str, np.ndarray]:
        """Whether a string is a molecule, and each component of the reward, unweighted.

        Of a string that is none the components are 0. Columns [N] by name.
        """
        scores = self._pool.score(lines)
        return {
            "valid": scores.parsed,
            **{name: scores.column(name) for name in scores.components},
        }

    @functools.cached_property
    def _pool(self) -> ScoringPool:
        return ScoringPool(self.task.reward_settings.scored_components)
