"""Molecules as an SD file: structures in two dimensions, with data fields."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from typing import Any

from rdkit import Chem
from rdkit.Chem import rdDepictor


def sd_text(molecules: Iterable[tuple[str, Mapping[str, Any]]]) -> str:
    """The text of an SD file.

    Args:
      molecules: SMILES strings that are molecules, each with its fields by name; a
        field that is None or empty is left out. `name` is the molecule's title.
    """
    file = io.StringIO()
    with Chem.SDWriter(file) as writer:
        for smiles, fields in molecules:
            molecule = Chem.MolFromSmiles(smiles)
            rdDepictor.Compute2DCoords(molecule)
            for name, value in fields.items():
                if value is None or value == "":
                    continue
                key = "_Name" if name == "name" else name
                text = f"{value:.7g}" if isinstance(value, float) else str(value)
                molecule.SetProp(key, text)
            # There are aromatic rings to which no single and double bonds fit.
            writer.SetKekulize(_has_kekule_form(molecule))
            writer.write(molecule)
    return file.getvalue()


def _has_kekule_form(molecule: Chem.Mol) -> bool:
    try:
        Chem.Kekulize(Chem.Mol(molecule))
    except Chem.KekulizeException:
        return False
    return True
