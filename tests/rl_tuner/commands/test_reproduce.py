"""The paper's experiment and evaluation, as commands, on a tiny model."""

import csv
import dataclasses
import json
import re

import numpy as np
import pytest
from binaries import assert_refused, run_binary

from melody_rnn.table1 import TABLE1_ROWS
from rl_tuner.config import RLTunerConfig
from rl_tuner.metrics import Evaluation
from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.reports.tables import POLICY_ROWS
from rl_tuner.runs import run_directory
from rl_tuner.runs.grid import TRAINED_NAME
from rl_tuner.system import whole_files


@pytest.fixture(name="prior_dir", scope="module")
def _prior_dir(tmp_path_factory):
    directory = tmp_path_factory.mktemp("prior")
    SequenceRNN(38, (4,)).save(directory)
    return directory


def reproduce(prior_dir, output_dir, *flags, is_new=False):
    return run_binary(
        "rl_tuner_reproduce",
        f"--note_rnn_checkpoint_dir={prior_dir}",
        f"--output_dir={output_dir}",
        "--algorithms=psi",
        "--reference_g_update",
        "--steps=300",
        "--output_every_nth=200",
        "--num_melodies=100",
        *flags,
        is_new=is_new,
    )


def make_finished_run(run_dir, prior_dir):
    """What a run of Psi leaves, with a figure in it that no training would give."""
    config = dataclasses.asdict(RLTunerConfig(algorithm="psi", exploration_steps=150))
    settings = run_directory.RunSettings("melody", {}, str(prior_dir), 300, config)
    run_directory.write_settings(run_dir, settings)
    for name in ("q_network", "reward_rnn"):
        SequenceRNN.load(prior_dir).save(run_dir / name)
    points = "".join(f"{step},-5.0,-3.0\n" for step in (0, 200, 300))
    (run_dir / "curves.csv").write_text(f"step,task_reward,log_prior\n{points}")
    (run_dir / "samples").mkdir()
    names = [row.name for row in (*TABLE1_ROWS, *POLICY_ROWS)]
    metrics = dict.fromkeys(names, 1.0) | {"notes_excessively_repeated": 12.34}
    errors = dict.fromkeys(names, 0.5)
    run_directory.write_evaluation(run_dir, Evaluation(100, 0, metrics, errors, {}))
    whole_files.write_json(run_dir / TRAINED_NAME, {"steps": 300, "seconds": 1.0})


@pytest.fixture(name="output_dir", scope="module")
def _output_dir(tmp_path_factory, prior_dir):
    """A grid that was cut: one run is finished, the other had just begun."""
    directory = tmp_path_factory.mktemp("paper") / "out"
    finished = directory / "runs" / "psi_c0.5_seed0"
    finished.mkdir(parents=True)
    make_finished_run(finished, prior_dir)
    begun = directory / "runs" / "g_reference_c0.5_seed0"
    begun.mkdir()
    (begun / "curves.csv").write_text("step,task_re")
    before = {path: path.stat().st_mtime_ns for path in finished.rglob("*")}
    result = reproduce(prior_dir, directory, is_new=True)
    assert result.returncode == 0, result.stderr
    assert "| Notes excessively repeated" in result.stdout
    assert re.search(r"100% .* 00:00 left; 2 of 2 runs", result.stderr)
    assert {path: path.stat().st_mtime_ns for path in finished.rglob("*")} == before
    return directory


def test_everything_that_is_promised_is_there(output_dir):
    for name in ("figure2.png", "figure4.png"):
        assert (output_dir / name).read_bytes().startswith(b"\x89PNG")
    page = (output_dir / "index.html").read_text()
    assert page.count("data:image/png") == 2 + 2
    assert page.count("data:audio/wav") == 2 * 3
    assert page.count("data:audio/midi") == 2 * 10
    text = (output_dir / "table1.md").read_text()
    assert re.search(
        r"Metric +\| +Note RNN +\| +paper \| +Psi \| +paper \| "
        r"+G, reference update \| +paper \| +better \|",
        text,
    )
    assert "12.34%† ±0.50" in text
    assert "swapped" in text
    with open(output_dir / "table1.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["model"] for row in rows} == {"untuned", "psi", "g_reference"}
    content = json.loads((output_dir / "table1.json").read_text())
    assert len(content["entries"]) == len(rows)
    log = json.loads((output_dir / "log.json").read_text())
    assert log["versions"]["tensorflow"]
    names = ["psi_c0.5_seed0", "g_reference_c0.5_seed0"]
    assert [run["name"] for run in log["runs"]] == names
    for run in log["runs"]:
        assert run["config"]["reward_scaler"] == 2.0
        assert run["config"]["exploration_steps"] == 150
        assert run["training_seconds"] > 0


def test_cut_run_was_trained_with_the_reference_update(output_dir, prior_dir):
    run_dir = output_dir / "runs" / "g_reference_c0.5_seed0"
    with open(run_dir / "curves.csv", newline="") as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["0", "200", "300"]
    prior, moved = (
        np.load(directory / "weights.npz")
        for directory in (prior_dir, run_dir / "reward_rnn")
    )
    assert any((prior[name] != moved[name]).any() for name in prior.files)
    metrics = json.loads((run_dir / "evaluation.json").read_text())["metrics"]
    assert metrics["log_untuned"] != metrics["log_prior"]


def test_other_settings_are_refused(output_dir, prior_dir):
    result = reproduce(prior_dir, output_dir, "--discount_rate=0.9")
    assert_refused(result, "holds runs of other settings, listed in grid.json: config")


def test_evaluate_measures_a_run_by_another_reading_of_the_rules(output_dir, tmp_path):
    run_dir = output_dir / "runs" / "g_reference_c0.5_seed0"
    result = run_binary(
        "rl_tuner_evaluate",
        f"--run_dir={run_dir}",
        "--num_melodies=100",
        "--rules=corrected",
        f"--output_dir={tmp_path}",
    )
    assert result.returncode == 0, result.stderr
    assert "| Metric " in result.stdout
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"metrics.md", "metrics.csv", "metrics.json", "evaluation.json"}
    ours, theirs = (
        json.loads((directory / "evaluation.json").read_text())
        for directory in (tmp_path, run_dir)
    )
    assert (ours["counts"]["rules"], theirs["counts"]["rules"]) == (
        "corrected",
        "paper",
    )
    # The same sequences, judged otherwise.
    assert ours["metrics"]["log_prior"] == theirs["metrics"]["log_prior"]
    assert ours["metrics"]["task_reward"] != theirs["metrics"]["task_reward"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--algorithms=q,sarsa"], "unknown algorithm 'sarsa'"),
        (["--algorithms="], "--algorithms is empty"),
        (["--c=0.5,0"], "--c=0.5,0 must be numbers above 0"),
        (["--c=half"], "--c=half must be numbers above 0"),
        (["--seeds=0"], "--seeds=0 must be at least 1"),
        (["--steps=0"], "--training_steps=0 must be at least 1"),
        (["--num_melodies=0"], "--num_melodies=0 must be at least 1"),
        (["--num_workers=0"], "--num_workers=0 must be at least 1"),
        (["--rules=swapped"], "unknown rules 'swapped'"),
        (["--output_dir="], "--output_dir is missing"),
    ],
)
def test_bad_flags_are_refused_in_one_line(flags, message, tmp_path):
    result = run_binary("rl_tuner_reproduce", "--output_dir=x", *flags, cwd=tmp_path)
    assert_refused(result, message)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--run_dir=x", "--bundle_file=b.mag"], "name one model: --run_dir"),
        (["--run_dir=nowhere"], "no run in nowhere"),
        (["--run_dir=x", "--num_melodies=0"], "--num_melodies=0 must be 1 to"),
    ],
)
def test_bad_flags_of_evaluate_are_refused_in_one_line(flags, message, tmp_path):
    assert_refused(run_binary("rl_tuner_evaluate", *flags, cwd=tmp_path), message)
