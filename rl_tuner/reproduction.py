"""What rl_tuner_reproduce leaves of a grid: tables, figures and one page with all."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from collections.abc import Sequence
from typing import Any

from rl_tuner import comparison, learning_figures, run_directory
from rl_tuner.comparison import Entry
from rl_tuner.evaluation import (
    generate_for_task,
    next_token_probabilities,
    sample_primes,
)
from rl_tuner.experiment import Experiment
from rl_tuner.grid import MODEL_LABELS, REFERENCE_G, UNTUNED, GridRun, read_curves
from rl_tuner.policy import Policy
from rl_tuner.sequence_rnn import SequenceRNN
from rl_tuner.task import Task
from rl_tuner.training_run import CURVE_SEQUENCES
from rl_tuner.web_page import WebPage

PAGE_NAME = "index.html"
_MOVED = (
    "log p and KL of “G, reference update” are taken under its own Reward RNN, which "
    "has moved, as in the reference; log p under the untuned model is a row of its own."
)


@dataclasses.dataclass(frozen=True)
class Reproduction:
    """A finished grid.

    Attributes:
      directory: where to write; `untuned/` there holds the untuned model's evaluation.
      task: the task.
      task_settings: what the world made it of.
      experiment: knows what was published.
      prior: the untuned model.
      runs: of the grid, all complete.
    """

    directory: pathlib.Path
    task: Task
    task_settings: dict[str, Any]
    experiment: Experiment
    prior: SequenceRNN
    runs: Sequence[GridRun]

    @property
    def constants(self) -> list[float]:
        """The values of c, each once."""
        return list(dict.fromkeys(run.c for run in self.runs))

    def runs_of(self, c: float) -> dict[str, list[GridRun]]:
        """The runs by model, in the order of tables."""
        chosen = [run for run in self.runs if run.c == c]
        models = [m for m in MODEL_LABELS if any(run.model == m for run in chosen)]
        return {m: [run for run in chosen if run.model == m] for m in models}

    def label(self, model: str) -> str:
        """What a model is called."""
        return self.experiment.prior_label if model == UNTUNED else MODEL_LABELS[model]


def write_all(reproduction: Reproduction, log: dict[str, Any]) -> str:
    """Writes table1.md, .csv and .json, figures 2 and 4, and the page.

    Args:
      reproduction: what is reported.
      log: every setting, seed and version, for the page.

    Returns:
      the table and its legend, in Markdown.
    """
    tables = {c: _entries(reproduction, c) for c in reproduction.constants}
    remarks = _remarks(reproduction)
    text = comparison.write_tables(
        reproduction.directory / "table1",
        _title(reproduction),
        remarks,
        {f"c = {c:g}": entries for c, entries in tables.items()},
        reproduction.experiment,
    )
    page = WebPage(_title(reproduction))
    page.paragraphs(remarks)
    for c, entries in tables.items():
        page.heading(f"Table 1, c = {c:g}")
        page.table(comparison.layout(entries, reproduction.experiment))
        page.paragraphs(comparison.legend(entries, reproduction.experiment))
        suffix = "" if len(tables) == 1 else f"_c{c:g}"
        page.heading(f"Figure 2, c = {c:g}")
        page.picture(
            _write_figure2(reproduction, c, f"figure2{suffix}.png"),
            "mean log p(a|s) and mean task reward along training",
        )
        page.heading(f"Figure 4, c = {c:g}")
        page.picture(
            _write_figure4(reproduction, c, f"figure4{suffix}.png"),
            "probability of every next token along one sequence",
        )
        page.heading(f"Samples, c = {c:g}")
        page.samples(_sample_folders(reproduction, c))
    page.heading("Settings, seeds and versions")
    page.text(json.dumps(log, indent=2))
    page.write(reproduction.directory / PAGE_NAME)
    return text


def _title(reproduction: Reproduction) -> str:
    steps = reproduction.runs[0].settings.training_steps
    return f"RL Tuner: {reproduction.task.name}, {steps:,} steps"


def _entries(reproduction: Reproduction, c: float) -> list[Entry]:
    runs = reproduction.runs_of(c)
    directories = {UNTUNED: [reproduction.directory / UNTUNED]} | {
        model: [run.directory for run in runs[model]] for model in runs
    }
    evaluations = {
        model: [run_directory.read_evaluation(folder) for folder in folders]
        for model, folders in directories.items()
    }
    rows = comparison.rows_of(reproduction.task, evaluations[UNTUNED][0])
    if REFERENCE_G not in evaluations:  # then it is the same as log_prior
        rows = [row for row in rows if row.name != "log_untuned"]
    return comparison.compare(c, evaluations, rows, reproduction.experiment)


def _remarks(reproduction: Reproduction) -> list[str]:
    run = reproduction.runs[0]
    seeds = sorted({run.seed for run in reproduction.runs})
    remarks = [
        f"Each tuned model was trained for {run.settings.training_steps:,} steps, with "
        f"seed {', '.join(map(str, seeds))}, and each model was measured on "
        f"{run.num_evaluated:,} sequences.",
        *reproduction.experiment.remarks(reproduction.task_settings),
    ]
    if any(run.model == REFERENCE_G for run in reproduction.runs):
        remarks.append(_MOVED)
    return remarks


def _write_figure2(reproduction: Reproduction, c: float, name: str) -> pathlib.Path:
    path = reproduction.directory / name
    runs = reproduction.runs_of(c)
    curves = {
        reproduction.label(model): [read_curves(run) for run in runs[model]]
        for model in runs
    }
    one = next(iter(runs.values()))
    band = "; band: one standard deviation across seeds" if len(one) > 1 else ""
    title = f"Means over all tokens of {CURVE_SEQUENCES} sequences, c = {c:g}{band}"
    learning_figures.plot_rewards(curves, title, path)
    return path


def _write_figure4(reproduction: Reproduction, c: float, name: str) -> pathlib.Path:
    """Every model reads one melody: the first sample of one of the tuned ones."""
    path = reproduction.directory / name
    policies = {UNTUNED: Policy.of_prior(reproduction.prior)}
    for model, runs in reproduction.runs_of(c).items():
        if model == "pure_rl":
            continue
        first = runs[0]
        policies[model] = run_directory.load_policy(first.directory, first.settings)
    author = next(m for m in ("psi", "q", "g", *policies) if m in policies)
    number = reproduction.runs[0].num_samples
    primes = sample_primes(reproduction.task, number, seed=1)[:1]
    sequences = generate_for_task(
        policies[author], reproduction.task, number, seed=1
    ).sequences[:1]
    probabilities = {
        reproduction.label(model): next_token_probabilities(policy, primes, sequences)[
            0
        ]
        for model, policy in policies.items()
    }
    labels = reproduction.experiment.token_labels(reproduction.task.num_classes)
    title = (
        "Probability of every next token along one sequence (circles), "
        f"sample 1 of {reproduction.label(author)}"
    )
    learning_figures.plot_next_token(probabilities, sequences[0], labels, title, path)
    return path


def _sample_folders(reproduction: Reproduction, c: float) -> dict[str, pathlib.Path]:
    """The samples of the untuned model and of each tuned one's first seed."""
    folders = {UNTUNED: reproduction.directory} | {
        model: runs[0].directory for model, runs in reproduction.runs_of(c).items()
    }
    return {
        reproduction.label(model): (folder / UNTUNED if model == UNTUNED else folder)
        / "samples"
        for model, folder in folders.items()
    }
