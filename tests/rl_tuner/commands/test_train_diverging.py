"""Runs that come to nothing stop with the step, the last good save and a remedy."""

import pathlib
import re

import numpy as np
import pytest
from binaries import run_binary

from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.system import saves as training_state

HELPERS = pathlib.Path(__file__).parents[2] / "helpers"


def _train(directory, *flags):
    return run_binary(
        "rl_tuner_train",
        "--task=poisoned_task:PoisonedTask",
        f"--note_rnn_checkpoint_dir={directory / 'prior'}",
        f"--output_dir={directory / 'run'}",
        "--training_steps=60000",
        "--output_every_nth=500",
        "--replay_capacity=2000",
        "--num_melodies=10",
        "--save_every_secs=0",
        *flags,
    )


def _last_line(result):
    assert result.returncode == 1, result.stderr
    assert "Traceback" not in result.stderr
    return result.stderr.splitlines()[-1]


@pytest.fixture(autouse=True)
def _prior_and_task(monkeypatch, tmp_path):
    prior, rng = SequenceRNN(5, (6,)), np.random.default_rng(0)
    prior.set_weights([rng.normal(size=v.shape) for v in prior.get_weights()])
    prior.save(tmp_path / "prior")
    monkeypatch.setenv("PYTHONPATH", str(HELPERS), prepend=":")


def _check(line, saves):
    """The step of the trouble, and of the last good save, which is good."""
    found = re.fullmatch(
        r"rl_tuner_train: error: the loss is nan at step (\d+); try a smaller "
        r"learning_rate, reward_scaler or discount_rate, in another --output_dir or "
        rf"with --restart; the last good save is {saves}/step_0*(\d+)",
        line,
    )
    assert found, line
    saved = training_state.load_latest(saves)
    assert saved.step == int(found[2]) < int(found[1])
    for name, array in saved.arrays.items():
        if name.startswith(("q_network", "target_network", "optimizer")):
            assert np.isfinite(array).all(), name
    return int(found[1]), int(found[2])


def test_reward_that_is_no_number_stops_the_run_behind_a_good_save(tmp_path):
    _check(_last_line(_train(tmp_path)), tmp_path / "run" / "saves")


@pytest.mark.death
def test_run_that_diverged_goes_on_to_the_same_end(tmp_path):
    saves = tmp_path / "run" / "saves"
    trouble = _check(_last_line(_train(tmp_path)), saves)
    again = _train(tmp_path)
    assert f"resuming from step {trouble[1]}" in again.stderr
    assert _check(_last_line(again), saves)[0] == trouble[0]


@pytest.mark.death
def test_exploding_setting_stops_the_run(tmp_path):
    line = _last_line(_train(tmp_path, "--reward_scaler=1e25"))
    # Saves go by the clock: there may be one of the first steps, which was good.
    good = r"(nothing was saved|the last good save is \S+/step_0{9}\d+)"
    assert re.search(rf"the loss is (inf|nan) at step 500; .* {good}", line)
