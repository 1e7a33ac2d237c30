"""How much a set of molecules is like a reference set, as MOSES measures it.

Polykovskiy et al. 2020: similarity to the nearest neighbour, and the cosine similarity
of how often fragments and scaffolds occur.
"""

from __future__ import annotations

import collections
import math
from collections.abc import Iterable, Sequence

import numpy as np
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator


def nearest_similarities(
    molecules: Sequence[str], reference: Sequence[str]
) -> np.ndarray:
    """The Tanimoto similarity of each molecule to the reference that is most like it.

    Args:
      molecules: N SMILES strings that are molecules.
      reference: such strings, at least one.

    Returns:
      [N]; of Morgan fingerprints of radius 2, 1,024 bits.
    """
    theirs = morgan_fingerprints(reference)
    return np.array(
        [
            max(DataStructs.BulkTanimotoSimilarity(fingerprint, theirs))
            for fingerprint in morgan_fingerprints(molecules)
        ]
    )


def cosine_similarity(
    ours: Iterable[Iterable[str]], theirs: Iterable[Iterable[str]]
) -> float:
    """Of the vectors of how often each text occurs in two sets of molecules.

    Args:
      ours: the texts of each molecule.
      theirs: the same of the others.

    Returns:
      0 to 1; NaN where one of the sets has no texts.
    """
    one, other = (
        collections.Counter(text for texts in molecules for text in texts)
        for molecules in (ours, theirs)
    )
    lengths = [math.sqrt(sum(n * n for n in c.values())) for c in (one, other)]
    if not all(lengths):
        return math.nan
    product = sum(count * other[text] for text, count in one.items())
    return product / math.prod(lengths)


def morgan_fingerprints(
    smiles: Sequence[str], num_bits: int = 1024
) -> list[DataStructs.ExplicitBitVect]:
    """Morgan fingerprints of radius 2 of SMILES strings that are molecules."""
    morgan = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=num_bits)
    return [morgan.GetFingerprint(Chem.MolFromSmiles(string)) for string in smiles]
