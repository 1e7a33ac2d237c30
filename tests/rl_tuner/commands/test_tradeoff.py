import csv
import os
import pathlib

import pytest
import toy_task
from binaries import run_binary

from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.reports import tradeoff

POINTS = [
    dict(zip(tradeoff.COLUMNS, ["psi", 0.5, 1.0, 2.0, -2.5, 1.5, 100.0], strict=True)),
    dict(zip(tradeoff.COLUMNS, ["q", 0.25, 1.5, 2.5, -2.0, 1.0, 99.5], strict=True)),
]


def test_points_are_written(tmp_path):
    tradeoff.write_points(tmp_path / "points.csv", POINTS)
    with open(tmp_path / "points.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["algorithm"] for row in rows] == ["psi", "q"]
    assert float(rows[1]["task_reward"]) == 2.5


def test_figure_is_drawn(tmp_path):
    tradeoff.plot_tradeoff(POINTS, {"task_reward": -8.0}, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "cs", [["2.0"], pytest.param(["2.0", "1.0"], marks=pytest.mark.learning)]
)
def test_own_task_is_trained_at_each_c(tmp_path, monkeypatch, cs):
    helpers = pathlib.Path(toy_task.__file__).parent
    monkeypatch.setenv("PYTHONPATH", str(helpers), prepend=os.pathsep)
    SequenceRNN(5, (4,)).save(tmp_path / "prior")
    result = run_binary(
        "rl_tuner_tradeoff",
        "--task=toy_task:CountingTask",
        f"--note_rnn_checkpoint_dir={tmp_path / 'prior'}",
        f"--output_dir={tmp_path / 'out'}",
        "--algorithms=psi",
        f"--c={','.join(cs)}",
        "--training_steps=200",
        "--num_melodies=50",
    )
    assert result.returncode == 0, result.stderr
    with open(tmp_path / "out" / "tradeoff.csv", newline="") as file:
        points = [(row["algorithm"], row["c"]) for row in csv.DictReader(file)]
    tuned = [point for point in points if point[0] == "psi"]
    assert tuned == [("psi", c) for c in cs]
    assert ("optimum", cs[0]) in points  # from sequences of the prior
    assert (tmp_path / "out" / "tradeoff.png").exists()
