"""Figures of molecules."""

from __future__ import annotations

import json
import pathlib

from figure_making import code_groups
from figure_making.figure import Figure
from molecule_rnn.table2 import DIVERSITY_ROWS, TABLE2_ROWS
from rl_tuner.reports.tables import POLICY_ROWS, comparison_table

_WORLD = "molecule_rnn/README.md"


def _printed(folder: pathlib.Path) -> str:
    return (folder / "table.md").read_text(encoding="utf-8").strip()


def _before_and_after(folder: pathlib.Path) -> str:
    text = (folder / "run" / "metrics.json").read_text(encoding="utf-8")
    metrics = json.loads(text)
    columns = {"SMILES RNN": metrics["before"], "tuned": metrics["after"]}
    return comparison_table([*TABLE2_ROWS, *DIVERSITY_ROWS, *POLICY_ROWS], columns)


FIGURES = (
    Figure(
        name="molecules_tuned",
        commands=(
            (
                *("rl_tuner_train", "--task=molecule", "--num_evaluated=12000"),
                "--output_dir=run",
            ),
        ),
        tables={_WORLD: _before_and_after},
        depends=(*code_groups.MOLECULES, *code_groups.SMILES_RNN),
    ),
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
