"""Policy gradients proven exactly, on tasks small enough to enumerate.

Every batch of two sequences there is, weighed by how likely the policy samples it: the
mean of an algorithm's gradients must be the gradient of what it is there to maximize,
which is found by differences of sums over all sequences, in double precision.
"""

import numpy as np
import pytest
import scipy.optimize
import scipy.special
import tensorflow as tf
from enumerable_task import (
    EnumerableTask,
    all_sequences,
    log_softmax,
    node_logits,
    random_prior,
    sequence_log_probs,
    sequence_rewards,
)

from rl_tuner.algorithms import get_algorithm
from rl_tuner.algorithms.algorithm import Batch, take_actions
from rl_tuner.algorithms.policy_gradient import (
    leave_one_out,
    over_the_others,
    returns_to_go,
)
from rl_tuner.config import RLTunerConfig

C = 0.8
TASK = EnumerableTask(3, 3, seed=4, end_token=2)
SEQUENCES = list(all_sequences(TASK))
LOG_P = log_softmax(node_logits(TASK, random_prior(TASK, 104)))
STATES = TASK.states()
START = np.random.default_rng(5).normal(size=[len(STATES), TASK.num_classes])


def _log_policy(theta):
    rows = np.reshape(theta, START.shape)
    return log_softmax(dict(zip(STATES, rows, strict=True)))


def _log_pi(theta):
    """log pi(tau) of each sequence."""
    return sequence_log_probs(TASK, _log_policy(theta))


def _augmented():
    """log p(tau) + R(tau)/c of each sequence."""
    return sequence_log_probs(TASK, LOG_P) + sequence_rewards(TASK) / C


def _objective(theta):
    log_pi = _log_pi(theta)
    return np.sum(np.exp(log_pi) * (_augmented() - log_pi))


def _dap_loss(theta):
    """Under the policy that samples, which is not differentiated."""
    return np.sum(np.exp(_log_pi(START)) * (_augmented() - _log_pi(theta)) ** 2)


def _differences(function):
    return scipy.optimize.approx_fprime(START.ravel(), function, 1e-6)


def _fields():
    """Nodes, actions, rewards and log p of all sequences: [S, T], 0 behind the end."""
    shape = len(SEQUENCES), TASK.max_length
    nodes, actions = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
    rewards, log_p, is_token = (np.zeros(shape, np.float32) for _ in range(3))
    for row, edges in enumerate(SEQUENCES):
        for t, (node, action) in enumerate(edges):
            nodes[row, t], actions[row, t] = STATES.index(node), action
            rewards[row, t] = TASK.edge_reward(node, action) / C
            log_p[row, t] = LOG_P[node][action]
            is_token[row, t] = 1.0
    return nodes, actions, rewards + log_p, is_token


def _mean_gradient(name, **settings):
    """Of an algorithm's loss over all batches of two sequences: [states * A]."""
    algorithm, config = get_algorithm(name), RLTunerConfig(name, **settings)
    nodes, actions, rewards, is_token = map(tf.constant, _fields())
    theta = tf.constant(START, tf.float32)
    log_pi_then = take_actions(tf.nn.log_softmax(tf.gather(theta, nodes)), actions)
    count = len(SEQUENCES)
    pairs = np.stack(np.meshgrid(*[np.arange(count)] * 2), axis=-1).reshape(-1, 2)
    likely = np.exp(_log_pi(START))[pairs].prod(axis=1)

    @tf.function
    def loss_of(theta):
        def of_pair(pair):
            logits = tf.gather(theta, tf.gather(nodes, pair))
            rows = (tf.gather(x, pair) for x in (actions, rewards, log_pi_then))
            acted, earned, then = (tf.ensure_shape(x, [2, 3]) for x in rows)
            batch = Batch(
                logits=tf.ensure_shape(logits, [2, 3, 3]),
                actions=acted,
                rewards=earned,
                continues=tf.zeros([2, 3]),  # plays no part
                log_policies=then,
                is_token=tf.ensure_shape(tf.gather(is_token, pair), [2, 3]),
            )
            return algorithm.loss(batch, config)[0]

        losses = tf.map_fn(of_pair, pairs, fn_output_signature=tf.float32)
        return tf.tensordot(losses, tf.constant(likely, tf.float32), 1)

    with tf.GradientTape() as tape:
        tape.watch(theta)
        loss = loss_of(theta)
    return tf.convert_to_tensor(tape.gradient(loss, theta)).numpy().ravel()


def test_sequences_end_early_and_late():
    assert {len(edges) for edges in SEQUENCES} == {1, 2, 3}
    assert np.exp(_log_pi(START)).sum() == pytest.approx(1.0)


@pytest.mark.parametrize("name", ["reinforce", "ppo"])
def test_mean_gradient_is_that_of_the_objective(name):
    expected = -_differences(_objective)  # of what is minimized
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(_mean_gradient(name), expected, atol=1e-5)


def test_second_update_of_ppo_has_the_return_of_what_was_sampled():
    """By hand: the policy has moved, by a ratio within bounds and by one beyond."""
    rewards = np.array([[0.3], [1.5]], np.float32)
    then, now = np.log([0.5, 0.2]), np.log([0.55, 0.6])
    logits = np.log([[[0.55, 0.45]], [[0.6, 0.4]]]).astype(np.float32)
    batch = Batch(
        logits=tf.constant(logits),
        actions=tf.zeros([2, 1], tf.int32),
        rewards=tf.constant(rewards),
        continues=tf.zeros([2, 1]),
        log_policies=tf.constant(then[:, np.newaxis], tf.float32),
        is_token=tf.ones([2, 1]),
    )
    loss, _ = get_algorithm("ppo").loss(batch, RLTunerConfig("ppo", clip_ratio=0.2))
    returns = rewards[:, 0] - then
    advantages = returns - returns[::-1]
    ratios = np.exp(now - then)
    clipped = np.clip(ratios, 0.8, 1.2)
    gains = np.minimum(ratios * advantages, clipped * advantages)
    assert gains[1] != pytest.approx(ratios[1] * advantages[1])
    assert float(loss) == pytest.approx(-gains.mean(), rel=1e-5)


def test_mean_gradient_of_dap_is_that_of_its_loss():
    expected = _differences(_dap_loss)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(_mean_gradient("dap"), expected, atol=1e-5)


def test_discount_makes_another_objective():
    """With gamma 0 each token is answerable for its own reward alone."""
    myopic = _mean_gradient("reinforce", discount_rate=0.0)
    log_policy = _log_policy(START)
    expected = np.zeros(START.shape)
    for edges, likely in zip(SEQUENCES, np.exp(_log_pi(START)), strict=True):
        for node, action in edges:
            value = TASK.edge_reward(node, action) / C + LOG_P[node][action]
            value -= log_policy[node][action]
            grad = np.eye(3)[action] - np.exp(log_policy[node])
            expected[STATES.index(node)] -= likely * value * grad
    # But for the others' mean, which must not depend on the action: it has no bias.
    np.testing.assert_allclose(myopic, expected.ravel(), atol=1e-5)


def test_mean_gradient_of_dpg_that_raises_none_is_that_of_the_objective():
    found = _mean_gradient("dpg", lowest_share=0.0)
    np.testing.assert_allclose(found, -_differences(_objective), atol=1e-5)


def test_dpg_raises_the_lowest_to_the_lowest_of_the_others():
    """Of ten sequences two: each by a(x) over the mean of the others'."""
    rng = np.random.default_rng(6)
    logits = tf.constant(rng.normal(size=[10, 1, 4]), tf.float32)
    actions = rng.integers(4, size=[10, 1])
    rewards = rng.normal(size=[10, 1]) * 3.0
    rewards[[2, 7]] -= [[40.0], [90.0]]  # what fails
    batch = Batch(
        logits=logits,
        actions=tf.constant(actions, tf.int32),
        rewards=tf.constant(rewards, tf.float32),
        continues=tf.zeros([10, 1]),
        is_token=tf.ones([10, 1]),
    )
    with tf.GradientTape() as tape:
        tape.watch(logits)
        config = RLTunerConfig("dpg", lowest_share=0.2)
        loss, _ = get_algorithm("dpg").loss(batch._replace(logits=logits), config)
    found = tf.convert_to_tensor(tape.gradient(loss, logits)).numpy()[:, 0]
    log_pi = scipy.special.log_softmax(logits.numpy()[:, 0], axis=1)
    rows = np.arange(10)
    x = rewards[:, 0] - log_pi[rows, actions[:, 0]]
    worth = np.maximum(x, np.sort(x)[2])
    assert worth[2] == worth[7] == np.delete(x, [2, 7]).min()
    others = np.array([np.delete(worth, row).mean() for row in rows])
    gradients = np.eye(4)[actions[:, 0]] - np.exp(log_pi)
    expected = -(worth - others)[:, np.newaxis] * gradients / 10
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_ppo_stops_where_the_ratio_is_too_far():
    """(7) in Schulman et al. 2017: no gain from beyond the bounds, but from within."""
    logits = tf.math.log([[[0.5, 0.5]], [[0.5, 0.5]]])
    config = RLTunerConfig("ppo", clip_ratio=0.2)

    def gradient(log_policies, rewards):
        batch = Batch(
            logits=logits,
            actions=tf.constant([[0], [1]]),
            rewards=tf.constant(rewards),
            continues=tf.zeros([2, 1]),
            log_policies=tf.math.log(log_policies),
            is_token=tf.ones([2, 1]),
        )
        with tf.GradientTape() as tape:
            tape.watch(logits)
            loss, _ = get_algorithm("ppo").loss(batch._replace(logits=logits), config)
        return tape.gradient(loss, logits).numpy()

    # The first earned more, and is likelier by half by now: enough. The second earned
    # less, and is less likely by far: enough too.
    done = gradient([[0.33], [0.9]], [[5.0], [-5.0]])
    np.testing.assert_array_equal(done, 0.0)
    # The other way round both have a way to go.
    due = gradient([[0.33], [0.9]], [[-5.0], [5.0]])
    assert (np.abs(due) > 0.1).all()


def test_returns_to_go():
    rewards = tf.constant([[1.0, 2.0, 4.0], [3.0, 5.0, 0.0]])
    found = returns_to_go(rewards, 0.5)
    np.testing.assert_allclose(found, [[3.0, 4.0, 4.0], [5.5, 5.0, 0.0]])
    np.testing.assert_allclose(
        returns_to_go(rewards, 1.0), [[7, 6, 4], [8, 5, 0]], rtol=1e-6
    )


def test_sequence_that_has_ended_counts_with_its_last_token():
    returns = tf.constant([[3.0, 4.0, 4.0], [6.0, 5.0, 0.0], [9.0, 1.0, 2.0]])
    is_token = tf.constant([[1.0, 1.0, 1.0], [1.0, 1.0, 0.0], [1.0, 1.0, 1.0]])
    expected = [[-4.5, 1.0, 0.5], [0.0, 2.5, 0.0], [4.5, -3.5, -2.5]]
    np.testing.assert_allclose(leave_one_out(returns, is_token), expected)


def test_one_sequence_has_no_others_to_be_over():
    np.testing.assert_array_equal(over_the_others(tf.constant([3.0])), [3.0])
    returns, is_token = tf.constant([[3.0, 2.0]]), tf.ones([1, 2])
    np.testing.assert_array_equal(leave_one_out(returns, is_token), returns)
