"""Lookback and attention under the tuner: they learn, are kept, and come back."""

import numpy as np
import pytest

from melody_rnn.networks.kinds import AttentionRNN, LookbackRNN
from melody_rnn.task import MelodyTask
from rl_tuner.algorithms import get_algorithm
from rl_tuner.errors import UserError
from rl_tuner.generation.policy import Policy
from rl_tuner.networks.network import Network
from rl_tuner.rl_tuner import RLTuner, RLTunerConfig

PRIORS = {
    "lookback": lambda: LookbackRNN(38, (8,)),
    "attention": lambda: AttentionRNN(38, (8,), attention_length=4),
}


def _config(algorithm, replay_mode):
    return RLTunerConfig(
        algorithm=algorithm,
        replay_mode=replay_mode,
        minibatch_size=8,
        replay_capacity=64,
        num_sequences=5,
    )


@pytest.mark.parametrize(
    ("prior", "algorithm", "replay_mode"),
    [
        ("lookback", "psi", "stored_state"),
        pytest.param("attention", "g", "whole_sequence", marks=pytest.mark.learning),
        pytest.param("attention", "q", "whole_prefix", marks=pytest.mark.learning),
        pytest.param("attention", "psi", "stored_state", marks=pytest.mark.learning),
        pytest.param("lookback", "pure_rl", "stored_state", marks=pytest.mark.learning),
        pytest.param("lookback", "g", "whole_prefix", marks=pytest.mark.learning),
    ],
)
def test_tunes_and_is_kept(tmp_path, prior, algorithm, replay_mode):
    prior = PRIORS[prior]()
    task = MelodyTask(reward_mode="key", num_notes_in_melody=20)
    tuner = RLTuner(prior, task, _config(algorithm, replay_mode))
    tuner.train(600)
    before = prior.weight_arrays()
    for name, weight in tuner.q_network.weight_arrays().items():
        assert np.isfinite(weight).all()
        assert np.abs(weight - before[name]).max() > 0, name
    for name, weight in tuner.reward_rnn.weight_arrays().items():
        np.testing.assert_array_equal(weight, before[name])
    tuner.q_network.save(tmp_path / "q")
    tuner.reward_rnn.save(tmp_path / "prior")
    again = Policy(
        Network.load(tmp_path / "q"),
        Network.load(tmp_path / "prior"),
        get_algorithm(algorithm),
    )
    primers = np.full([3, 1], 14)
    np.testing.assert_array_equal(
        again.generate(primers, 20).sequences,
        tuner.policy.generate(primers, 20).sequences,
    )


def test_states_that_do_not_fit_are_told_with_what_does(monkeypatch):
    from rl_tuner.system import free_space

    monkeypatch.setattr(free_space, "available_bytes", lambda: 1 << 30)
    prior = AttentionRNN(38, (128, 128))
    with pytest.raises(UserError, match="choose replay_mode 'whole_sequence'") as told:
        RLTuner(prior, MelodyTask(), RLTunerConfig())
    assert "\n" not in str(told.value)
    # 100,000 times three states of 5,811 floats, and a third more for a save.
    assert "takes 8.66 GiB" in str(told.value)


def test_policy_of_two_networks_is_no_network():
    prior = PRIORS["attention"]()
    policy = Policy(prior.clone(), prior, get_algorithm("g"))
    with pytest.raises(UserError, match="sums the probabilities of labels") as told:
        policy.as_network()
    assert "\n" not in str(told.value)
