import dataclasses

import numpy as np
import pytest
from toy_task import CountingTask

from rl_tuner import run_directory
from rl_tuner.errors import UserError
from rl_tuner.rl_tuner import RLTuner, RLTunerConfig
from rl_tuner.run_directory import RunSettings
from rl_tuner.sequence_rnn import SequenceRNN


@pytest.fixture(name="settings")
def _settings():
    config = dataclasses.asdict(RLTunerConfig(algorithm="g", replay_capacity=64))
    return RunSettings("counting", {"a": 1}, "some/prior", 100, config)


def test_settings_come_back(tmp_path, settings):
    assert not run_directory.holds_run(tmp_path)
    run_directory.write_settings(tmp_path, settings)
    assert run_directory.holds_run(tmp_path)
    assert run_directory.read_settings(tmp_path) == settings


def test_policy_comes_back(tmp_path, settings):
    config = RLTunerConfig(**settings.config)
    tuner = RLTuner(SequenceRNN(5, (6,)), CountingTask(), config)
    for variable in tuner.q_network.variables:
        variable.assign(variable * 2.0)
    run_directory.save_networks(tmp_path, tuner)
    policy = run_directory.load_policy(tmp_path, settings)
    primers = np.zeros([20, 1], int)
    for ours, theirs in zip(
        policy.generate(primers, 4), tuner.policy.generate(primers, 4), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "no run in"), ("{", "is damaged"), ("[]", "is damaged"), ("{}", "damaged")],
)
def test_bad_settings_are_refused(tmp_path, content, message):
    if content is not None:
        (tmp_path / "settings.json").write_text(content)
    with pytest.raises(UserError, match=message):
        run_directory.read_settings(tmp_path)
