"""Ready components by name: properties that RDKit computes of a molecule."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from rdkit import Chem
from rdkit.Chem import Descriptors, FilterCatalog, rdMolDescriptors
from rdkit.Contrib.SA_Score import sascorer

from molecule_rnn.scoring.components.drug_likeness import qed
from molecule_rnn.scoring.components.fingerprints import similarity
from molecule_rnn.scoring.components.isomers import isomer
from molecule_rnn.scoring.components.oracles import ORACLES, Score, log_p, oracle, tpsa
from rl_tuner.errors import UserError

CATALOGS = ("PAINS", "BRENK")


class Property(NamedTuple):
    """What a component may be of.

    Attributes:
      make: a function of a molecule, from the values of `keys`.
      is_score: whether its values are within 0 and 1, the more the better.
      keys: what a scoring file says of it, {key: default}; None must be said.
    """

    make: Callable[..., Score]
    is_score: bool = False
    keys: Mapping[str, object] = {}


def most_similar(reference: Sequence[str], fingerprint: str) -> Score:
    """Tanimoto similarity to the most similar of some molecules."""
    scores = [similarity(fingerprint, smiles) for smiles in reference]
    return lambda molecule: max(score(molecule) for score in scores)


def has_one_of(smarts: Sequence[str]) -> Score:
    """1 of a molecule that has one of the patterns, else 0."""
    patterns = [_pattern(text) for text in smarts]
    return lambda molecule: float(any(map(molecule.HasSubstructMatch, patterns)))


def has_none_of(smarts: Sequence[str]) -> Score:
    """1 of a molecule that has none of the patterns, else 0."""
    found = has_one_of(smarts)
    return lambda molecule: 1.0 - found(molecule)


def has_no_alert(catalogs: Sequence[str]) -> Score:
    """1 of a molecule without an alert of RDKit's catalogues, else 0."""
    for name in catalogs:
        if name not in CATALOGS:
            raise UserError(
                f"unknown catalogue {name!r}; choose of {', '.join(CATALOGS)}"
            )
    catalog = _catalog(tuple(catalogs))
    return lambda molecule: float(not catalog.HasMatch(molecule))


@functools.cache
def _catalog(names: tuple[str, ...]) -> FilterCatalog.FilterCatalog:
    known = FilterCatalog.FilterCatalogParams.FilterCatalogs
    parameters = FilterCatalog.FilterCatalogParams()
    for name in names:
        parameters.AddCatalog(getattr(known, name))
    return FilterCatalog.FilterCatalog(parameters)


def _pattern(text: str) -> Chem.Mol:
    pattern = Chem.MolFromSmarts(text)
    if pattern is None:
        raise UserError(f"{text!r:.60} is no SMARTS that RDKit reads")
    return pattern


def _plain(function: Score, is_score: bool = False) -> Property:
    return Property(lambda: function, is_score)


PROPERTIES: Mapping[str, Property] = {
    "qed": _plain(qed, is_score=True),
    "sa": _plain(sascorer.calculateScore),
    "log_p": _plain(log_p),
    "tpsa": _plain(tpsa),
    "molecular_weight": _plain(Descriptors.MolWt),  # type: ignore[attr-defined]
    "h_bond_donors": _plain(rdMolDescriptors.CalcNumHBD),
    "h_bond_acceptors": _plain(rdMolDescriptors.CalcNumHBA),
    "rotatable_bonds": _plain(rdMolDescriptors.CalcNumRotatableBonds),
    "rings": _plain(rdMolDescriptors.CalcNumRings),
    "aromatic_rings": _plain(rdMolDescriptors.CalcNumAromaticRings),
    "similarity": Property(
        most_similar, True, {"reference": None, "fingerprint": "ECFP4"}
    ),
    "smarts": Property(has_one_of, True, {"smarts": None}),
    "unwanted_smarts": Property(has_none_of, True, {"smarts": None}),
    "no_alerts": Property(has_no_alert, True, {"catalogs": CATALOGS}),
    "isomer": Property(isomer, True, {"formula": None}),
    **{
        name: Property(functools.partial(oracle, name), True)
        for name in ORACLES
        if name != "qed"
    },
}
# What chemists write, too.
ALIASES = {"logp": "log_p", "logP": "log_p", "QED": "qed", "SA": "sa", "TPSA": "tpsa"}
