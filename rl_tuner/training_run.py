"""One tuning run from start to end: training, curves, networks, samples, tables."""

from __future__ import annotations

import csv
import dataclasses
import functools
import json
import math
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from rl_tuner import reports, run_directory
from rl_tuner.diversity import Corpus
from rl_tuner.evaluation import evaluate_policy, generate_for_task
from rl_tuner.policy import Policy
from rl_tuner.rl_tuner import RLTuner, TrainingProgress
from rl_tuner.sequence_rnn import SequenceRNN
from rl_tuner.task import Task

# Environment steps between looks at the clock: about a second's worth.
REPORT_EVERY = 10_000
# Melodies that a point of the curves is measured on, as in Jaques et al. 2016.
CURVE_SEQUENCES = 100

CURVE_LABELS = {
    "task_reward": "task reward a token",
    "log_prior": "log p(a|s) under the prior",
    "kl": "KL(policy || prior), nats",
    "entropy": "entropy of the policy, nats",
    "unique": f"unique of {CURVE_SEQUENCES} sequences, %",
    "loss": "squared temporal difference error",
}


@dataclasses.dataclass(frozen=True)
class Outputs:
    """What a run measures and leaves.

    Attributes:
      directory: where to.
      curve_every: environment steps between points of the curves.
      num_samples: sequences that are written.
      num_evaluated: sequences that the closing table is measured on.
      title: of the figures.
    """

    directory: pathlib.Path
    curve_every: int
    num_samples: int
    num_evaluated: int
    title: str


def run(
    tuner: RLTuner,
    prior: SequenceRNN,
    num_steps: int,
    outputs: Outputs,
    corpus: Corpus | None = None,
) -> dict[str, dict[str, float]]:
    """Trains, and writes all that the run leaves into its directory.

    Progress goes to standard error. Sampled before and after the training, the
    sequences come from the same seeds. With the corpus that the prior was trained on,
    those that are copied from it are counted.

    Returns:
      the metrics `before` and `after`, as in `evaluation.evaluate_policy`.
    """
    task, directory = tuner.task, outputs.directory
    untuned = Policy.of_prior(prior)
    before = evaluate_policy(untuned, task, outputs.num_evaluated, corpus=corpus)
    samples = directory / "samples"
    write_samples(untuned, task, outputs.num_samples, samples / "before", "untuned")
    with tqdm(total=num_steps, unit=" steps", smoothing=0.1) as bar:
        train_and_save(tuner, num_steps, outputs, functools.partial(_show, bar))
    write_samples(
        tuner.policy, task, outputs.num_samples, samples / "after", outputs.title
    )
    after = evaluate_policy(tuner.policy, task, outputs.num_evaluated, corpus=corpus)
    metrics = {"before": before, "after": after}
    _write_metrics(metrics, task, directory)
    return metrics


def table(metrics: Mapping[str, Mapping[str, float]], task: Task) -> str:
    """The task's metrics and the policy's, before and after, in Markdown."""
    rows = [*task.metric_rows(), *reports.POLICY_ROWS]
    return reports.comparison_table(rows, metrics)


def train_and_save(
    tuner: RLTuner,
    num_steps: int,
    outputs: Outputs,
    report: Callable[[TrainingProgress], None],
) -> None:
    """Trains, and leaves the networks and then the curves in the run's directory.

    Args:
      tuner: what is trained.
      num_steps: environment steps.
      outputs: where to, and how often the curves are measured.
      report: hears of the progress about once a second.
    """
    curves = _train(tuner, num_steps, outputs, report)
    run_directory.save_networks(outputs.directory, tuner)
    _write_curves(curves, outputs)


def write_samples(
    policy: Policy, task: Task, number: int, directory: pathlib.Path, title: str
) -> np.ndarray:
    """Writes sequences as the task does; the same ones every time: [number, T]."""
    directory.mkdir(parents=True, exist_ok=True)
    sequences = generate_for_task(policy, task, number, seed=1).sequences
    task.write_samples(sequences, directory, title)
    return sequences


def _train(
    tuner: RLTuner,
    num_steps: int,
    outputs: Outputs,
    report: Callable[[TrainingProgress], None],
) -> list[dict[str, float]]:
    """Trains; returns the points of the curves."""
    start = TrainingProgress(0, math.nan, math.nan, math.nan, math.nan)
    curves = [_curve_point(tuner, start)]
    writer = tf.summary.create_file_writer(str(outputs.directory / "tensorboard"))
    stretch = min(REPORT_EVERY, outputs.curve_every)

    def note(progress: TrainingProgress) -> None:
        report(progress)
        for name in ("task_reward", "log_prior", "loss", "epsilon"):
            value = getattr(progress, name)
            tf.summary.scalar(f"training/{name}", value, progress.step)
        due = len(curves) * outputs.curve_every
        if progress.step >= min(due, num_steps):
            curves.append(_curve_point(tuner, progress))
            for name in ("task_reward", "log_prior", "kl", "entropy", "unique"):
                value = curves[-1][name]
                tf.summary.scalar(f"evaluation/{name}", value, progress.step)

    with writer.as_default():
        tuner.train(num_steps, note, stretch)
    writer.close()
    return curves


def _show(bar: tqdm, progress: TrainingProgress) -> None:
    """Moves the progress bar."""
    bar.set_postfix(
        {
            "reward": f"{progress.task_reward:.2f}",
            "log p": f"{progress.log_prior:.2f}",
            "epsilon": f"{progress.epsilon:.2f}",
            "loss": f"{progress.loss:.1f}",
        },
        refresh=False,
    )
    bar.update(min(progress.step, bar.total) - bar.n)


def _curve_point(tuner: RLTuner, progress: TrainingProgress) -> dict[str, float]:
    """What the policy does now, measured on all tokens of some sequences."""
    measured = evaluate_policy(
        tuner.policy, tuner.task, CURVE_SEQUENCES, seed=progress.step
    )
    return {
        "step": progress.step,
        "loss": progress.loss,
        "epsilon": progress.epsilon,
        **measured,
    }


def _write_curves(curves: list[dict[str, float]], outputs: Outputs) -> None:
    with open(outputs.directory / "curves.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, list(curves[0]))
        writer.writeheader()
        writer.writerows(curves)
    path = outputs.directory / "curves.png"
    reports.plot_curves(curves, CURVE_LABELS, outputs.title, path)


def _write_metrics(
    metrics: dict[str, Any], task: Task, directory: pathlib.Path
) -> None:
    (directory / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    (directory / "metrics.md").write_text(table(metrics, task) + "\n")
