"""The optimum of a trade-off, from what its points know of it."""

import pytest

from rl_tuner.reports import tradeoff
from rl_tuner.reports.models import OPTIMUM
from rl_tuner.runs import optimum

# Two that reached the optimum's neighbourhood tell log Z = 4; "q" at c = 2 knows none.
POINTS = [
    {
        "algorithm": "reinforce",
        "c": 2.0,
        "objective": 3.5,
        "gap": 0.5,
        "optimum_reward": 1.5,
        "optimum_kl": 0.25,
    },
    {
        "algorithm": "reinforce",
        "c": 2.0,
        "objective": 3.25,
        "gap": 0.25,
        "optimum_reward": 1.0,
        "optimum_kl": 0.125,
    },
    {"algorithm": "q", "c": 2.0, "objective": 1.0},
    {"algorithm": "q", "c": 5.0, "objective": 1.0},
]


def test_greatest_log_z_counts_and_tells_what_every_point_leaves():
    optima = optimum.optimum_points(None, POINTS, num_sequences=0)
    (found,) = optima
    assert found["algorithm"] == OPTIMUM
    assert (found["c"], found["objective"]) == (2.0, 4.0)
    assert (found["task_reward"], found["kl"]) == (1.5, 0.25)
    gaps = [point.get("gap") for point in optimum.distances(POINTS, optima)]
    assert gaps == [0.5, 0.75, 3.0, None]


def test_what_others_tell_of_the_optimum_counts_too(tmp_path):
    """Their distances, of which the optimum's reward is not always known, do not."""
    path = tmp_path / "tradeoff.csv"
    known = dict.fromkeys(tradeoff.COLUMNS, 1.0)
    optima = optimum.optimum_points(None, POINTS, num_sequences=0)
    distant = optimum.distances([{**known, **point} for point in POINTS], optima)
    tradeoff.write_points(path, [*distant, *optima])
    read = tradeoff.read_points(path, "others")
    others = [point for point in read if point["algorithm"] != OPTIMUM]
    told = [point for point in read if point["algorithm"] == OPTIMUM]
    assert optimum.optimum_points(None, others, 0) == []
    assert optimum.optimum_points(None, others, 0, told) == optima
    low = {**POINTS[1], "objective": 3.0}  # tells log Z = 3.25
    assert optimum.optimum_points(None, [*others, low], 0, told) == optima


def test_table_says_what_is_unknown():
    known = {"kl": 0.1, "task_reward": 1.0, "entropy": 1.0, "unique": 100.0}
    optima = optimum.optimum_points(None, POINTS, num_sequences=0)
    points = optimum.distances([{**known, **point} for point in POINTS], optima)
    rows = tradeoff.table([*points, *optima]).splitlines()
    cells = [[cell.strip() for cell in row.split("|")] for row in rows]
    gaps = {(row[1], row[2]): row[9] for row in cells}
    assert gaps[("Q", "2")] == "3.00"
    assert gaps[("Q", "5")] == "unknown"
    assert float(gaps[("exact optimum", "2")]) == pytest.approx(0.0)
