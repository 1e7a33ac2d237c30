import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf

from rl_tuner.algorithms import exploration


@pytest.mark.parametrize(
    ("step", "steps", "expected"),
    [(0, 100, 1.0), (50, 100, 0.55), (100, 100, 0.1), (999, 100, 0.1), (0, 0, 0.1)],
)
def test_epsilon_falls_linearly_then_stays(step, steps, expected):
    epsilon = exploration.linear_epsilon(tf.constant(step), steps, 1.0, 0.1)
    np.testing.assert_allclose(epsilon, expected, rtol=1e-6)


def test_epsilon_greedy_takes_the_random_action_with_probability_epsilon():
    count = 20_000
    scores = tf.tile([[0.0, 2.0, 1.0]], [count, 1])
    actions = exploration.epsilon_greedy(
        scores, tf.fill([count], 2), tf.constant(0.3), tf.constant([1, 2])
    ).numpy()
    assert set(actions) == {1, 2}
    assert scipy.stats.binomtest(int((actions == 2).sum()), count, 0.3).pvalue > 1e-3


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_boltzmann_samples_the_softmax(temperature):
    scores = np.array([0.0, 2.0, 1.0, -1.0])
    count = 20_000
    actions = exploration.boltzmann(
        tf.constant(np.tile(scores, [count, 1]), tf.float32),
        tf.constant([3, 4]),
        temperature,
    )
    counts = np.bincount(actions, minlength=4)
    expected = scipy.special.softmax(scores / temperature) * count
    assert scipy.stats.chisquare(counts, expected).pvalue > 1e-3


def test_boltzmann_is_exact_with_many_actions_of_all_sizes():
    rng = np.random.default_rng(0)
    scores = rng.normal(scale=3.0, size=38).astype(np.float32)
    scores[[0, 5, 37]] = -np.inf  # never chosen, at neither end
    count = 200_000
    actions = exploration.boltzmann(
        tf.constant(np.tile(scores, [count, 1])), tf.constant([1, 2])
    ).numpy()
    assert actions.dtype == np.int32
    counts = np.bincount(actions, minlength=38)
    expected = scipy.special.softmax(scores.astype(float)) * count
    assert counts[[0, 5, 37]].sum() == 0
    is_rare = expected < 10
    pooled = [[*n[~is_rare], n[is_rare].sum()] for n in (counts, expected)]
    assert scipy.stats.chisquare(*pooled).pvalue > 1e-3


@pytest.mark.parametrize("total", [1.0, 0.3, 1e-3, 38.0])
def test_largest_share_chooses_no_action_behind_the_last(total, monkeypatch):
    largest = tf.constant(1.0 - 2.0**-52, tf.float64)  # of what the random numbers are
    monkeypatch.setattr(
        tf.random,
        "stateless_uniform",
        lambda shape, seed, dtype: tf.fill(shape, largest),
    )
    monkeypatch.setattr(tf.nn, "softmax", lambda scores: scores)
    rows = np.random.default_rng(1).dirichlet(np.ones(38), size=1000) * total
    actions = exploration.boltzmann(tf.constant(rows, tf.float32), tf.constant([1, 2]))
    assert actions.numpy().max() <= 37


def test_same_seed_same_actions():
    scores = tf.zeros([100, 5])
    one, same = (exploration.boltzmann(scores, tf.constant([3, 4])) for _ in range(2))
    other = exploration.boltzmann(scores, tf.constant([3, 5]))
    np.testing.assert_array_equal(one, same)
    assert (one.numpy() != other.numpy()).any()
