"""What version 0.1.0 wrote still loads, and its import paths still work.

Its files lie in version_0_1_0/: a tiny prior, G-learning from it for 60,000 steps
(finished), the same cut at 20,000 (cut), and exports of the finished run.
"""

import importlib
import json
import pathlib
import shutil

import numpy as np
import pytest
from binaries import run_binary

from rl_tuner import SequenceRNN
from rl_tuner.algorithms import get_algorithm
from rl_tuner.generation.policy import Policy
from rl_tuner.runs import run_directory

FILES = pathlib.Path(__file__).with_name("version_0_1_0")
FLAGS = (
    *("--algorithm=g", "--training_steps=60000", "--replay_capacity=64"),
    *("--num_melodies=20", "--num_samples=1", "--output_every_nth=20000"),
)
TOKENS = np.array([[5, 0, 9, 1, 30]])


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("rl_tuner.rl_tuner", ["RLTuner", "RLTunerConfig"]),
        ("rl_tuner.sequence_rnn", ["SequenceRNN"]),
        ("rl_tuner.task", ["Task"]),
        ("rl_tuner.scored_task", ["PythonTask", "ScoredTask", "Prefixes"]),
        ("melody_rnn.melody_task", ["MelodyTask"]),
        ("melody_rnn.music_theory", ["rule_rewards"]),
        ("melody_rnn.metrics", ["composition_stats"]),
    ],
)
def test_its_import_paths_work(module, names):
    for name in names:
        assert getattr(importlib.import_module(module), name).__name__ == name


def _with_prior(name, folder):
    """A copy of a run, beside a prior that its settings name."""
    shutil.copytree(FILES / name, folder / name)
    settings = folder / name / "settings.json"
    text = settings.read_text(encoding="utf-8")
    assert json.loads(text)["version"] == "0.1.0"
    settings.write_text(text.replace("PRIOR", str(FILES / "prior")), encoding="utf-8")
    return folder / name


def test_a_cut_run_of_it_resumes_and_ends_as_it_did_there(tmp_path):
    run = _with_prior("cut", tmp_path)
    flags = (*FLAGS, f"--checkpoint_dir={FILES / 'prior'}", f"--output_dir={run}")
    result = run_binary("rl_tuner_train", *flags)
    assert result.returncode == 0, result.stderr
    assert "step 20000" in result.stderr
    ours, theirs = (
        np.genfromtxt(folder / "curves.csv", delimiter=",", names=True)
        for folder in (run, FILES / "finished")
    )
    assert list(ours["step"]) == [0, 20_000, 40_000, 60_000]
    # What was measured before the cut is what was saved, to the last digit; other
    # processors round otherwise, so that the rest is only of the same size.
    assert list(ours["task_reward"][:2]) == list(theirs["task_reward"][:2])
    assert ours["kl"][-1] == pytest.approx(theirs["kl"][-1], abs=0.3)


def test_a_finished_run_of_it_is_measured_generated_and_exported(tmp_path):
    run = _with_prior("finished", tmp_path)
    for command, *flags in (
        ("rl_tuner_evaluate", "--num_melodies=50"),
        ("rl_tuner_generate", f"--output_dir={tmp_path / 'melodies'}"),
        ("rl_tuner_export", "--format=mag", f"--output={tmp_path / 'tuned.mag'}"),
    ):
        result = run_binary(command, f"--run_dir={run}", *flags)
        assert result.returncode == 0, result.stderr
    ours, theirs = (
        SequenceRNN.load(path) for path in (tmp_path / "tuned.mag", FILES / "tuned.mag")
    )
    np.testing.assert_array_equal(ours.unroll(TOKENS), theirs.unroll(TOKENS))


@pytest.mark.parametrize("name", ["tuned.mag", "tf"])
def test_its_exports_play_what_its_run_does(name):
    run = FILES / "finished"
    settings = run_directory.read_settings(run)
    policy = run_directory.load_policy(run, settings)
    expected = Policy(
        policy.q_network, policy.reward_rnn, get_algorithm("g")
    ).as_network()
    logits = SequenceRNN.load(FILES / name).unroll(TOKENS)
    np.testing.assert_allclose(logits, expected.unroll(TOKENS), atol=1e-5)
