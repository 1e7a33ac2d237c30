import numpy as np
import pytest
import scipy.special
import tensorflow as tf

from rl_tuner.algorithms import ALGORITHMS, get_algorithm, value_learning
from rl_tuner.algorithms.algorithm import log_prior, total_reward
from rl_tuner.errors import UserError

RNG = np.random.default_rng(1)
LOGITS = RNG.normal(size=[6, 5]).astype(np.float32) * 3
PRIOR_LOGITS = RNG.normal(size=[6, 5]).astype(np.float32) * 3
LOG_P = scipy.special.log_softmax(PRIOR_LOGITS, axis=1)

VALUES = {
    "q": LOGITS.max(1),
    "psi": scipy.special.logsumexp(LOGITS, axis=1),
    "g": scipy.special.logsumexp(LOGITS + LOG_P, axis=1),
    "pure_rl": LOGITS.max(1),
}


@pytest.mark.parametrize("name", VALUES)
def test_state_value(name):
    value = get_algorithm(name).state_value(LOGITS, PRIOR_LOGITS)
    np.testing.assert_allclose(value, VALUES[name], rtol=1e-5)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_policy(name):
    scores = get_algorithm(name).policy_logits(LOGITS, PRIOR_LOGITS)
    expected = np.exp(LOGITS) * (np.exp(LOG_P) if name == "g" else 1)
    expected /= expected.sum(1, keepdims=True)
    np.testing.assert_allclose(scipy.special.softmax(scores, axis=1), expected, 1e-4)


def test_log_prior_is_scipys_log_softmax():
    actions = np.array([0, 4, 2, 2, 1, 3])
    np.testing.assert_allclose(
        log_prior(PRIOR_LOGITS, actions),
        LOG_P[np.arange(6), actions],
        rtol=1e-5,
    )


@pytest.mark.parametrize(
    ("name", "use_log_prior", "expected"),
    [
        ("q", True, 1.0),
        ("psi", True, 1.0),
        ("g", True, 4.0),
        ("pure_rl", True, 4.0),
        ("q", False, 4.0),
    ],
)
def test_total_reward(name, use_log_prior, expected):
    reward = total_reward(
        get_algorithm(name), tf.constant([2.0]), tf.constant([-3.0]), 2.0, use_log_prior
    )
    np.testing.assert_allclose(reward, [expected])


def test_td_target_bootstraps_only_where_the_sequence_goes_on():
    reward, value = tf.constant([1.0, 2.0]), tf.constant([10.0, 20.0])
    np.testing.assert_allclose(value_learning.td_target(reward, value, 0.5), [6, 12])
    continues = tf.constant([1.0, 0.0])
    np.testing.assert_allclose(
        value_learning.td_target(reward, value, 0.5, continues), [6, 2]
    )


def test_unknown_algorithm_lists_the_known():
    with pytest.raises(UserError, match="'sarsa'; choose one of q, psi, g, pure_rl"):
        get_algorithm("sarsa")
