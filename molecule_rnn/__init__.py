"""Molecules: a SMILES RNN and the drug-likeness reward, as a world of RL Tuner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from molecule_rnn.task import MoleculeTask

__all__ = ["MoleculeTask"]


def __getattr__(name: str) -> Any:
    if name == "MoleculeTask":  # loaded when it is asked for: it needs TensorFlow
        from molecule_rnn.task import MoleculeTask

        return MoleculeTask
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
