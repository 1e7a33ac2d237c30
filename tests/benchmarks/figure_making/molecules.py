"""Figures of molecules."""

from __future__ import annotations

import pathlib

from figure_making import code_groups
from figure_making.figure import Figure

_WORLD = "molecule_rnn/README.md"


def _printed(folder: pathlib.Path) -> str:
    return (folder / "table.md").read_text(encoding="utf-8").strip()


FIGURES = (
    Figure(
        name="transfer_learning",
        commands=(
            (
                *("python", "{root}/tests/benchmarks/transfer_learning.py"),
                "--output_dir=.",
            ),
        ),
        tables={_WORLD: _printed},
        depends=(
            *code_groups.PRETRAINING,
            *code_groups.SMILES_RNN,
            "molecule_rnn/smiles_rnn/*.py",
            "rl_tuner/generation/policy.py",
            "tests/benchmarks/transfer_learning.py",
        ),
    ),
)
