"""The SA score of Ertl and Schuffenhauer 2009, from 1 (easy to make) to 10."""

from __future__ import annotations

from rdkit.Chem import Mol
from rdkit.Contrib.SA_Score import sascorer


def fast_sa_score(molecule: Mol) -> float:
    """What RDKit's `sascorer.calculateScore` returns."""
    return sascorer.calculateScore(molecule)
