"""A figure of how the properties of molecules are distributed."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from molecule_rnn.scoring.molecule_statistics import HISTOGRAMS
from rl_tuner.reports import drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LABELS = {
    "log_p": "logP",
    "qed": "QED",
    "sa": "SA score",
    "length": "characters of the SMILES string",
}


def plot_properties(
    stats: Mapping[str, Sequence[Mapping[str, Any]]],
    path: str | os.PathLike,
) -> None:
    """Draws logP, QED, SA score and length, a panel each.

    Args:
      stats: by what a model, or data, is called: of each of its runs, what
        `metrics.molecule_stats` returned. Runs are added up.
      path: of the PNG file to write.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 7.5), layout="constrained")
    FigureCanvasAgg(figure)
    for axis, (name, label) in zip(
        figure.subplots(2, 2).flat, _LABELS.items(), strict=True
    ):
        spreads = {}
        for model, runs in stats.items():
            counts = np.sum([run["histograms"][name] for run in runs], axis=0)
            total = sum(run["sums"][name] for run in runs)
            number = sum(run["num_valid"] for run in runs)
            spreads[model] = _Spread(counts, total, number)
        _draw(axis, label, spreads, HISTOGRAMS[name].edges)
    drawing.write(figure, path, dpi=110)


def plot_columns(
    columns: Mapping[str, Mapping[str, np.ndarray]], path: str | os.PathLike
) -> None:
    """Draws how numbers are distributed, a panel for each of them.

    Args:
      columns: by what a model is called: its numbers of valid molecules [N], by name;
        all have the same names.
      path: of the PNG file to write.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = list(next(iter(columns.values())))
    rows = -(-len(names) // 3)
    figure = Figure(figsize=(11, 3.2 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = list(figure.subplots(rows, 3, squeeze=False).flat)
    for axis, name in zip(axes, names, strict=False):
        everything = np.concatenate([values[name] for values in columns.values()])
        if not len(everything):
            continue
        edges = np.histogram_bin_edges(everything, bins=40)
        spreads = {
            model: _Spread(
                np.histogram(values[name], edges)[0],
                float(np.sum(values[name])),
                len(values[name]),
            )
            for model, values in columns.items()
        }
        _draw(axis, drawing.literal(name), spreads, edges)
    for axis in axes[len(names) :]:
        axis.remove()
    drawing.write(figure, path, dpi=110)


class _Spread(NamedTuple):
    """How a number is distributed over the valid molecules of a model.

    Attributes:
      counts: of molecules in the bins.
      total: the sum of the number.
      number: of the molecules.
    """

    counts: np.ndarray
    total: float
    number: int


def _draw(
    axis: Axes, label: str, spreads: Mapping[str, _Spread], edges: np.ndarray
) -> None:
    """Draws a panel: the share of each model's molecules in bins."""
    for model, (counts, total, number) in spreads.items():
        if not number:
            axis.plot([], [], label=drawing.literal(f"{model}: not one molecule"))
            continue
        title = drawing.literal(f"{model}: mean {total / number:.2f}")
        axis.stairs(100 * counts / number, edges, label=title, linewidth=1.5)
    axis.set_xlabel(label)
    axis.set_ylabel("% of valid molecules")
    axis.legend(fontsize=8)
    axis.grid(alpha=0.3)
