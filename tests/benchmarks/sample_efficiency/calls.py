"""OracleCalls: an oracle that counts what it is asked, and what that was worth."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import numpy as np
from rdkit import Chem

from molecule_rnn.scoring.scorer import parse_smiles
from molecule_rnn.scoring.scoring_pool import ScoringPool

BUDGET = 10_000
_EVERY = 100


class OracleCalls:
    """Scores strings; each distinct valid canonical SMILES is one call.

    Attributes:
      scores: what was asked, {canonical SMILES: score}, in the order of the calls.
    """

    def __init__(self, pool: ScoringPool, budget: int = BUDGET):
        """Begins with no calls; the pool has one component, the oracle."""
        self._pool, self.budget = pool, budget
        self.scores: dict[str, float] = {}

    @property
    def left(self) -> int:
        """Calls that may still be made."""
        return self.budget - len(self.scores)

    def ask(self, smiles: Sequence[str]) -> list[tuple[str, float, bool]]:
        """What strings are worth.

        Returns:
          of each string its canonical SMILES, "" where there is none or the budget did
          not suffice, its score, 0 there, and whether it was a new call.
        """
        canonical = [_canonical(string) for string in smiles]
        new = [c for c in dict.fromkeys(canonical) if c and c not in self.scores]
        new = new[: self.left]
        if new:
            values = self._pool.score(new).values[:, 0].tolist()
            self.scores.update(zip(new, values, strict=True))
        unused, answers = set(new), []
        for name in canonical:
            known = name in self.scores
            answers.append(
                (name if known else "", self.scores.get(name, 0.0), name in unused)
            )
            unused.discard(name)
        return answers


def area_under_curve(
    scores: Sequence[float], top: int, budget: int = BUDGET, every: int = _EVERY
) -> float:
    """AUC top-k of scores in the order of the calls, as PMO takes it.

    The mean of the k best so far every hundred calls, from 0 before the first, by
    trapezoids; the last mean is held where the calls stop early.
    """
    best: list[float] = []
    area, last, called = 0.0, 0.0, 0
    ends = [*range(every, len(scores), every), len(scores)]
    for end in ends:
        best = heapq.nlargest(top, [*best, *scores[called:end]])
        mean = sum(best) / max(len(best), 1)
        area += (end - called) * (last + mean) / 2
        last, called = mean, end
    return (area + (budget - called) * last) / budget


def top_mean(scores: Sequence[float], top: int) -> float:
    """The mean of the k best."""
    best = heapq.nlargest(top, scores)
    return float(np.mean(best)) if best else 0.0


def _canonical(smiles: str) -> str:
    molecule = parse_smiles(smiles)
    return "" if molecule is None else Chem.MolToSmiles(molecule)
