import dataclasses
import json

import numpy as np
import pytest
from toy_task import CountingTask

from rl_tuner.errors import UserError
from rl_tuner.metrics import Evaluation
from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.rl_tuner import RLTuner, RLTunerConfig
from rl_tuner.runs import run_directory
from rl_tuner.runs.run_directory import RunSettings


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


def test_every_change_of_the_settings_is_found(tmp_path, settings):
    run_directory.write_settings(tmp_path, settings)
    path = tmp_path / "settings.json"
    whole, rng, refused = path.read_bytes(), np.random.default_rng(0), 0
    for turn in range(400):
        data = bytearray(whole)
        data[rng.integers(len(data))] ^= 1 << rng.integers(8)
        if turn % 4 == 0:
            data = whole[: rng.integers(len(whole))]
        path.write_bytes(bytes(data))
        try:
            read = run_directory.read_settings(tmp_path)
        except UserError as error:
            refused += "\n" not in str(error)
        else:
            assert read == settings
    assert refused > 300


def test_settings_of_an_earlier_version_are_read(tmp_path, settings):
    record = dataclasses.asdict(settings) | {"version": "0.1.0"}
    for name in ("outputs", "prior_sha256"):
        del record[name]
    del record["config"]["target_network_update_rate"]
    (tmp_path / "settings.json").write_text(json.dumps(record))
    assert run_directory.read_settings(tmp_path) == settings


@pytest.mark.parametrize(
    "change",
    [
        {"training_steps": "100"},
        {"task": None},
        {"more": 1},
        {"config": {"algorithl": "g"}},
        {"config": {"discount_rate": 7.0}},
        {"config": {"seed": "0"}},
    ],
)
def test_settings_that_make_no_sense_are_refused(tmp_path, settings, change):
    record = dataclasses.asdict(settings) | change
    (tmp_path / "settings.json").write_text(json.dumps(record))
    with pytest.raises(UserError, match=r"settings\.json is damaged"):
        run_directory.read_settings(tmp_path)


def test_run_that_lost_its_settings_is_told(tmp_path):
    (tmp_path / "saves" / "step_000000000001").mkdir(parents=True)
    assert run_directory.holds_progress(tmp_path)
    with pytest.raises(UserError, match="though there is a run"):
        run_directory.read_settings(tmp_path)


def test_every_change_of_an_evaluation_is_found(tmp_path):
    evaluation = Evaluation(100, 0, {"kl": 0.25}, {"kl": 0.01}, {"notes": 7})
    run_directory.write_evaluation(tmp_path, evaluation)
    path = tmp_path / "evaluation.json"
    path.write_text(path.read_text().replace("0.25", "0.35"))
    with pytest.raises(UserError, match=r"damaged.*delete it to measure again"):
        run_directory.read_evaluation(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "no run in"), ("{", "is damaged"), ("[]", "is damaged"), ("{}", "damaged")],
)
def test_bad_settings_are_refused(tmp_path, content, message):
    if content is not None:
        (tmp_path / "settings.json").write_text(content)
    with pytest.raises(UserError, match=message):
        run_directory.read_settings(tmp_path)


def test_every_new_run_has_a_folder_of_its_own(tmp_path):
    parent = str(tmp_path / "runs")
    made = [run_directory.new_folder(parent, "psi paper: rules") for _ in range(3)]
    assert [path.name[-3:] for path in made] == ["001", "002", "003"]
    assert {path.name[:-3] for path in made} == {"psi_paper__rules_"}
    assert all(path.is_dir() for path in made)
