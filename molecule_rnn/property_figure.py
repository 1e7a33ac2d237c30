"""A figure of how the properties of molecules are distributed."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from molecule_rnn.scoring.molecule_statistics import HISTOGRAMS
from rl_tuner.reports import drawing

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
        edges = HISTOGRAMS[name].edges
        for model, runs in stats.items():
            total = sum(run["num_valid"] for run in runs)
            if not total:
                axis.plot([], [], label=drawing.literal(f"{model}: not one molecule"))
                continue
            counts = np.sum([run["histograms"][name] for run in runs], axis=0)
            mean = sum(run["sums"][name] for run in runs) / total
            axis.stairs(
                100 * counts / total,
                edges,
                label=drawing.literal(f"{model}: mean {mean:.2f}"),
                linewidth=1.5,
            )
        axis.set_xlabel(label)
        axis.set_ylabel("% of valid molecules")
        axis.legend(fontsize=8)
        axis.grid(alpha=0.3)
    drawing.write(figure, path, dpi=110)
