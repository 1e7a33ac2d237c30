"""What a tuned policy gains in reward for what it leaves of its prior."""

from __future__ import annotations

import csv
import io
import itertools
import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rl_tuner.errors import UserError
from rl_tuner.reports import drawing
from rl_tuner.reports.models import OPTIMUM, in_order, label
from rl_tuner.reports.tables import format_figure, markdown_table
from rl_tuner.system.whole_files import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# One point of the trade-off: which tuning, and what it came to.
COLUMNS = ("algorithm", "c", "kl", "task_reward", "log_prior", "entropy", "unique")
# What is known of some points only, and else is empty.
MORE_COLUMNS = (
    "seed",
    "seconds",
    "objective",
    "gap",
    "effective_share",
    "optimum_reward",
    "optimum_kl",
)

# What is known of the optimum from a point's own sequences.
_DISTANCE = ("gap", "optimum_reward", "optimum_kl")
# What is said of one c, and nothing of another.
_AT_ITS_C = ("objective", "effective_share", *_DISTANCE)

Point = dict[str, str | float]
# The points of each model and c.
_Groups = dict[tuple[str, float], list[Point]]
# Times the median KL, beyond which points are told apart in a panel of their own.
_FAR = 3.0
_HEADER = (
    "model",
    "c",
    "runs",
    "KL a token",
    "reward a token",
    "entropy",
    "unique, %",
    "objective, nats a sequence",
    "nats from the optimum",
    "seconds",
)


def write_points(path: pathlib.Path, points: Sequence[Point]) -> None:
    """Writes the points as CSV, whole or not at all."""
    text = io.StringIO()
    names = [*COLUMNS, *MORE_COLUMNS]
    writer = csv.DictWriter(text, names, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(points)
    write_atomically(path, text.getvalue().encode())


def read_points(path: pathlib.Path, name: str) -> list[Point]:
    """Reads the points that `write_points` wrote, `name` before each tuned model.

    What these leave of the optimum is not read, but the optima are, which tell it.

    Raises:
      UserError: there are none, or the file is damaged.
    """
    found = []
    for point in read_all_points(path):
        if point["algorithm"] != OPTIMUM:
            kept = {key: value for key, value in point.items() if key not in _DISTANCE}
            point = {**kept, "algorithm": f"{label(str(point['algorithm']))}, {name}"}
        found.append(point)
    return found


def read_all_points(path: pathlib.Path) -> list[Point]:
    """Reads what `write_points` wrote.

    Raises:
      UserError: there are no points, or the file is damaged.
    """
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return [
            {
                "algorithm": row.pop("algorithm"),
                **{key: float(text) for key, text in row.items() if text},
            }
            for row in rows
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path} holds no points of rl_tuner_tradeoff: {error}; name its "
            "tradeoff.csv"
        ) from error


def at_moved_c(points: Sequence[Point], constants: Sequence[float]) -> list[Point]:
    """Points of runs that a target KL has moved, each to a c of its own.

    They stand at the mean c of their model, and without what is said of one c alone.

    Args:
      points: of the runs.
      constants: where c ended, of each.
    """
    ends: dict[str, list[float]] = {}
    for point, c in zip(points, constants, strict=True):
        ends.setdefault(str(point["algorithm"]), []).append(c)
    return [
        {key: value for key, value in point.items() if key not in _AT_ITS_C}
        | {"c": float(f"{np.mean(ends[str(point['algorithm'])]):.3g}")}
        for point in points
    ]


def table(points: Sequence[Point]) -> str:
    """Means over seeds of each model at each c, in Markdown."""
    rows = [list(_HEADER)]
    for (model, c), runs in _groups(points).items():
        figures = (
            mean_figure(runs, name)
            for name in (
                *("kl", "task_reward", "entropy", "unique"),
                *("objective", "gap", "seconds"),
            )
        )
        number = "-" if model == OPTIMUM else str(len(runs))
        rows.append([label(model), f"{c:g}", number, *figures])
    return markdown_table(rows)


def plot_tradeoff(
    points: Sequence[Point], prior: Mapping[str, float], path: str | os.PathLike
) -> None:
    """Draws mean reward against KL to the prior, a line along c for each model.

    Where there are several seeds a point is their mean, with their standard deviation.
    A second panel shows what is near the prior, if some are so far from it that nothing
    else could be told apart.

    Args:
      points: as in `COLUMNS`.
      prior: the metrics of the untuned model.
      path: of the PNG file to write.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    groups = _groups(points)
    kls = [np.mean([float(run["kl"]) for run in runs]) for runs in groups.values()]
    near = _FAR * float(np.median(kls))
    is_split = max(kls) > near
    figure = Figure(figsize=(13 if is_split else 8, 4.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, 2 if is_split else 1, squeeze=False)[0]
    untuned = f"untuned: {prior['task_reward']:.2f} at KL 0"
    figure.suptitle(f"Reward against KL to the prior, along c ({untuned})", fontsize=11)
    _draw(axes[0], groups)
    axes[0].set_ylabel("task reward a token")
    axes[0].legend(fontsize=8)
    if is_split:
        close = {
            key: runs
            for (key, runs), kl in zip(groups.items(), kls, strict=True)
            if kl <= near
        }
        _draw(axes[1], close, groups)
        axes[1].set_title("near the prior", fontsize=10)
    drawing.write(figure, path, dpi=120)


def _draw(axis: Axes, groups: _Groups, among: _Groups | None = None) -> None:
    """Draws points, in the colours that their models have among others."""
    models = in_order(model for model, _ in among or groups)
    for index, (model, marker) in enumerate(zip(models, itertools.cycle("os^vDPX*<>"))):
        line = sorted((c, runs) for (name, c), runs in groups.items() if name == model)
        if not line:
            continue
        kls, rewards = (
            np.array([[np.mean(x), np.std(x)] for x in values]).T
            for values in (
                [[float(run[name]) for run in runs] for _, runs in line]
                for name in ("kl", "task_reward")
            )
        )
        style: dict[str, Any] = {"color": f"C{index}"}
        if model == OPTIMUM:
            style = {"color": "black", "linestyle": "--"}
        drawn = axis.plot(
            kls[0],
            rewards[0],
            marker=marker,
            alpha=0.8,
            label=drawing.literal(label(model)),
            **style,
        )
        axis.errorbar(
            *(kls[0], rewards[0]),
            xerr=kls[1],
            yerr=rewards[1],
            fmt="none",
            alpha=0.4,
            color=drawn[0].get_color(),
        )
        for (c, _), kl, reward in zip(line, kls[0], rewards[0], strict=True):
            axis.annotate(
                f"c={c:g}",
                (kl, reward),
                textcoords="offset points",
                xytext=(5, -9),
                fontsize=7,
            )
    axis.set_xlabel("KL(policy || prior), nats a token")
    axis.grid(alpha=0.3)


def _groups(points: Sequence[Point]) -> _Groups:
    """The points of each model and c, in the order of legends."""
    groups: dict[tuple[str, float], list[Point]] = {}
    order = in_order(str(point["algorithm"]) for point in points)
    for point in sorted(
        points, key=lambda p: (order.index(str(p["algorithm"])), float(p["c"]))
    ):
        key = str(point["algorithm"]), float(point["c"])
        groups.setdefault(key, []).append(point)
    return groups


def mean_figure(runs: Sequence[Point], name: str) -> str:
    """The mean of those that know it, with the standard deviation."""
    values = [float(run[name]) for run in runs if run.get(name, "") != ""]
    if len(values) < len(runs):
        is_uncertain = name == "gap" and "objective" in runs[0]
        return "unknown" if is_uncertain else "-"
    text = format_figure(float(np.mean(values)))
    return f"{text} ± {format_figure(float(np.std(values)))}" if values[1:] else text
