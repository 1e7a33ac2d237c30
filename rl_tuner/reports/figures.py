"""Figures 2 and 4 of Jaques et al. 2016: measures along training, and probabilities."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rl_tuner.reports import drawing

REWARD_PANELS = {
    "log_prior": "(a) mean log p(a|s) under the Reward RNN",
    "task_reward": "(b) mean task reward a token",
}


def plot_learning(
    curves: Mapping[str, Sequence[Sequence[Mapping[str, float]]]],
    panels: Mapping[str, str],
    title: str,
    path: str | os.PathLike,
) -> None:
    """Draws measures along training; with `REWARD_PANELS` alone this is figure 2.

    Args:
      curves: by the label of a model, the curves of its runs, each a list of points
        with `step` and names in `panels`; what one lacks is a gap. The line is the mean
        over runs, the band one standard deviation to either side.
      panels: what to draw, name -> title.
      title: of the figure.
      path: of the PNG file to write.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = -(-len(panels) // 2)
    figure = Figure(figsize=(11, 4.2 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, 2, squeeze=False).flat
    for axis, (name, label) in zip(axes, panels.items(), strict=False):
        for model, runs in curves.items():
            steps = [point["step"] for point in runs[0]]
            values = np.array([[point.get(name, np.nan) for point in x] for x in runs])
            mean, spread = values.mean(axis=0), values.std(axis=0)
            (line,) = axis.plot(steps, mean, marker=".", label=drawing.literal(model))
            if len(runs) > 1:
                axis.fill_between(
                    steps,
                    mean - spread,
                    mean + spread,
                    alpha=0.2,
                    color=line.get_color(),
                )
        axis.set_title(label, fontsize=11)
        axis.set_xlabel("environment steps")
        axis.grid(alpha=0.3)
    for axis in list(figure.axes)[len(panels) :]:
        axis.remove()
    # Beneath, where it hides no curve.
    handles, names = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=min(len(names), 5))
    figure.suptitle(drawing.literal(title), fontsize=11)
    drawing.write(figure, path, dpi=110)


def plot_next_token(
    probabilities: Mapping[str, np.ndarray],
    sequence: np.ndarray,
    token_labels: Sequence[str],
    title: str,
    path: str | os.PathLike,
) -> None:
    """Draws figure 4: the probability of every next token along one sequence.

    Args:
      probabilities: [T, A] by the label of a model.
      sequence: [T] integers, which are marked.
      token_labels: A names.
      title: of the figure.
      path: of the PNG file to write.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(2, len(probabilities))
    rows = -(-len(probabilities) // columns)
    figure = Figure(figsize=(6.4 * columns, 4.6 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False).flat
    every = -(-len(token_labels) // 40)
    image: Any = None
    for axis, (model, values) in zip(axes, probabilities.items(), strict=False):
        image = axis.imshow(
            values.T, origin="lower", aspect="auto", cmap="turbo", vmin=0.0, vmax=1.0
        )
        steps = np.arange(len(sequence))
        axis.scatter(steps, sequence, s=16, facecolors="none", edgecolors="white")
        axis.set_title(drawing.literal(model), fontsize=11)
        axis.set_xlabel("step")
        ticks = range(0, len(token_labels), every)
        axis.set_yticks(ticks, [token_labels[tick] for tick in ticks], fontsize=6)
    for axis in list(figure.axes)[len(probabilities) :]:
        axis.remove()
    figure.colorbar(image, ax=figure.axes, label="probability", shrink=0.6)
    figure.suptitle(drawing.literal(title), fontsize=11)
    drawing.write(figure, path, dpi=100)
