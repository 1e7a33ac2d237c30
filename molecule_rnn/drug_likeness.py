"""QED, the quantitative estimate of drug-likeness of Bickerton et al. 2012."""

from __future__ import annotations

from rdkit.Chem import QED, Mol


def fast_qed(molecule: Mol) -> float:
    """What RDKit's `QED.qed` returns."""
    return QED.qed(molecule)
