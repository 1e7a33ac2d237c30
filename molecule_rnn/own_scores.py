"""Components that are not of the paper's table: their rows and means beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from molecule_rnn.scoring.descriptors import COMPONENTS
from molecule_rnn.scoring.rewards import RewardSettings
from molecule_rnn.scoring.scoring_pool import Scores
from rl_tuner.metrics import Judgement, MetricRow

CUT_ROW = MetricRow("cut", "Cut at --max_length", "%", "lower")


def own_components(reward: RewardSettings) -> tuple[str, ...]:
    """What a reward is made of beside what every molecule is measured by."""
    return tuple(name for name in reward.reported_components if name not in COMPONENTS)


def own_rows(reward: RewardSettings) -> list[MetricRow]:
    """How the means of these are shown; higher is better where that is rewarded."""
    rewarded = reward.scored_components
    rows = []
    for name in own_components(reward):
        weight = reward.weight(name) if name in rewarded else 0.0
        better = "higher" if weight > 0 else "lower" if weight < 0 else ""
        rows.append(MetricRow(_metric(name), f"Mean {name}", "", better))
    return rows


def with_own_means(
    judgement: Judgement, scores: Scores, names: Sequence[str]
) -> Judgement:
    """Adds the means of components over molecules, their errors and sums.

    Args:
      judgement: of the strings that were scored.
      scores: of all of them.
      names: of the components.
    """
    metrics, errors = dict(judgement.metrics), dict(judgement.standard_errors)
    sums, squares = (dict(judgement.counts[key]) for key in ("sums", "sums_of_squares"))
    for name in names:
        values = scores.column(name)[scores.parsed].astype(float)
        is_empty = not len(values)
        metrics[_metric(name)] = math.nan if is_empty else float(values.mean())
        error = math.nan if is_empty else float(values.std()) / math.sqrt(len(values))
        errors[_metric(name)] = error
        sums[name] = float(values.sum())
        squares[name] = float((values * values).sum())
    counts = {**judgement.counts, "sums": sums, "sums_of_squares": squares}
    return Judgement(metrics, errors, counts)


def with_share_cut(judgement: Judgement, number: int, count: int) -> Judgement:
    """Adds how many of so many molecules are cut at the length limit, if any are."""
    if not number:
        return judgement
    metrics = {**judgement.metrics, CUT_ROW.name: 100.0 * number / count}
    return judgement._replace(
        metrics=metrics, counts={**judgement.counts, "num_cut": number}
    )


def _metric(name: str) -> str:
    return f"mean_{name}"
