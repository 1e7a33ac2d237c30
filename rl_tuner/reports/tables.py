"""Tables and figures of tuning runs."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence

from rl_tuner.metrics import MetricRow
from rl_tuner.reports import drawing

# What `evaluation.evaluate_policy` measures in any world.
POLICY_ROWS = (
    MetricRow("task_reward", "Mean task reward a token", "", "higher"),
    MetricRow("log_prior", "Mean log p under the prior", "", "higher"),
    MetricRow("log_untuned", "Mean log p under the untuned model", "", "higher"),
    MetricRow("kl", "Mean KL to the prior (nats a token)"),
    MetricRow("entropy", "Mean entropy of the policy (nats)"),
    MetricRow("unique", "Unique sequences", "%", "higher"),
    MetricRow("copied", "Found verbatim in the corpus", "%", "lower"),
    MetricRow("held_c", "c that the target KL came to"),
    MetricRow("objective", "Objective, E[R/c] - KL (nats a sequence)", "", "higher"),
    MetricRow("gap", "Distance to the optimum (nats a sequence)", "", "lower"),
    MetricRow("effective_share", "Effective samples of the optimum", "%"),
    MetricRow("optimum_reward", "The optimum's task reward a token"),
    MetricRow("optimum_kl", "The optimum's KL to the prior (nats a token)"),
)
# Of these a table says so where the samples do not carry them.
_UNCERTAIN = ("gap", "optimum_reward", "optimum_kl")


def comparison_table(
    rows: Sequence[MetricRow], columns: Mapping[str, Mapping[str, float]]
) -> str:
    """A Markdown table of metrics, a row each, and models, a column each.

    Args:
      rows: what to show, in order; those that no column has are left out.
      columns: metrics by name, by the model's name.
    """
    table = [["Metric", *columns, "better"]]
    measured = set().union(*columns.values())
    if "objective" in measured:
        measured |= {"gap"}
    for row in (row for row in rows if row.name in measured):
        figures = [_figure(row, metrics) for metrics in columns.values()]
        table.append([row.label, *figures, row.better])
    return markdown_table(table)


def markdown_table(table: Sequence[Sequence[str]]) -> str:
    """Lays out cells [rows, columns], the first row a header, for people to read.

    A bar within a cell is escaped: it would begin another.
    """
    table = [[cell.replace("|", r"\|") for cell in cells] for cells in table]
    # At least two: a rule needs a dash before its colon.
    widths = [max(2, *map(len, column)) for column in zip(*table, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = []
    for cells in [table[0], rule, *table[1:]]:
        first, *others = cells
        padded = [first.ljust(widths[0])]
        padded += [c.rjust(w) for c, w in zip(others, widths[1:], strict=True)]
        lines.append("| " + " | ".join(padded) + " |")
    return "\n".join(lines)


def _figure(row: MetricRow, metrics: Mapping[str, float]) -> str:
    if row.name in _UNCERTAIN and "objective" in metrics and row.name not in metrics:
        return "unknown"
    return format_figure(metrics.get(row.name, math.nan), row.unit)


def format_figure(value: float, unit: str = "") -> str:
    """Two decimals, or enough for two digits of a small number."""
    if not math.isfinite(value):
        return "-"
    decimals = 2
    if 1e-6 <= abs(value) < 0.01:
        decimals = 1 - math.floor(math.log10(abs(value)))
    return f"{value:.{decimals}f}{unit}"


def plot_curves(
    curves: Sequence[Mapping[str, float]],
    labels: Mapping[str, str],
    title: str,
    path: str | os.PathLike,
) -> None:
    """Draws measures along training, a panel each, over environment steps.

    Args:
      curves: one mapping a measurement, with `step` and names in `labels`; what one
        lacks is a gap.
      labels: what to draw where it is known, name -> title of its panel.
      title: of the figure.
      path: of the PNG file to write.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    values = {name: [p.get(name, math.nan) for p in curves] for name in labels}
    known = [name for name in labels if any(map(math.isfinite, values[name]))]
    names = known or list(labels)
    columns = min(3, len(names))
    figure_rows = -(-len(names) // columns)
    figure = Figure(figsize=(4 * columns, 2.8 * figure_rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(figure_rows, columns, squeeze=False).flat
    steps = [point["step"] for point in curves]
    for axis, name in zip(axes, names, strict=False):
        axis.plot(steps, values[name], marker=".")
        axis.set_title(labels[name], fontsize=10)
        axis.set_xlabel("environment steps", fontsize=8)
        axis.tick_params(labelsize=8)
        axis.grid(alpha=0.3)
    for axis in list(figure.axes)[len(names) :]:
        axis.remove()
    figure.suptitle(drawing.literal(title))
    drawing.write(figure, path, dpi=120)
