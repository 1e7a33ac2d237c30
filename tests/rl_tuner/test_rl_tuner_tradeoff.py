import csv

import pytest
from binaries import assert_refused, run_binary

from rl_tuner import tradeoff
from rl_tuner.errors import UserError
from rl_tuner.sequence_rnn import SequenceRNN

POINTS = [
    dict(zip(tradeoff.COLUMNS, ["psi", 0.5, 1.0, 2.0, -2.5, 1.5, 100.0], strict=True)),
    dict(zip(tradeoff.COLUMNS, ["q", 0.25, 1.5, 2.5, -2.0, 1.0, 99.5], strict=True)),
]


def test_points_come_back(tmp_path):
    assert tradeoff.read_points(tmp_path / "points.csv") == []
    tradeoff.write_points(tmp_path / "points.csv", POINTS)
    assert tradeoff.read_points(tmp_path / "points.csv") == POINTS


def test_damaged_points_are_named(tmp_path):
    (tmp_path / "points.csv").write_text("algorithm,c\npsi,what\n")
    with pytest.raises(UserError, match=r"points\.csv is damaged"):
        tradeoff.read_points(tmp_path / "points.csv")


def test_figure_is_drawn(tmp_path):
    tradeoff.plot_tradeoff(POINTS, {"task_reward": -8.0}, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")


def test_cut_run_goes_on_and_other_settings_are_refused(tmp_path):
    SequenceRNN(38, (4,)).save(tmp_path / "prior")
    flags = [
        f"--note_rnn_checkpoint_dir={tmp_path / 'prior'}",
        f"--output_dir={tmp_path / 'out'}",
        "--num_melodies=50",
    ]
    small = ["--algorithms=psi", "--training_steps=200"]
    result = run_binary("rl_tuner_tradeoff", *flags, *small, "--c=1")
    assert result.returncode == 0, result.stderr
    first = (tmp_path / "out" / "tradeoff.csv").read_text().splitlines()
    result = run_binary("rl_tuner_tradeoff", *flags, *small, "--c=1,2")
    assert result.returncode == 0, result.stderr
    lines = (tmp_path / "out" / "tradeoff.csv").read_text().splitlines()
    assert lines[:2] == first
    assert [(row["algorithm"], row["c"]) for row in csv.DictReader(lines)] == [
        ("psi", "1.0"),
        ("psi", "2.0"),
    ]
    assert (tmp_path / "out" / "tradeoff.png").exists()
    result = run_binary(
        "rl_tuner_tradeoff", *flags, "--algorithms=psi", "--training_steps=300"
    )
    assert_refused(result, "holds points of other settings")
