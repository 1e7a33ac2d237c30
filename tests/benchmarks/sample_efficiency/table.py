"""The table of the PMO benchmark: what was measured, with published figures beside."""

from __future__ import annotations

import json
import pathlib
import statistics
from collections import defaultdict
from typing import Any

from rl_tuner.reports.tables import markdown_table
from rl_tuner.system.whole_files import write_atomically
from sample_efficiency.published import METHODS, PUBLISHED

NAME = "pmo.md"
_OWN = ("auc_top10", "auc_top1", "auc_top100", "top10", "diversity", "sa")
_TITLES = ("AUC top-10", "AUC top-1", "AUC top-100", "top-10", "diversity", "SA")


def write(directory: pathlib.Path) -> str:
    """Writes the table of the finished runs of a folder, and returns it."""
    text = f"{of(directory)}\n"
    write_atomically(directory / NAME, text.encode())
    return text


def of(directory: pathlib.Path) -> str:
    """The table of the finished runs of a folder."""
    runs: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for path in sorted(directory.glob("*.json")):
        run = json.loads(path.read_text())
        runs[run["oracle"]].append(run)
    header = ["oracle", "seeds", *_TITLES, *METHODS]
    lines = [header]
    for oracle in sorted(runs):
        lines.append(_row(oracle, runs[oracle]))
    known = [PUBLISHED[oracle] for oracle in sorted(runs)]
    if known:
        means = [_means(runs[oracle]) for oracle in sorted(runs)]
        sums = [f"**{sum(m[name] for m in means):.3f}**" for name in _OWN[:3]]
        others = [f"{sum(column):.3f}" for column in zip(*known, strict=True)]
        lines.append([f"sum of {len(known)}", "", *sums, "", "", "", *others])
    return markdown_table(lines)


def _means(runs: list[dict[str, Any]]) -> dict[str, float]:
    return {name: statistics.fmean(run[name] for run in runs) for name in _OWN}


def _row(oracle: str, runs: list[dict[str, Any]]) -> list[str]:
    means = _means(runs)
    spread = ""
    if len(runs) > 1:
        spread = f" ± {statistics.stdev(run['auc_top10'] for run in runs):.3f}"
    own = [f"{means['auc_top10']:.3f}{spread}"]
    own += [f"{means[name]:.3f}" for name in _OWN[1:-1]] + [f"{means['sa']:.2f}"]
    published = [f"{value:.3f}" for value in PUBLISHED[oracle]]
    return [oracle, str(len(runs)), *own, *published]
