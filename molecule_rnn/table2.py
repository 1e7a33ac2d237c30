"""Table 2 of Jaques et al. 2017: its rows, its figures, and ours with their errors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from rl_tuner.metrics import MetricRow

TABLE2_ROWS = (
    MetricRow("percent_valid", "Percent valid", "%", "higher"),
    MetricRow("mean_log_p", "Mean logP", "", "higher"),
    MetricRow("mean_qed", "Mean QED", "", "higher"),
    MetricRow("mean_sa_penalty", "Mean SA penalty", "", "higher"),
    MetricRow("mean_ring_penalty", "Mean ring penalty", "", "higher"),
)
# What the paper does not report, and a reader of its table should ask for.
DIVERSITY_ROWS = (
    MetricRow("unique_at_1k", "Unique of 1,000 molecules", "%", "higher"),
    MetricRow("unique_at_10k", "Unique of 10,000 molecules", "%", "higher"),
    MetricRow("novel", "Not in the training set", "%", "higher"),
    MetricRow("internal_diversity", "Internal diversity", "", "higher"),
    MetricRow("scaffolds", "Distinct scaffolds per molecule", "%", "higher"),
    MetricRow("passes_pains", "Without a PAINS alert", "%", "higher"),
    MetricRow("passes_filters", "Passes filters as MOSES's", "%", "higher"),
    MetricRow("nearest_neighbour", "Similarity to nearest training molecule (SNN)"),
    MetricRow("fragments", "Fragments as in the training set (Frag)"),
    MetricRow("scaffold_counts", "Scaffolds as in the training set (Scaf)"),
)


def _column(*figures: float) -> dict[str, float]:
    return {row.name: x for row, x in zip(TABLE2_ROWS, figures, strict=True)}


# As printed. The table's header says Q; the text says that Psi is what is reported.
PAPER_TABLE2 = {
    "SMILES RNN": _column(30.3, 2.07, 0.678, -2.77, -0.096),
    "Psi": _column(35.8, 4.21, 0.417, -1.79, -0.001),
}

# Component, and its sign in the table.
_MEANS = {
    "mean_log_p": ("log_p", 1.0),
    "mean_qed": ("qed", 1.0),
    "mean_sa_penalty": ("sa", -1.0),
    "mean_ring_penalty": ("ring", 1.0),
}


def table2_metrics(stats: Mapping[str, Any]) -> dict[str, float]:
    """Computes the metrics of Table 2, and of diversity.

    Args:
      stats: what `metrics.molecule_stats` returned.

    Returns:
      {row name: figure} in the order of `TABLE2_ROWS`, then `DIVERSITY_ROWS`;
      percentages where the row's unit is "%"; means are over valid molecules, and the
      SA penalty is minus the SA score. NaN where there is nothing to divide by, and
      for uniqueness where there are too few molecules; `novel` is left out without a
      training set.
    """
    valid = stats["num_valid"]
    figures = {"percent_valid": _percent(valid, stats["num_strings"])}
    for name, (component, sign) in _MEANS.items():
        figures[name] = sign * _ratio(stats["sums"][component], valid)
    for size, count in stats["num_unique"].items():
        share = math.nan if count is None else _percent(count, int(size))
        figures[f"unique_at_{int(size) // 1000}k"] = share
    if stats["num_novel"] is not None:
        figures["novel"] = _percent(stats["num_novel"], stats["num_distinct"])
    figures["internal_diversity"] = stats["internal_diversity"]
    figures["scaffolds"] = _percent(stats["num_scaffolds"], valid)
    figures["passes_pains"] = _percent(stats["num_passing"], stats["num_filtered"])
    figures["passes_filters"] = _percent(stats["num_accepted"], stats["num_filtered"])
    if (compared := stats["compared"]) is not None:
        total, _ = compared["nearest"]
        similar = {
            "nearest_neighbour": _ratio(total, compared["number"]),
            "fragments": compared["fragments"],
            "scaffold_counts": compared["scaffolds"],
        }
        figures |= {k: math.nan if x is None else x for k, x in similar.items()}
    return figures


def table2_standard_errors(stats: Mapping[str, Any]) -> dict[str, float]:
    """Computes the standard errors of those metrics that are means over molecules.

    Args:
      stats: what `metrics.molecule_stats` returned.

    Returns:
      {row name: standard error} in the units of `table2_metrics`; NaN where it is not
      defined. Molecules are taken as independent, and shares as binomial.
    """
    valid = stats["num_valid"]
    errors = {"percent_valid": _binomial_error(valid, stats["num_strings"])}
    for name, (component, _) in _MEANS.items():
        mean = _ratio(stats["sums"][component], valid)
        square = _ratio(stats["sums_of_squares"][component], valid)
        errors[name] = math.sqrt(_ratio(max(square - mean * mean, 0.0), valid))
    for name, count in (("pains", "num_passing"), ("filters", "num_accepted")):
        error = _binomial_error(stats[count], stats["num_filtered"])
        errors[f"passes_{name}"] = error
    if (compared := stats["compared"]) is not None:
        total, squares = compared["nearest"]
        number = compared["number"]
        mean = _ratio(total, number)
        spread = _ratio(squares, number) - mean * mean
        errors["nearest_neighbour"] = math.sqrt(_ratio(max(spread, 0.0), number))
    return errors


def _binomial_error(count: int, number: int) -> float:
    share = _ratio(count, number)
    return 100.0 * math.sqrt(_ratio(share * (1.0 - share), number))


def _percent(count: float, number: float) -> float:
    return 100.0 * _ratio(count, number)


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else math.nan
