import csv
import types

import numpy as np

from rl_tuner.runs import curves


def test_points_may_know_different_measures(tmp_path):
    """As of molecules: how many are cut at the length limit, where any is."""
    tuner = types.SimpleNamespace(
        task=types.SimpleNamespace(curve_panels={"cut": "cut, %"}),
        algorithm=types.SimpleNamespace(is_on_policy=False),
    )
    known = dict.fromkeys(curves.CURVE_LABELS, 0.5)
    points = [{"step": 1, **known}, {"step": 2, "cut": 4.0, **known}]
    curves.write(points, tuner, tmp_path, "title")
    with open(tmp_path / "curves.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["1", "2"]
    assert [float(row["loss"]) for row in rows] == [0.5, 0.5]
    np.testing.assert_equal([float(row["cut"]) for row in rows], [np.nan, 4.0])
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
