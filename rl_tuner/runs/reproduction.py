"""What rl_tuner_reproduce leaves of a grid: tables, figures and one page with all."""

from __future__ import annotations

import json
import pathlib
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from rl_tuner.config import RLTunerConfig
from rl_tuner.errors import UserError
from rl_tuner.generation.evaluation import (
    generate_for_task,
    next_token_probabilities,
    sample_primes,
)
from rl_tuner.generation.evaluation import remarks as evaluation_remarks
from rl_tuner.generation.policy import Policy
from rl_tuner.metrics import Evaluation
from rl_tuner.reports import comparison, figures
from rl_tuner.reports.comparison import Entry
from rl_tuner.reports.models import REFERENCE_G, UNTUNED, in_order
from rl_tuner.reports.publication import Picture
from rl_tuner.reports.web_page import PAGE_NAME, WebPage
from rl_tuner.runs import run_directory
from rl_tuner.runs.curves import CURVE_SEQUENCES
from rl_tuner.runs.finished_grid import FinishedGrid
from rl_tuner.runs.grid import GridRun, read_curves
from rl_tuner.sequence_ends import sequence_lengths

TRAINING_DATA = "training data"
# Sequences of a corpus that are measured beside those of models.
_MAX_CORPUS = 10_000
_MOVED = (
    "log p and KL of “G, reference update” are taken under its own Reward RNN, which "
    "has moved, as in the reference; log p under the untuned model is a row of its own."
)


def write_all(finished: FinishedGrid, corpus: Sequence[Any] | None = None) -> str:
    """Writes the table as .md, .csv and .json, the figures, and the page.

    Args:
      finished: what was trained and measured.
      corpus: what the prior was trained on, as of `World.read_corpus`, to draw beside
        the models.

    Returns:
      the table and its legend, in Markdown.
    """
    publication = finished.publication
    training_data = {} if corpus is None else _measure_corpus(finished, corpus)
    tables = {c: _entries(finished, c) for c in _constants(finished)}
    remarks = _remarks(finished)
    text = comparison.write_tables(
        finished.directory / _file_stem(publication.table_title),
        _title(finished),
        remarks,
        {f"c = {c:g}": entries for c, entries in tables.items()},
        publication,
    )
    page = WebPage(_title(finished))
    page.paragraphs(remarks)
    for c, entries in tables.items():
        page.heading(f"{publication.table_title}, c = {c:g}")
        page.table(comparison.layout(entries, publication))
        page.paragraphs(comparison.legend(entries, publication))
        suffix = "" if len(tables) == 1 else f"_c{c:g}"
        measured = {finished.label(m): e for m, e in _evaluations(finished, c).items()}
        pictures = [
            _draw_learning(finished, c, suffix),
            _draw_next_token(finished, c, suffix),
            *publication.draw_more(
                training_data | measured, finished.directory, suffix
            ),
        ]
        for picture in pictures:
            page.heading(f"{picture.title}, c = {c:g}")
            page.picture(picture.path, picture.description)
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
    models = in_order(run.model for run in chosen)
    return {m: [run for run in chosen if run.model == m] for m in models}


def _title(finished: FinishedGrid) -> str:
    steps = finished.runs[0].settings.training_steps
    return f"RL Tuner: {finished.task.name}, {steps:,} steps"


def _file_stem(title: str) -> str:
    """A figure's title as the name of its file: figure2, next_tokens."""
    return re.sub(r" (?=\d)", "", title).replace(" ", "_").lower()


def _evaluations(finished: FinishedGrid, c: float) -> dict[str, list[Evaluation]]:
    """What was measured of each model's runs, the untuned model first."""
    runs = _runs_of(finished, c)
    directories = {UNTUNED: [finished.untuned_directory]} | {
        model: [run.directory for run in runs[model]] for model in runs
    }
    return {
        model: [run_directory.needed_evaluation(folder) for folder in folders]
        for model, folders in directories.items()
    }


def _measure_corpus(
    finished: FinishedGrid, corpus: Sequence[Any]
) -> dict[str, list[Evaluation]]:
    """Evaluates some of the training sequences under the task."""
    task = finished.task
    length, end = task.max_length, task.end_token
    corpus = task.from_corpus(corpus)
    rows: list[Any]
    if any(isinstance(sequence, str) for sequence in corpus):
        rows = list(corpus)
    elif end is None:
        rows = [sequence[:length] for sequence in corpus if len(sequence) >= length]
    else:
        rows = [[*s, *[end] * (length - len(s))] for s in corpus if len(s) <= length]
    if not rows:
        raise UserError(
            f"--corpus_dir holds no sequence of the task's length, {length}; name "
            "what the model was trained on"
        )
    chosen = rows[:: -(-len(rows) // _MAX_CORPUS)]
    if isinstance(chosen[0], str):
        metrics, errors, counts = task.judge_lines(chosen)
    else:
        metrics, errors, counts = task.judge(np.array(chosen, np.int32))
    measured = Evaluation(len(chosen), 0, metrics, errors, counts)
    folder = finished.directory / _file_stem(TRAINING_DATA)
    folder.mkdir(exist_ok=True)
    run_directory.write_evaluation(folder, measured)
    return {TRAINING_DATA: [measured]}


def _entries(finished: FinishedGrid, c: float) -> list[Entry]:
    evaluations = _evaluations(finished, c)
    rows = comparison.rows_of(finished.task, evaluations[UNTUNED][0])
    if REFERENCE_G not in evaluations:  # then it is the same as log_prior
        rows = [row for row in rows if row.name != "log_untuned"]
    return comparison.compare(c, evaluations, rows, finished.publication)


def _remarks(finished: FinishedGrid) -> list[str]:
    run = finished.runs[0]
    seeds = sorted({run.seed for run in finished.runs})
    plural = "s" if len(seeds) > 1 else ""
    remarks = [
        f"Each tuned model was trained for {run.settings.training_steps:,} steps, with "
        f"seed{plural} {', '.join(map(str, seeds))}, and each model was measured on "
        f"{run.num_evaluated:,} sequences.",
        *evaluation_remarks(finished.task, run.num_evaluated),
        *finished.task.remarks(),
    ]
    if any(run.model == REFERENCE_G for run in finished.runs):
        remarks.append(_MOVED)
    return remarks


def _draw_learning(finished: FinishedGrid, c: float, suffix: str) -> Picture:
    publication = finished.publication
    title = publication.curves_title
    path = finished.directory / f"{_file_stem(title)}{suffix}.png"
    panels = {**figures.REWARD_PANELS, **finished.task.curve_panels}
    runs = _runs_of(finished, c)
    curves = {
        finished.label(model): [read_curves(run) for run in runs[model]]
        for model in runs
    }
    one = next(iter(runs.values()))
    band = "; band: one standard deviation across seeds" if len(one) > 1 else ""
    heading = f"Means over {CURVE_SEQUENCES} sequences, c = {c:g}{band}"
    figures.plot_learning(curves, panels, heading, path)
    return Picture(title, path, "; ".join(panels.values()) + ", along training")


def _draw_next_token(finished: FinishedGrid, c: float, suffix: str) -> Picture:
    """Every model reads one sequence: the first sample of one of the tuned ones."""
    title = finished.publication.next_token_title
    path = finished.directory / f"{_file_stem(title)}{suffix}.png"
    policies = {UNTUNED: Policy.of_prior(finished.prior)}
    for model, runs in _runs_of(finished, c).items():
        policy = run_directory.load_policy(runs[0].directory, runs[0].settings)
        if policy.algorithm.has_kl_control:
            policies[model] = policy
    preferred = (RLTunerConfig().algorithm, *in_order(policies)[1:], UNTUNED)
    author = next(model for model in preferred if model in policies)
    number = finished.runs[0].num_samples
    primes = sample_primes(finished.task, number, seed=1)[:1]
    sequences = generate_for_task(
        policies[author], finished.task, number, seed=1
    ).sequences[:1]
    sequences = sequences[:, : sequence_lengths(sequences, finished.task.end_token)[0]]
    probabilities = {
        finished.label(model): next_token_probabilities(policy, primes, sequences)[0]
        for model, policy in policies.items()
    }
    labels = finished.task.token_labels()
    heading = (
        "Probability of every next token along one sequence (circles), "
        f"sample 1 of {finished.label(author)}"
    )
    figures.plot_next_token(probabilities, sequences[0], labels, heading, path)
    return Picture(title, path, "probability of every next token along one sequence")


def _sample_folders(finished: FinishedGrid, c: float) -> dict[str, pathlib.Path]:
    """The samples of the untuned model and of each tuned one's first seed."""
    folders = {UNTUNED: finished.untuned_directory} | {
        model: runs[0].directory for model, runs in _runs_of(finished, c).items()
    }
    return {
        finished.label(model): folder / "samples" for model, folder in folders.items()
    }
