"""The curves of a run: what the policy does, measured along its training."""

from __future__ import annotations

import csv
import pathlib

from rl_tuner.generation.evaluation import certificate_of, evaluate_policy
from rl_tuner.reports import tables
from rl_tuner.rl_tuner import RLTuner, TrainingProgress
from rl_tuner.runs import run_directory

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
_ON_POLICY_LABELS = {
    "loss": "loss",
    "gap": "distance to the optimum, nats a sequence",
    "reward_scaler": "1/c",
}
# That the distance to the optimum is estimated from, at a point of the curves.
CERTIFICATE_SEQUENCES = 4096


def measure(tuner: RLTuner, progress: TrainingProgress) -> dict[str, float]:
    """What the policy does now, measured on all tokens of some sequences."""
    measured = evaluate_policy(
        tuner.policy, tuner.task, CURVE_SEQUENCES, seed=progress.step
    ).metrics
    point = {
        "step": progress.step,
        "loss": progress.loss,
        "epsilon": progress.epsilon,
        **measured,
    }
    if tuner.algorithm.is_on_policy:
        certified = certificate_of(
            tuner.policy,
            tuner.task,
            CERTIFICATE_SEQUENCES,
            progress.step,
            tuner.reward_scaler,
        )
        point |= {"gap": certified.gap, "reward_scaler": tuner.reward_scaler}
    return point


def labels(tuner: RLTuner) -> dict[str, str]:
    """What is drawn, name -> title of its panel."""
    panels = {**CURVE_LABELS, **tuner.task.curve_panels}
    if tuner.algorithm.is_on_policy:
        panels |= _ON_POLICY_LABELS
    return panels


def write(
    curves: list[dict[str, float]], tuner: RLTuner, directory: pathlib.Path, title: str
) -> None:
    """Writes the points as a table and as a picture into a run's directory.

    What a point does not know, as how many molecules are cut where none is, is NaN.
    """
    names = dict.fromkeys(name for point in curves for name in point)
    with open(directory / run_directory.CURVES_NAME, "w", newline="") as file:
        writer = csv.DictWriter(file, list(names), restval="nan")
        writer.writeheader()
        writer.writerows(curves)
    path = directory / "curves.png"
    tables.plot_curves(curves, labels(tuner), title, path)
