"""Figures of speed and memory, which want a machine that does nothing else."""

from __future__ import annotations

import json
import pathlib

from figure_making import code_groups
from figure_making.figure import Command, Figure
from rl_tuner.reports.tables import markdown_table

_METHOD = "rl_tuner/README.md"
_ALL_CODE = (*code_groups.MELODIES, *code_groups.MOLECULES, *code_groups.PRETRAINING)


def _benchmark(name: str, *more: str) -> Command:
    script = f"{{root}}/tests/benchmarks/{name}.py"
    return ("python", script, *more, "--output=.")


def _as_compared(folder: pathlib.Path) -> str:
    return (folder / "comparison.md").read_text(encoding="utf-8").strip()


def _growth(folder: pathlib.Path) -> str:
    """Seconds and memory by size, and the memory along a training."""
    result = json.loads((folder / "growth.json").read_text(encoding="utf-8"))
    works = {"tunes": "tunes read into a dataset", "molecules": "molecules scored"}
    sizes = sorted({point["number"] for name in works for point in result[name]})
    rows = [["", *(f"{size:,}" for size in sizes)]]
    for name, title in works.items():
        points = {point["number"]: point for point in result[name]}
        seconds = {size: f"{point['seconds']:.1f}" for size, point in points.items()}
        peaks = {n: f"{point['peak'] / 2**20:,.0f}" for n, point in points.items()}
        rows.append([f"{title}, s", *(seconds.get(size, "") for size in sizes)])
        rows.append(["peak memory, MiB", *(peaks.get(size, "") for size in sizes)])
    (first, low), (last, high) = result["memory"][0], result["memory"][-1]
    return (
        f"{markdown_table(rows)}\n\n"
        f"Memory is {low / 2**20:,.1f} MiB after {first:,} steps of training by Psi, "
        f"and {high / 2**20:,.1f} MiB after {last:,}."
    )


def _scaling(folder: pathlib.Path) -> str:
    """Steps a second at the paper's size, and how many times that at more of it."""
    points = json.loads((folder / "scaling.json").read_text(encoding="utf-8"))["points"]
    curves: dict[str, dict[int, float]] = {}
    for point in points:
        curves.setdefault(point["curve"], {})[point["x"]] = point["steps_a_second"]
    firsts = {name: min(rates) for name, rates in curves.items()}
    more = sorted({x // firsts[name] for name in curves for x in curves[name]} - {1})
    rows = [["", "steps/s", *(f"{number} times" for number in more)]]
    for name, rates in curves.items():
        first = rates[firsts[name]]
        at = (rates.get(number * firsts[name]) for number in more)
        cells = (f"{rate / first:.2f}x" if rate else "" for rate in at)
        rows.append([name, f"{first:,.0f}", *cells])
    return markdown_table(rows)


FIGURES = (
    Figure(
        name="how_fast",
        commands=(_benchmark("compare", "--repeats=3"),),
        tables={"README.md": _as_compared},
        depends=(
            *_ALL_CODE,
            "tests/benchmarks/compare*.py",
            "tests/benchmarks/*_side.py",
            "tests/benchmarks/*_work.py",
        ),
    ),
    Figure(
        name="scaling",
        commands=(_benchmark("scaling", "--seconds=1", "--threads=1"),),
        tables={_METHOD: _scaling},
        depends=(*code_groups.MELODIES, "tests/benchmarks/scaling.py"),
        pictures={"scaling.png": "rl_tuner/scaling.png"},
    ),
    Figure(
        name="growth",
        commands=(_benchmark("growth"),),
        tables={_METHOD: _growth},
        depends=(
            *_ALL_CODE,
            "melody_rnn/notation/*.py",
            "melody_rnn/note_rnn/*.py",
            "tests/benchmarks/growth.py",
        ),
        pictures={"growth.png": "rl_tuner/growth.png"},
    ),
)
