"""Tries a user's own components on a few molecules, before anything is tuned."""

from __future__ import annotations

from collections.abc import Sequence

from rdkit import Chem

from molecule_rnn.scoring.descriptors import Component, find_component
from molecule_rnn.scoring.scoring_pool import ScoringPool
from rl_tuner.errors import UserError
from rl_tuner.user_code import gist

# Ethanol, benzene, aspirin, caffeine, ibuprofen.
_MOLECULES = (
    "CCO",
    "c1ccccc1",
    "CC(=O)Oc1ccccc1C(=O)O",
    "Cn1cnc2c1c(=O)n(C)c(=O)n2C",
    "CC(C)Cc1ccc(cc1)C(C)C(=O)O",
)


def try_components(names: Sequence[str], time_limit: float = 10.0) -> None:
    """Scores a few molecules by each component.

    Args:
      names: `module:function` each.
      time_limit: as of `ScoringPool`.

    Raises:
      UserError: one fails on all of them, or ends its process on one.
    """
    for name in names:
        told: list[str] = []
        with ScoringPool(
            [name], 1, time_limit=time_limit, tell=told.append, most_in_a_row=1
        ) as pool:
            pool.score(_MOLECULES)
        # It ends no process, and so it can be called in this one.
        if told and (reason := _always_fails(find_component(name))):
            raise UserError(
                f"component {name!r} fails on each of {len(_MOLECULES)} molecules, on "
                f"{_MOLECULES[0]!r} with {reason}; it must take an RDKit molecule and "
                "return a number"
            )


def _always_fails(component: Component) -> str:
    """What it fails with on the first of the molecules, if it does on all; else ""."""
    reasons = []
    for smiles in _MOLECULES:
        try:
            component.value(Chem.MolFromSmiles(smiles))
        except BaseException as error:  # a user's may do anything
            reasons.append(gist(error))
        else:
            return ""
    return reasons[0]
