"""A world in one file goes through the ordinary commands."""

import json
import pathlib
import shutil

import pytest
from binaries import assert_refused, run_binary

from rl_tuner.networks.sequence_rnn import SequenceRNN

HELPERS = pathlib.Path(__file__).parents[1] / "helpers"
TASK = "--task=toy_world:StepsWorld"


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory):
    """A user's folder: a world, a model of five letters, and a run."""
    folder = tmp_path_factory.mktemp("user")
    shutil.copy(HELPERS / "toy_world.py", folder)
    SequenceRNN(5, (8,)).save(folder / "prior")
    result = run_binary(
        "rl_tuner_train",
        TASK,
        "--stride=2",
        "--checkpoint_dir=prior",
        "--training_steps=20000",
        "--output_every_nth=10000",
        "--num_melodies=100",
        "--num_samples=3",
        "--output_dir=run",
        cwd=folder,
    )
    assert result.returncode == 0, result.stderr
    assert "Letters that follow" in result.stdout
    return folder


def test_training_takes_its_settings_and_defaults(folder):
    settings = json.loads((folder / "run" / "settings.json").read_text())
    assert settings["task"] == "toy_world:StepsWorld"
    assert settings["task_settings"] == {"stride": 2}
    assert settings["config"]["train_every_nth"] == 50
    metrics = json.loads((folder / "run" / "metrics.json").read_text())
    assert metrics["after"]["follows"] > metrics["before"]["follows"]
    written = (folder / "run" / "samples" / "after" / "letters.txt").read_text()
    assert len(written.split()) == 3


def test_its_own_flags_are_in_the_help(folder):
    result = run_binary("rl_tuner_train", TASK, "--help", cwd=folder)
    assert "--stride" in result.stdout


def test_its_run_generates_in_its_own_form(folder):
    result = run_binary(
        "rl_tuner_generate",
        "--run_dir=run",
        "--output_dir=generated",
        "--num_outputs=4",
        "--case=upper",
        cwd=folder,
    )
    assert result.returncode == 0, result.stderr
    words = (folder / "generated" / "letters.txt").read_text().split()
    assert len(words) == 4
    assert all(set(word) <= set("ABCDE") and len(word) == 6 for word in words)


def test_its_run_is_evaluated(folder):
    result = run_binary(
        "rl_tuner_evaluate", "--run_dir=run", "--num_melodies=100", cwd=folder
    )
    assert result.returncode == 0, result.stderr
    assert "Letters that follow" in result.stdout
    assert "The stride is 2." in result.stdout


def test_its_lines_are_scored(folder):
    (folder / "words.txt").write_text("bcdeab\naaaaaa\n")
    result = run_binary(
        "rl_tuner_score",
        TASK,
        "--checkpoint_dir=prior",
        "--source=words.txt",
        "--output_dir=scored",
        cwd=folder,
        is_new=True,
    )
    assert result.returncode == 0, result.stderr
    [scores] = (folder / "scored").glob("*.csv")
    assert scores.read_text().split() == [
        *("sequence,task_reward", "bcdeab,6", "aaaaaa,0")
    ]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([TASK, "--stride=9", "--checkpoint_dir=prior"], "--stride=9 must be 0 to 4"),
        ([TASK], "this task ships no model"),
        ([TASK, "--checkpoint_dir=prior", "--corpus_dir=x"], "cannot read a corpus"),
    ],
)
def test_what_it_lacks_is_told_in_one_line(folder, flags, message):
    result = run_binary("rl_tuner_train", "--output_dir=refused", *flags, cwd=folder)
    assert_refused(result, message)
