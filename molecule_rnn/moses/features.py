"""What MOSES (Polykovskiy et al. 2020) counts of a molecule, by RDKit alone."""

from __future__ import annotations

import functools

from rdkit import Chem
from rdkit.Chem import FilterCatalog
from rdkit.Chem.Scaffolds import MurckoScaffold

_ELEMENTS = frozenset({"C", "N", "S", "O", "F", "Cl", "Br", "H"})
# Atoms of a ring that is too large.
_LARGE_RING = 8
# A scaffold of fewer rings counts as none.
_MIN_RINGS = 2


def fragments(molecule: Chem.Mol) -> str:
    """The fragments between BRICS bonds (Degen et al. 2008), with dots between."""
    return Chem.MolToSmiles(Chem.FragmentOnBRICSBonds(molecule))


def ring_scaffold(molecule: Chem.Mol) -> str:
    """The scaffold of Bemis and Murcko 1996; "" with fewer than two rings."""
    found = MurckoScaffold.GetScaffoldForMol(molecule)
    if found.GetRingInfo().NumRings() < _MIN_RINGS:
        return ""
    return Chem.MolToSmiles(found)


def refusal(molecule: Chem.Mol) -> str:
    """Why a filter as MOSES's refuses a molecule, PAINS apart; "" if it passes.

    It must be of C, N, S, O, F, Cl, Br and H, without charged atoms and without rings
    of 8 atoms or more, all as in MOSES, and have none of Glaxo's hard filters (Lane et
    al. 2006), which stand for MOSES's own list of medicinal chemistry filters: of those
    that RDKit has they agree with it best.
    """
    for atom in molecule.GetAtoms():
        if atom.GetFormalCharge():
            return "charge"
        if atom.GetSymbol() not in _ELEMENTS:
            return atom.GetSymbol()
    if any(len(ring) >= _LARGE_RING for ring in molecule.GetRingInfo().AtomRings()):
        return "large ring"
    match = _glaxo().GetFirstMatch(molecule)
    return match.GetDescription() if match else ""


@functools.lru_cache(maxsize=1)
def _glaxo() -> FilterCatalog.FilterCatalog:
    parameters = FilterCatalog.FilterCatalogParams()
    parameters.AddCatalog(FilterCatalog.FilterCatalogParams.FilterCatalogs.CHEMBL_Glaxo)
    return FilterCatalog.FilterCatalog(parameters)
