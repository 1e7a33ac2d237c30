"""What rl_tuner_reproduce leaves of a grid: tables, figures and one page with all."""

from __future__ import annotations

import json
import pathlib

from rl_tuner import comparison, learning_figures, run_directory
from rl_tuner.comparison import Entry
from rl_tuner.evaluation import (
    generate_for_task,
    next_token_probabilities,
    sample_primes,
)
from rl_tuner.grid import MODEL_LABELS, REFERENCE_G, UNTUNED, GridRun, read_curves
from rl_tuner.grid_command import FinishedGrid
from rl_tuner.policy import Policy
from rl_tuner.training_run import CURVE_SEQUENCES
from rl_tuner.web_page import WebPage

PAGE_NAME = "index.html"
_MOVED = (
    "log p and KL of “G, reference update” are taken under its own Reward RNN, which "
    "has moved, as in the reference; log p under the untuned model is a row of its own."
)


def write_all(finished: FinishedGrid) -> str:
    """Writes table1.md, .csv and .json, figures 2 and 4, and the page.

    Returns:
      the table and its legend, in Markdown.
    """
    tables = {c: _entries(finished, c) for c in _constants(finished)}
    remarks = _remarks(finished)
    text = comparison.write_tables(
        finished.directory / "table1",
        _title(finished),
        remarks,
        {f"c = {c:g}": entries for c, entries in tables.items()},
        finished.experiment,
    )
    page = WebPage(_title(finished))
    page.paragraphs(remarks)
    for c, entries in tables.items():
        page.heading(f"Table 1, c = {c:g}")
        page.table(comparison.layout(entries, finished.experiment))
        page.paragraphs(comparison.legend(entries, finished.experiment))
        suffix = "" if len(tables) == 1 else f"_c{c:g}"
        page.heading(f"Figure 2, c = {c:g}")
        page.picture(
            _write_figure2(finished, c, f"figure2{suffix}.png"),
            "mean log p(a|s) and mean task reward along training",
        )
        page.heading(f"Figure 4, c = {c:g}")
        page.picture(
            _write_figure4(finished, c, f"figure4{suffix}.png"),
            "probability of every next token along one sequence",
        )
        page.heading(f"Samples, c = {c:g}")
        page.samples(_sample_folders(finished, c))
    page.heading("Settings, seeds and versions")
    page.text(json.dumps(finished.log, indent=2))
    page.write(finished.directory / PAGE_NAME)
    return text


def _constants(finished: FinishedGrid) -> list[float]:
    """The values of c, each once."""
    return list(dict.fromkeys(run.c for run in finished.runs))


def _runs_of(finished: FinishedGrid, c: float) -> dict[str, list[GridRun]]:
    """The runs by model, in the order of tables."""
    chosen = [run for run in finished.runs if run.c == c]
    models = [m for m in MODEL_LABELS if any(run.model == m for run in chosen)]
    return {m: [run for run in chosen if run.model == m] for m in models}


def _title(finished: FinishedGrid) -> str:
    steps = finished.runs[0].settings.training_steps
    return f"RL Tuner: {finished.task.name}, {steps:,} steps"


def _entries(finished: FinishedGrid, c: float) -> list[Entry]:
    runs = _runs_of(finished, c)
    directories = {UNTUNED: [finished.untuned_directory]} | {
        model: [run.directory for run in runs[model]] for model in runs
    }
    evaluations = {
        model: [run_directory.read_evaluation(folder) for folder in folders]
        for model, folders in directories.items()
    }
    rows = comparison.rows_of(finished.task, evaluations[UNTUNED][0])
    if REFERENCE_G not in evaluations:  # then it is the same as log_prior
        rows = [row for row in rows if row.name != "log_untuned"]
    return comparison.compare(c, evaluations, rows, finished.experiment)


def _remarks(finished: FinishedGrid) -> list[str]:
    run = finished.runs[0]
    seeds = sorted({run.seed for run in finished.runs})
    plural = "s" if len(seeds) > 1 else ""
    remarks = [
        f"Each tuned model was trained for {run.settings.training_steps:,} steps, with "
        f"seed{plural} {', '.join(map(str, seeds))}, and each model was measured on "
        f"{run.num_evaluated:,} sequences.",
        *finished.experiment.remarks(finished.task_settings),
    ]
    if any(run.model == REFERENCE_G for run in finished.runs):
        remarks.append(_MOVED)
    return remarks


def _write_figure2(finished: FinishedGrid, c: float, name: str) -> pathlib.Path:
    path = finished.directory / name
    runs = _runs_of(finished, c)
    curves = {
        finished.label(model): [read_curves(run) for run in runs[model]]
        for model in runs
    }
    one = next(iter(runs.values()))
    band = "; band: one standard deviation across seeds" if len(one) > 1 else ""
    title = f"Means over all tokens of {CURVE_SEQUENCES} sequences, c = {c:g}{band}"
    learning_figures.plot_rewards(curves, title, path)
    return path


def _write_figure4(finished: FinishedGrid, c: float, name: str) -> pathlib.Path:
    """Every model reads one melody: the first sample of one of the tuned ones."""
    path = finished.directory / name
    policies = {UNTUNED: Policy.of_prior(finished.prior)}
    for model, runs in _runs_of(finished, c).items():
        if model == "pure_rl":
            continue
        first = runs[0]
        policies[model] = run_directory.load_policy(first.directory, first.settings)
    author = next(m for m in ("psi", "q", "g", *policies) if m in policies)
    number = finished.runs[0].num_samples
    primes = sample_primes(finished.task, number, seed=1)[:1]
    sequences = generate_for_task(
        policies[author], finished.task, number, seed=1
    ).sequences[:1]
    probabilities = {
        finished.label(model): next_token_probabilities(policy, primes, sequences)[0]
        for model, policy in policies.items()
    }
    labels = finished.experiment.token_labels(finished.task.num_classes)
    title = (
        "Probability of every next token along one sequence (circles), "
        f"sample 1 of {finished.label(author)}"
    )
    learning_figures.plot_next_token(probabilities, sequences[0], labels, title, path)
    return path


def _sample_folders(finished: FinishedGrid, c: float) -> dict[str, pathlib.Path]:
    """The samples of the untuned model and of each tuned one's first seed."""
    folders = {UNTUNED: finished.untuned_directory} | {
        model: runs[0].directory for model, runs in _runs_of(finished, c).items()
    }
    return {
        finished.label(model): folder / "samples" for model, folder in folders.items()
    }
