"""The guard rail of training: a loss that is not finite, or that explodes."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from rl_tuner.errors import UserError

# Errors ten times as large as any value should be.
FACTOR = 100.0
# Where there are no rewards, values are still those of the prior's logits.
_LEAST_REWARD = 10.0
# A discount rate of 1 without a terminal state would allow values without a bound.
_LONGEST_HORIZON = 100.0


class Diverged(UserError):
    """The training came to nothing; says at which step, and what to try."""


def check(
    step: int,
    loss: float,
    limit: float,
    weights: Iterable[np.ndarray],
) -> None:
    """Proves that a stretch of training did no harm.

    Args:
      step: environment steps so far.
      loss: the mean of the stretch.
      limit: what it must not exceed.
      weights: of the networks that were trained.

    Raises:
      Diverged: the loss or a weight is not finite, or the loss explodes.
    """
    remedy = "a smaller learning_rate, reward_scaler or discount_rate"
    if not math.isfinite(loss):
        raise Diverged(f"the loss is {loss} at step {step}; try {remedy}")
    if not all(np.isfinite(array).all() for array in weights):
        raise Diverged(f"a weight is not finite at step {step}; try {remedy}")
    if loss > limit:
        raise Diverged(
            f"the loss explodes: at step {step} it is {loss:.3g}, over the limit of "
            f"{limit:.3g} that the size of the rewards sets; try {remedy}"
        )


def limit(rewards: np.ndarray, discount_rate: float) -> float:
    """The mean squared temporal difference error that says that training diverged.

    FACTOR (H r)^2: r is the largest of the remembered rewards, and at least 10, and
    H = 1 / (1 - gamma) the horizon, at most 100 steps, so that no value should exceed
    H r. It is far above what any healthy run shows.

    Args:
      rewards: [M], the total rewards in the replay memory.
      discount_rate: gamma.
    """
    horizon = 1.0 / max(1.0 - discount_rate, 1.0 / _LONGEST_HORIZON)
    largest = float(np.max(np.abs(rewards), initial=_LEAST_REWARD))
    return FACTOR * (horizon * largest) ** 2
