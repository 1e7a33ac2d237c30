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
    finished: FinishedGrid, points: Sequence[Point], num_sequences: int
) -> list[Point]:
    """The optimum at each c: its reward and KL a token.

    Estimated from so many sequences of the prior, and from those of the tuned policies;
    each estimates log Z from below, since it knows nothing of what it does not sample:
    the greatest one counts. A c of which none carries an estimate is left out.
    """
    constants = sorted({float(point["c"]) for point in points})
    found: dict[float, tuple[float, float, float]] = {}
    of_prior = _of_prior(finished, constants, num_sequences) if num_sequences else {}
    for c, certified in of_prior.items():
        if math.isfinite(certified.log_z):
            reward, kl = certified.optimum_reward, certified.optimum_kl
            found[c] = certified.log_z, reward, kl
    for point in points:
        if "gap" in point and point["gap"] != "":
            log_z = float(point["objective"]) + float(point["gap"])
            c = float(point["c"])
            if c not in found or log_z > found[c][0]:
                reward, kl = float(point["optimum_reward"]), float(point["optimum_kl"])
                found[c] = log_z, reward, kl
    return [
        {"algorithm": OPTIMUM, "c": c, "kl": kl, "task_reward": reward}
        for c, (_, reward, kl) in sorted(found.items())
    ]


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
