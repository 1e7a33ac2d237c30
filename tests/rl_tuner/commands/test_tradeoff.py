import csv
import os
import pathlib

import pytest
import toy_task
from binaries import run_binary

from rl_tuner.errors import UserError
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


def test_table_has_a_row_for_each_model_and_c():
    def point(model, c, seed, **figures):
        return {
            **{"algorithm": model, "c": c, "seed": seed, "objective": 1.0},
            **{"kl": 0.25, "task_reward": 2.0, "entropy": 1.0, "unique": 100.0},
            **figures,
        }

    points = [
        point("reinforce", 2.0, 0, kl=0.1, gap=3.0, seconds=4.0),
        point("reinforce", 2.0, 1, kl=0.3, seconds=4.0),
        point("psi", 0.5, 0, gap=7.5),
        {"algorithm": "optimum", "c": 2.0, "kl": 0.2, "task_reward": 9.0},
    ]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in tradeoff.table(points).splitlines()[2:]
    ]
    assert rows == [
        ["Psi", "0.5", "1", "0.25", "2.00", "1.00", "100.00", "1.00", "7.50", "-"],
        # One seed's samples do not carry the distance: nor does the mean.
        [
            *("REINFORCE", "2", "2", "0.20 ± 0.10", "2.00 ± 0.00", "1.00 ± 0.00"),
            *("100.00 ± 0.00", "1.00 ± 0.00", "unknown", "4.00 ± 0.00"),
        ],
        ["exact optimum", "2", "-", "0.20", "9.00", "-", "-", "-", "-", "-"],
    ]


def test_points_of_another_tradeoff_come_under_a_name(tmp_path):
    path = tmp_path / "tradeoff.csv"
    optimum = {**POINTS[1], "algorithm": "optimum", "gap": 0.0}
    tradeoff.write_points(path, [*POINTS, {**POINTS[0], "gap": 2.5}, optimum])
    read = tradeoff.read_points(path, "long")
    names = [point["algorithm"] for point in read]
    assert names == ["Psi, long", "Q, long", "Psi, long", "optimum"]
    assert read[0] == read[2] == {**POINTS[0], "algorithm": "Psi, long"}
    assert read[3] == optimum
    # Beside others they are written again, by names with a comma.
    tradeoff.write_points(path, read)
    assert tradeoff.read_all_points(path) == read
    path.write_text("algorithm,c\npsi,much\n")
    with pytest.raises(UserError, match="holds no points of rl_tuner_tradeoff"):
        tradeoff.read_points(path, "long")


def test_runs_at_a_target_kl_stand_where_their_c_ended():
    runs = [
        {"algorithm": "ppo", "c": 2.0, "kl": kl, "objective": 9.0, "gap": 1.0}
        for kl in (0.27, 0.29)
    ]
    found = tradeoff.at_moved_c(runs, [2.9996, 3.1])
    assert found == [
        {"algorithm": "ppo", "c": 3.05, "kl": 0.27},
        {"algorithm": "ppo", "c": 3.05, "kl": 0.29},
    ]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            ["--algorithms=psi,ppo", "--c=2", "--target_kl=0.2"],
            "--target_kl is for policy gradients, not for psi",
        ),
        (["--algorithms=ppo", "--target_kl=0.2"], "names several; name one: --c=2"),
        (
            ["--algorithms=ppo,dap", "--replay=prioritized"],
            "--replay does nothing for ppo, dap; it is for q, psi, g, pure_rl",
        ),
    ],
)
def test_flags_that_do_not_suit_the_algorithms_are_refused(flags, message, tmp_path):
    result = run_binary("rl_tuner_tradeoff", f"--output_dir={tmp_path}", *flags)
    assert result.returncode == 1
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_figure_is_drawn(tmp_path):
    tradeoff.plot_tradeoff(POINTS, {"task_reward": -8.0}, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_near_the_prior_has_a_panel_where_others_are_far(monkeypatch):
    drawn = []
    monkeypatch.setattr(
        tradeoff.drawing, "write", lambda figure, *a, **k: drawn.append(figure)
    )
    far = {**POINTS[0], "algorithm": "pure_rl", "kl": 9.0}
    for points in (POINTS, [*POINTS, far]):
        tradeoff.plot_tradeoff(points, {"task_reward": -8.0}, "nowhere.png")
    (one,), (whole, near) = (figure.axes for figure in drawn)
    assert one.get_xlim()[1] < 2 < 9 < whole.get_xlim()[1]
    assert near.get_xlim()[1] < 2
    colors = [{line.get_color() for line in axis.lines} for axis in (whole, near)]
    assert len(colors[0]) == 3
    assert len(colors[1] & colors[0]) == 2


@pytest.mark.parametrize(
    "cs", [["2.0"], pytest.param(["2.0", "1.0"], marks=pytest.mark.learning)]
)
def test_own_task_is_trained_at_each_c(tmp_path, monkeypatch, cs):
    helpers = pathlib.Path(toy_task.__file__).parent
    monkeypatch.setenv("PYTHONPATH", str(helpers), prepend=os.pathsep)
    SequenceRNN(5, (4,)).save(tmp_path / "prior")
    (tmp_path / "odd.py").write_text(
        "from toy_task import CountingTask\n"
        "class Odd(CountingTask):\n"
        "    def rewards(self, sequences): return 0.0 * super().rewards(sequences)\n"
    )
    result = run_binary(
        "rl_tuner_tradeoff",
        "--task=odd:Odd",
        f"--note_rnn_checkpoint_dir={tmp_path / 'prior'}",
        f"--output_dir={tmp_path / 'out'}",
        "--algorithms=psi",
        f"--c={','.join(cs)}",
        "--training_steps=200",
        "--num_melodies=50",
        cwd=tmp_path,
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr.count("Odd.rewards gives 0 where training earns") == 1
    with open(tmp_path / "out" / "tradeoff.csv", newline="") as file:
        points = [(row["algorithm"], row["c"]) for row in csv.DictReader(file)]
    tuned = [point for point in points if point[0] == "psi"]
    assert tuned == [("psi", c) for c in cs]
    assert ("optimum", cs[0]) in points  # from sequences of the prior
    assert (tmp_path / "out" / "tradeoff.png").exists()
