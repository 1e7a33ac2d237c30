"""Fingerprints by the names that chemists use, and similarity to a reference."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator as generators
from rdkit.Chem.Pharm2D import Generate, Gobbi_Pharm2D

from rl_tuner.errors import UserError

FINGERPRINTS = ("ECFP4", "ECFP6", "FCFP4", "AP", "PHCO")


@functools.cache
def fingerprint(name: str) -> Callable[[Chem.Mol], Any]:
    """What takes the fingerprint of a molecule; sparse, not folded, without chirality.

    Args:
      name: ECFP4 and ECFP6, Morgan's of radius 2 and 3; FCFP4, of radius 2 by what
        atoms do; AP, atom pairs at most ten bonds apart: counts. PHCO, Gobbi's
        pharmacophores in two dimensions: bits, in milliseconds to seconds.

    Raises:
      UserError: there is no such fingerprint.
    """
    if name not in FINGERPRINTS:
        raise UserError(
            f"unknown fingerprint {name!r}; choose one of {', '.join(FINGERPRINTS)}"
        )
    if name == "PHCO":
        return lambda molecule: Generate.Gen2DFingerprint(
            molecule, Gobbi_Pharm2D.factory
        )
    generator: Any
    if name == "AP":
        generator = generators.GetAtomPairGenerator(maxDistance=10)
    elif name == "FCFP4":
        features = generators.GetMorganFeatureAtomInvGen()
        generator = generators.GetMorganGenerator(
            radius=2, atomInvariantsGenerator=features
        )
    else:
        generator = generators.GetMorganGenerator(radius=2 if name == "ECFP4" else 3)
    return generator.GetSparseCountFingerprint


def similarity(name: str, reference: str) -> Callable[[Chem.Mol], float]:
    """Tanimoto similarity to a molecule: of counts the sum of least over that of most.

    Args:
      name: of the fingerprint.
      reference: SMILES.

    Raises:
      UserError: there is no such fingerprint, or the reference is no molecule.
    """
    take = fingerprint(name)
    molecule = Chem.MolFromSmiles(reference)
    if molecule is None:
        raise UserError(f"reference {reference!r:.60} is no molecule that RDKit reads")
    target = take(molecule)
    return lambda molecule: DataStructs.TanimotoSimilarity(take(molecule), target)
