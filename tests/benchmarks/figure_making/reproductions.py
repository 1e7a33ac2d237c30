"""Figures that repeat the papers' tables, with the luck of a further run beside them.

For each model the mean over seeds and, in brackets, the interval in which one further
run would fall with 95% probability, by Student's t: mean +- t s sqrt(1 + 1/n). A figure
of the paper is one further run: it stands in bold where it lies outside.
"""

from __future__ import annotations

import json
import math
import pathlib
from collections.abc import Sequence
from typing import Any

from scipy import stats

from figure_making import code_groups
from figure_making.figure import Command, Figure
from melody_rnn.table1 import TABLE1_ROWS
from molecule_rnn.table2 import DIVERSITY_ROWS, TABLE2_ROWS
from rl_tuner.metrics import MetricRow
from rl_tuner.reports.models import UNTUNED, label
from rl_tuner.reports.tables import POLICY_ROWS, format_figure, markdown_table

_PAPERS_NOTE_RNN = "{root}/../shared/reference/note_rnn_paper"
_REPORT = ("rl_tuner/runs/grid*.py", "rl_tuner/runs/reproduction.py")
_SURE = 0.95
_PICTURES = "checkpoints/smiles_rnn_paper/pictures"


def interval(mean: float, spread: float, number: int) -> tuple[float, float]:
    """Where one further run would fall with 95% probability.

    Args:
      mean: over so many runs.
      spread: their standard deviation, of n - 1 degrees of freedom.
      number: of runs, 2 or more.
    """
    t = float(stats.t.ppf((1.0 + _SURE) / 2.0, number - 1))
    reach = t * spread * math.sqrt(1.0 + 1.0 / number)
    return mean - reach, mean + reach


def table(
    path: pathlib.Path,
    prior_label: str,
    rows: Sequence[MetricRow],
    beside_the_paper: bool = True,
) -> str:
    """The table of what rl_tuner_reproduce wrote as JSON, with intervals.

    Args:
      path: of the JSON file.
      prior_label: what the untuned model is called.
      rows: what to show, in order; those that no model has are left out.
      beside_the_paper: with the paper's figures, which are of its own prior.
    """
    entries: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))[
        "entries"
    ]
    found = {(entry["metric"], entry["model"]): entry for entry in entries}
    measured = {entry["metric"] for entry in entries}
    models = list(dict.fromkeys(entry["model"] for entry in entries))
    published = {
        entry["model"]
        for entry in entries
        if beside_the_paper and entry["published"] is not None
    }
    header = ["Metric"]
    for model in models:
        header.append(prior_label if model == UNTUNED else label(model))
        header += ["paper"] * (model in published)
    lines = [header]
    for row in (row for row in rows if row.name in measured):
        line = [row.label]
        for model in models:
            entry = found.get((row.name, model))
            line.append("-" if entry is None else _ours(entry))
            if model in published:
                line.append("-" if entry is None else _papers(entry))
        lines.append(line)
    return markdown_table(lines)


def _ours(entry: dict[str, Any]) -> str:
    if entry["mean"] is None:
        return "-"
    unit = entry["unit"]
    if not entry["sd_across_runs"]:
        return format_figure(entry["mean"], unit)
    low, high = interval(entry["mean"], entry["sd_across_runs"], entry["num_runs"])
    # Two decimals, or two digits of what is smaller.
    decimals = max(2, 1 - math.floor(math.log10(high - low)))
    if unit == "%":  # shares lie between 0 and 100%
        low, high = max(low, 0.0), min(high, 100.0)
    mean, low, high = (f"{x:.{decimals}f}" for x in (entry["mean"], low, high))
    return f"{mean}{unit} [{low}, {high}]"


def _papers(entry: dict[str, Any]) -> str:
    value = entry["published"]
    if value is None:
        return "-"
    text = format_figure(value, entry["unit"])
    if entry["sd_across_runs"] is None:
        return text
    low, high = interval(entry["mean"], entry["sd_across_runs"], entry["num_runs"])
    return text if low <= value <= high else f"**{text}**"


def _reproduce(folder: str, *more: str) -> Command:
    return ("rl_tuner_reproduce", f"--output_dir={folder}", *more)


# Nothing is said by how few samples the distance to the optimum is not known from.
_POLICY_ROWS = tuple(row for row in POLICY_ROWS if row.name != "effective_share")


def _of_melodies(folder: pathlib.Path, beside_the_paper: bool = True) -> str:
    rows = (*TABLE1_ROWS, *_POLICY_ROWS)
    path = folder / "run" / "table1.json"
    return table(path, "Note RNN", rows, beside_the_paper)


def _of_another_prior(folder: pathlib.Path) -> str:
    return _of_melodies(folder, beside_the_paper=False)


def _of_molecules(folder: pathlib.Path) -> str:
    rows = (*TABLE2_ROWS, *DIVERSITY_ROWS, *_POLICY_ROWS)
    return table(folder / "run" / "table2.json", "SMILES RNN", rows)


_BY_VALUES = (*code_groups.VALUE_LEARNING, *_REPORT)
_MELODIES = (*_BY_VALUES, *code_groups.MELODY_TASK)
FIGURES = (
    Figure(
        name="table1_of_the_papers_note_rnn",
        commands=(
            _reproduce(
                *("run", f"--note_rnn_checkpoint_dir={_PAPERS_NOTE_RNN}"),
                *("--algorithms=q,psi,g,pure_rl", "--reference_g_update"),
                "--seeds=10",
            ),
        ),
        tables={"melody_rnn/README.md": _of_melodies},
        depends=_MELODIES,
        pictures={"run/figure2.png": "checkpoints/note_rnn/pictures/paper_figure2.png"},
    ),
    *(
        Figure(
            name=f"table1_of_the_shipped_note_rnn_{rules}",
            commands=(_reproduce("run", f"--rules={rules}", "--seeds=3"),),
            tables={"checkpoints/note_rnn/MODEL_CARD.md": _of_another_prior},
            depends=(*_MELODIES, *code_groups.NOTE_RNN),
        )
        for rules in ("paper", "corrected")
    ),
    Figure(
        name="table2",
        commands=(_reproduce("run", "--task=molecule", "--seeds=5"),),
        tables={"molecule_rnn/README.md": _of_molecules},
        depends=(
            *_BY_VALUES,
            *code_groups.MOLECULE_TASK,
            "checkpoints/smiles_rnn_paper/*.npz",
        ),
        pictures={
            "run/curves.png": f"{_PICTURES}/tuned_curves.png",
            "run/properties.png": f"{_PICTURES}/tuned_properties.png",
        },
    ),
)
