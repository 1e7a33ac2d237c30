import numpy as np
import pytest
from toy_task import CountingTask

from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.rl_tuner import RLTuner, RLTunerConfig
from rl_tuner.training import divergence
from rl_tuner.training.divergence import Diverged

REWARDS = np.array([3.0, -40.0, 5.0, 0.0], np.float32)


def _check(loss, rewards=REWARDS, discount_rate=0.5, weights=()):
    limit = divergence.limit(rewards, discount_rate)
    divergence.check(700, loss, limit, weights)


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_loss_that_is_not_finite_stops(loss):
    with pytest.raises(Diverged, match=rf"the loss is {loss} at step 700; try a small"):
        _check(loss)


def test_weight_that_is_not_finite_stops():
    """The loss of the update that spoiled it was still finite."""
    with pytest.raises(Diverged, match="a weight is not finite at step 700"):
        _check(1.0, weights=[np.ones(3), np.array([[1.0, np.nan]])])


@pytest.mark.parametrize(
    ("discount_rate", "limit"),
    [(0.0, 400.0**2), (0.5, 800.0**2), (0.9, 4000.0**2), (1.0, 40_000.0**2)],
)
def test_loss_explodes_above_a_limit_that_rewards_and_horizon_set(discount_rate, limit):
    _check(0.99 * limit, discount_rate=discount_rate)
    with pytest.raises(Diverged, match="the loss explodes: at step 700"):
        _check(1.01 * limit, discount_rate=discount_rate)


def test_without_rewards_values_may_still_be_as_the_prior_has_them():
    for rewards in (np.zeros(5, np.float32), np.zeros(0, np.float32)):
        _check(0.9 * 200.0**2, rewards)
        with pytest.raises(Diverged, match="explodes"):
            _check(1.1 * 200.0**2, rewards)


def test_training_stops_at_a_weight_that_is_not_a_number():
    tuner = RLTuner(
        SequenceRNN(5, (6,)), CountingTask(), RLTunerConfig(replay_capacity=100)
    )
    tuner.train(100, report_every=50)
    tuner.q_network.variables[0].assign(tuner.q_network.variables[0] * np.nan)
    with pytest.raises(Diverged, match="at step 150"):
        tuner.train(100, report_every=50)
