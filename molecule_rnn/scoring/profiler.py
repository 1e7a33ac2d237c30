"""Profiler: the properties of a generated molecule, as numbers and texts."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import NamedTuple

from rdkit import Chem
from rdkit.Chem import FilterCatalog
from rdkit.Chem.Scaffolds import MurckoScaffold

from molecule_rnn.moses import features
from molecule_rnn.scoring.descriptors import COMPONENTS
from molecule_rnn.scoring.scorer import Scorer


class Feature(NamedTuple):
    """A text that every molecule has; otherwise as `descriptors.Component`."""

    name: str
    function: Callable[[Chem.Mol], str]
    failing_value: str = ""

    def value(self, molecule: Chem.Mol) -> str:
        """What the function returns."""
        return self.function(molecule)


def scaffold(molecule: Chem.Mol) -> str:
    """The canonical SMILES of the scaffold of Bemis and Murcko 1996; "" without one."""
    return MurckoScaffold.MurckoScaffoldSmiles(mol=molecule)


def pains(molecule: Chem.Mol) -> str:
    """The first of the PAINS (Baell and Holloway 2010) that is found; "" if none is."""
    match = _pains_catalog().GetFirstMatch(molecule)
    return match.GetDescription() if match else ""


@functools.lru_cache(maxsize=1)
def _pains_catalog() -> FilterCatalog.FilterCatalog:
    parameters = FilterCatalog.FilterCatalogParams()
    parameters.AddCatalog(FilterCatalog.FilterCatalogParams.FilterCatalogs.PAINS)
    return FilterCatalog.FilterCatalog(parameters)


FEATURES = (
    Feature("canonical", Chem.MolToSmiles),
    Feature("scaffold", scaffold),
    Feature("pains", pains),
    Feature("refusal", features.refusal, "failed"),
    Feature("fragments", features.fragments),
    Feature("ring_scaffold", features.ring_scaffold),
)
STAGES = (*COMPONENTS, *(feature.name for feature in FEATURES))


class Profiler(Scorer):
    """The components of the reward, then the features; a `worker_job.Job`."""

    def __init__(self) -> None:
        """Needs no choice."""
        super().__init__(tuple(COMPONENTS))
        self._components = (*self._components, *FEATURES)
        self.stages = STAGES
