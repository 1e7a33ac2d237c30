"""How near a molecule's formula is to another (Brown et al. 2019)."""

from __future__ import annotations

import collections
import re
from collections.abc import Callable

from rdkit import Chem

from molecule_rnn.scoring.components.transforms import gauss, geometric_mean
from rl_tuner.errors import UserError

_ELEMENT = re.compile(r"([A-Z][a-z]?)([0-9]*)")


def parse_formula(text: str) -> dict[str, int]:
    """Reads "C9H10N2O2PF2Cl": the number of atoms of each element.

    Raises:
      UserError: it is no formula.
    """
    counts: dict[str, int] = {}
    table = Chem.GetPeriodicTable()
    if not text or _ELEMENT.sub("", text):
        raise UserError(f"{text!r:.60} is no formula; write one as C7H8N2O2")
    for element, number in _ELEMENT.findall(text):
        try:
            table.GetAtomicNumber(element)
        except RuntimeError:
            raise UserError(
                f"{text!r:.60} is no formula: there is no element {element!r}"
            ) from None
        counts[element] = counts.get(element, 0) + int(number or 1)
    return counts


def isomer(formula: str) -> Callable[[Chem.Mol], float]:
    """1 of an isomer of the formula, less the more atoms differ.

    The geometric mean of a Gaussian of each element's number of atoms, with deviation
    1, and one of the number of all atoms, with deviation 2; hydrogens count.

    Raises:
      UserError: it is no formula.
    """
    wanted = parse_formula(formula)
    total = sum(wanted.values())

    def score(molecule: Chem.Mol) -> float:
        found: collections.Counter[str] = collections.Counter()
        for atom in molecule.GetAtoms():
            found[atom.GetSymbol()] += 1
            found["H"] += atom.GetTotalNumHs()
        terms = [gauss(found[name], number, 1.0) for name, number in wanted.items()]
        return geometric_mean([*terms, gauss(found.total(), total, 2.0)])

    return score
