"""The exact optimum of KL control, as far as samples tell it: see `certificate`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rl_tuner.generation import evaluation
from rl_tuner.generation.certificate import Certificate, certify
from rl_tuner.generation.policy import Policy
from rl_tuner.reports.models import OPTIMUM
from rl_tuner.sequence_ends import is_token

if TYPE_CHECKING:
    from rl_tuner.reports.tradeoff import Point
    from rl_tuner.runs.finished_grid import FinishedGrid


def optimum_points(
    finished: FinishedGrid,
    points: Sequence[Point],
    num_sequences: int,
    known: Sequence[Point] = (),
) -> list[Point]:
    """The optimum at each c: its objective log Z, reward and KL a token.

    Estimated from so many sequences of the prior, and from those of the tuned policies;
    each estimates log Z from below, since it knows nothing of what it does not sample:
    the greatest one counts. A c of which none carries an estimate is left out.

    Args:
      finished: whose prior is asked.
      points: whose own sequences may tell the optimum.
      num_sequences: of the prior; 0 for none.
      known: optima that other points have told.
    """
    constants = sorted({float(point["c"]) for point in points})
    of_prior = _of_prior(finished, constants, num_sequences) if num_sequences else {}
    estimates = [
        _optimum(c, certified.log_z, certified.optimum_reward, certified.optimum_kl)
        for c, certified in of_prior.items()
        if math.isfinite(certified.log_z)
    ]
    for point in points:
        if point.get("gap", "") != "":
            log_z = float(point["objective"]) + float(point["gap"])
            reward, kl = float(point["optimum_reward"]), float(point["optimum_kl"])
            estimates.append(_optimum(float(point["c"]), log_z, reward, kl))
    estimates += [point for point in known if point["c"] in constants]
    best: dict[float, Point] = {}
    for estimate in sorted(estimates, key=lambda point: float(point["objective"])):
        best[float(estimate["c"])] = estimate
    return [best[c] for c in sorted(best)]


def distances(points: Sequence[Point], optima: Sequence[Point]) -> list[Point]:
    """The points with `gap`, the distance of each one's objective to the optimum's.

    So what a policy leaves is known also where its own sequences are too unlike those
    of the optimum to tell. It is left out where nothing tells the optimum.
    """
    log_z = {float(point["c"]): float(point["objective"]) for point in optima}
    found = []
    for point in points:
        others = {name: value for name, value in point.items() if name != "gap"}
        c = float(point["c"])
        if c in log_z and "objective" in point:
            others["gap"] = log_z[c] - float(point["objective"])
        found.append(others)
    return found


def _optimum(c: float, log_z: float, reward: float, kl: float) -> Point:
    return {
        "algorithm": OPTIMUM,
        "c": c,
        "objective": log_z,
        "gap": 0.0,
        "kl": kl,
        "task_reward": reward,
    }


def _of_prior(
    finished: FinishedGrid, constants: Sequence[float], num_sequences: int
) -> dict[float, Certificate]:
    """Of each c, from the prior's own sequences, reweighted by exp(R/c)."""
    task = finished.task
    generated = evaluation.generate_for_task(
        Policy.of_prior(finished.prior), task, num_sequences, seed=1
    )
    is_real = is_token(generated.sequences, task.end_token)
    rewards = np.where(is_real, task.rewards(generated.sequences), 0.0).sum(axis=1)
    nothing = np.zeros(num_sequences)  # log p - log pi, which are the same
    primers = evaluation.sample_primes(task, num_sequences, 1).numpy()
    lengths = is_real.sum(axis=1)
    return {
        c: certify(rewards, nothing, nothing, lengths, primers, 1.0 / c)
        for c in constants
    }
