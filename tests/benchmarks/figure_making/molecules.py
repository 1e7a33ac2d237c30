"""Figures of molecules."""

from __future__ import annotations

import json
import math
import pathlib

from figure_making import code_groups
from figure_making.figure import ROOT, Command, Figure
from molecule_rnn.scoring.components import scoring_file
from molecule_rnn.table2 import DIVERSITY_ROWS, TABLE2_ROWS
from rl_tuner.metrics import MetricRow
from rl_tuner.reports.tables import POLICY_ROWS, comparison_table, markdown_table

_WORLD = "molecule_rnn/README.md"
# The same as stands in the document.
SCORING = pathlib.Path(__file__).parent / "my_scoring.toml"


def _printed(folder: pathlib.Path) -> str:
    return (folder / "table.md").read_text(encoding="utf-8").strip()


def _columns(folder: pathlib.Path, run: str = "run") -> dict[str, dict[str, float]]:
    """The metrics of the untuned and of the tuned model of a run."""
    text = (folder / run / "metrics.json").read_text(encoding="utf-8")
    metrics = json.loads(text)
    # What is not known is null in it.
    return {
        name: {key: math.nan if x is None else x for key, x in metrics[part].items()}
        for name, part in (("SMILES RNN", "before"), ("tuned", "after"))
    }


def _before_and_after(folder: pathlib.Path) -> str:
    rows = [*TABLE2_ROWS, *DIVERSITY_ROWS, *POLICY_ROWS]
    return comparison_table(rows, _columns(folder))


def _with_several_scores(folder: pathlib.Path) -> str:
    columns = _columns(folder)
    scoring = scoring_file.read(str(SCORING))
    names = (*scoring.names, "score")
    rows = [
        MetricRow(f"mean_{name}", f"Mean {name}", "", "")
        for name in names
        if f"mean_{name}" in columns["tuned"]
    ]
    return comparison_table([TABLE2_ROWS[0], *rows, *DIVERSITY_ROWS], columns)


# What each is, beside what `rl_tuner_train --task=molecule` does.
_VARIANTS: dict[str, tuple[str, ...]] = {
    "default": (),
    "near": (
        *("--lowest_share=0.3", "--reward_scaler=0.0112"),
        "--learning_rate=0.0005",
    ),
    "strict": ("--lowest_share=0.015", "--reward_scaler=0.0185"),
    "far": ("--reward_scaler=0.025",),
    "varied": ("--diversity_filter",),
    "reinforce": ("--algorithm=reinforce", "--reward_scaler=0.0148"),
    "dap": ("--algorithm=dap", "--target_kl=0.085"),
    "ppo": ("--algorithm=ppo", "--target_kl=0.085"),
    "g": ("--algorithm=g",),
}
# How each measure is headed and shown.
_COMPARED = {
    "percent_valid": ("valid, %", ".1f"),
    "mean_qed": ("QED", ".3f"),
    "kl": ("KL a token", ".3f"),
    "unique_at_10k": ("unique of 10,000, %", ".1f"),
    "internal_diversity": ("diversity", ".3f"),
    "scaffolds": ("scaffolds, %", ".1f"),
}


def _variants() -> tuple[Command, ...]:
    return tuple(
        (
            *("rl_tuner_train", "--task=molecule", "--num_evaluated=12000", *flags),
            f"--output_dir={name}",
        )
        for name, flags in _VARIANTS.items()
    )


def _compared(folder: pathlib.Path) -> str:
    """A row for each way to tune, the untuned model above them."""
    models = {"untuned": _columns(folder, "default")["SMILES RNN"]}
    for name, flags in _VARIANTS.items():
        title = f"`{' '.join(flags)}`" if flags else "as it is"
        models[title] = _columns(folder, name)["tuned"]
    rows = [["", *(heading for heading, _ in _COMPARED.values())]]
    for title, metrics in models.items():
        figures = (f"{metrics[key]:{spec}}" for key, (_, spec) in _COMPARED.items())
        rows.append([title, *figures])
    return markdown_table(rows)


def _written(model: str, *data: Command) -> Figure:
    """What a prior writes, beside the molecules that it learned from."""
    return Figure(
        name=f"{model}_writes",
        commands=(
            *data,
            (
                *("rl_tuner_evaluate", "--task=molecule", "--num_sequences=10000"),
                f"--checkpoint_dir={{root}}/checkpoints/{model}",
                *("--corpus_dir=data", "--output_dir=measured"),
            ),
        ),
        tables={f"checkpoints/{model}/MODEL_CARD.md": _measured},
        depends=(
            *code_groups.MOLECULES,
            "molecule_rnn/smiles_rnn/*.py",
            f"checkpoints/{model}/*.npz",
        ),
    )


def _measured(folder: pathlib.Path) -> str:
    """The table of an evaluation, without its legend."""
    text = (folder / "measured" / "metrics.md").read_text(encoding="utf-8")
    return "\n".join(line for line in text.splitlines() if line.startswith("|"))


_FLAT = "zinc250k_flat.smi"


def _data(source: str, *more: str) -> Command:
    make = "smiles_rnn_create_dataset"
    return (make, f"--source={source}", *more, "--output_dir=data")


FIGURES = (
    _written(
        "smiles_rnn",
        ("python", "-m", "pip", "download", "--no-deps", "molsets==0.3.1"),
        _data("molsets-0.3.1-py3-none-any.whl", "--tokenizer=atoms"),
    ),
    _written("smiles_rnn_paper", _data("zinc250k", "--seed=0")),
    _written(
        "smiles_rnn_zinc250k",
        ("python", "{root}/tests/benchmarks/sample_efficiency/corpus.py", _FLAT),
        _data(_FLAT, "--tokenizer=atoms"),
    ),
    Figure(
        name="ways_to_tune_molecules",
        commands=_variants(),
        tables={_WORLD: _compared},
        depends=(*code_groups.MOLECULES, *code_groups.SMILES_RNN),
    ),
    Figure(
        name="several_scores",
        commands=(
            (
                *("rl_tuner_train", "--task=molecule", "--num_evaluated=12000"),
                "--scoring={root}/" + SCORING.relative_to(ROOT).as_posix(),
                "--output_dir=run",
            ),
        ),
        tables={_WORLD: _with_several_scores},
        depends=(
            *code_groups.MOLECULES,
            *code_groups.SMILES_RNN,
            "tests/benchmarks/figure_making/my_scoring.toml",
        ),
    ),
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
