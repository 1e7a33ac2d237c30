"""Significance of the differences between a tuned model and the untuned one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

# Two-sided.
LEVEL = 0.001


class Summary(NamedTuple):
    """A metric of a model, over its runs.

    Attributes:
      mean: over the runs.
      standard_error: of the mean, from the sampling of sequences alone; NaN if unknown.
      spread: standard deviation across runs, which differ in their seed; NaN of one.
      num_runs: how many runs there are.
    """

    mean: float
    standard_error: float
    spread: float
    num_runs: int


def summarize(values: Sequence[float], standard_errors: Sequence[float]) -> Summary:
    """Sums up a metric of several runs: its value and standard error in each."""
    number = len(values)
    return Summary(
        mean=float(np.mean(values)),
        standard_error=math.sqrt(float(np.sum(np.square(standard_errors)))) / number,
        spread=float(np.std(values, ddof=1)) if number > 1 else math.nan,
        num_runs=number,
    )


def p_value(difference: float, model: Summary, baseline: Summary) -> float:
    """Two-sided p of a difference between a model and the baseline, which is one run.

    Of one run it is the z test on both standard errors of sampling, which says that
    these two networks differ. Of several runs it is Welch's t test with the runs as
    units, which says that the training makes a difference; the variance across runs is
    taken to be no less than that of sampling.

    Returns:
      p; NaN where an error is unknown or both are 0.
    """
    from scipy import stats

    sampling = model.standard_error**2
    if model.num_runs > 1:
        across = model.spread**2 / model.num_runs
        own = across if math.isnan(sampling) else max(across, sampling)
    else:
        own = sampling
    variance = own + baseline.standard_error**2
    if not variance > 0:
        return math.nan
    statistic = abs(difference) / math.sqrt(variance)
    if model.num_runs == 1 or own == 0:
        return float(2 * stats.norm.sf(statistic))
    # Welch and Satterthwaite; the error of the untuned model is known well.
    freedom = variance**2 / (own**2 / (model.num_runs - 1))
    return float(2 * stats.t.sf(statistic, freedom))


def verdict(better: str, model: Summary, baseline: Summary) -> tuple[float, str]:
    """Compares a model with the baseline in the direction that counts.

    Args:
      better: `lower`, `higher` or `near zero`, which compares absolute values; empty
        where neither is.
      model: of a tuned model.
      baseline: of the untuned model.

    Returns:
      p, and `better` or `worse` where p is below `LEVEL`, else an empty string.
    """
    if better == "near zero":
        gain = abs(baseline.mean) - abs(model.mean)
    elif better == "lower":
        gain = baseline.mean - model.mean
    else:
        gain = model.mean - baseline.mean
    p = p_value(gain, model, baseline)
    if not better or not p < LEVEL:
        return p, ""
    return p, "better" if gain > 0 else "worse"
