"""What a tuned policy gains in reward for what it leaves of its prior."""

from __future__ import annotations

import itertools
import os
import pathlib
from collections.abc import Mapping, Sequence

from rl_tuner.reports import drawing
from rl_tuner.reports.models import in_order, label
from rl_tuner.system.whole_files import write_atomically

# One point of the trade-off: which tuning, and what it came to.
COLUMNS = ("algorithm", "c", "kl", "task_reward", "log_prior", "entropy", "unique")

Point = dict[str, str | float]


def write_points(path: pathlib.Path, points: Sequence[Point]) -> None:
    """Writes the points as CSV, whole or not at all."""
    lines = [",".join(COLUMNS)]
    lines += [",".join(str(point[name]) for name in COLUMNS) for point in points]
    write_atomically(path, ("\n".join(lines) + "\n").encode())


def plot_tradeoff(
    points: Sequence[Point], prior: Mapping[str, float], path: str | os.PathLike
) -> None:
    """Draws mean reward against KL to the prior, a line along c for each algorithm.

    Args:
      points: as in `COLUMNS`.
      prior: the metrics of the untuned model.
      path: of the PNG file to write.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.6), layout="constrained")
    FigureCanvasAgg(figure)
    axis = figure.subplots()
    models = in_order(str(point["algorithm"]) for point in points)
    for model, marker in zip(models, itertools.cycle("os^vDPX")):
        line = sorted(
            (point for point in points if point["algorithm"] == model),
            key=lambda point: point["c"],
        )
        kls = [point["kl"] for point in line]
        rewards = [point["task_reward"] for point in line]
        axis.plot(
            kls, rewards, marker=marker, alpha=0.8, label=drawing.literal(label(model))
        )
        for point in line:
            axis.annotate(
                f"c={point['c']:g}",
                (point["kl"], point["task_reward"]),
                textcoords="offset points",
                xytext=(5, -9),
                fontsize=7,
            )
    axis.set_xlabel("KL(policy || prior), nats a token")
    axis.set_ylabel("task reward a token")
    untuned = f"untuned: {prior['task_reward']:.2f} at KL 0"
    axis.set_title(
        drawing.literal(f"Reward against KL to the prior, along c ({untuned})"),
        fontsize=11,
    )
    axis.grid(alpha=0.3)
    axis.legend()
    drawing.write(figure, path, dpi=120)
