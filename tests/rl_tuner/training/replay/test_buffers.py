import collections

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from rl_tuner.training.replay.buffers import (
    PrioritizedReplay,
    UniformReplay,
    bytes_needed,
)
from rl_tuner.training.replay.sum_tree import SumTree

FIELDS = {"a": tf.TensorSpec([], tf.int32), "b": tf.TensorSpec([2], tf.float32)}


def _rows(values):
    values = np.asarray(values, np.int32)
    return {"a": values, "b": np.stack([values, -values], 1).astype(np.float32)}


@pytest.mark.parametrize("kind", [UniformReplay, PrioritizedReplay])
@pytest.mark.parametrize("is_compiled", [True, False])
def test_holds_what_a_deque_would_hold(kind, is_compiled):
    replay = kind(10, FIELDS)
    expected = collections.deque(maxlen=10)
    add = tf.function(replay.add, jit_compile=True) if is_compiled else replay.add
    for start in range(0, 30, 3):  # 3 does not divide 10: additions wrap around
        add(_rows(range(start, start + 3)), tf.ones([3]))
        expected.extend(range(start, start + 3))
        assert int(replay.size) == len(expected)
        sample = replay.sample(500, tf.constant([start, 1])).transitions
        assert set(sample["a"].numpy()) == set(expected)
        np.testing.assert_array_equal(sample["b"][:, 0], sample["a"])
        np.testing.assert_array_equal(sample["b"][:, 1], -sample["a"])


def test_samples_uniformly_what_is_stored():
    replay = UniformReplay(100, FIELDS)
    replay.add(_rows(range(7)))
    sample = tf.function(replay.sample, jit_compile=True)(7000, tf.constant([1, 2]))
    counts = np.bincount(sample.transitions["a"], minlength=7)
    assert counts.size == 7
    assert scipy.stats.chisquare(counts).pvalue > 1e-3


class _NaivePrioritized:
    """Schaul et al. 2016, 3.3 and 3.4, written down in NumPy."""

    def __init__(self, capacity, alpha, beta):
        self.priorities = np.zeros(capacity)
        self.values = np.zeros(capacity, int)
        self.added, self.alpha, self.beta = 0, alpha, beta

    def add(self, values, errors):
        rows = (self.added + np.arange(len(values))) % len(self.values)
        self.values[rows] = values
        self.added += len(values)
        self.update(rows, errors)

    def update(self, rows, errors):
        for row, error in zip(rows, errors, strict=True):
            self.priorities[row] = (abs(error) + 0.01) ** self.alpha

    def probabilities(self):
        return self.priorities / self.priorities.sum()

    def weights(self, rows):
        size = min(self.added, len(self.values))
        weights = (size * self.probabilities()[rows]) ** -self.beta
        return weights / weights.max()


@pytest.mark.parametrize(
    ("capacity", "is_compiled"), [(1, False), (7, False), (64, False), (1000, True)]
)
def test_priorities_are_those_of_a_naive_memory(capacity, is_compiled):
    random = np.random.default_rng(capacity)
    replay = PrioritizedReplay(capacity, FIELDS, 0.7, 0.4)
    naive = _NaivePrioritized(capacity, 0.7, 0.4)
    batch = min(capacity, 37)
    add, update, sample = (
        tf.function(method, jit_compile=is_compiled)
        for method in (replay.add, replay.update, replay.sample)
    )
    for turn in range(100):
        values = random.integers(0, 10**6, batch)
        errors = random.normal(size=batch).astype(np.float32) * 10 ** random.uniform(
            -3, 3
        )
        add(_rows(values), errors)
        naive.add(values, errors)
        drawn = sample(64, tf.constant([turn, 3]))
        np.testing.assert_array_equal(
            drawn.transitions["a"], naive.values[drawn.rows.numpy()]
        )
        np.testing.assert_allclose(
            drawn.weights, naive.weights(drawn.rows.numpy()), rtol=1e-4
        )
        # Rows that were drawn twice keep one error.
        new_errors = random.exponential(size=capacity).astype(np.float32)
        update(drawn.rows, new_errors[drawn.rows.numpy()])
        naive.update(drawn.rows.numpy(), new_errors[drawn.rows.numpy()])
        tree = replay._tree
        rows = tf.range(capacity, dtype=tf.int64)
        np.testing.assert_allclose(tree.values(rows), naive.priorities, rtol=1e-5)
        np.testing.assert_allclose(tree.total, naive.priorities.sum(), rtol=1e-5)


def test_tree_does_not_drift():
    tree = SumTree(300)
    random = np.random.default_rng(0)
    set_values = tf.function(tree.set_values, jit_compile=True)
    values = np.zeros(300)
    for _ in range(500):
        rows = random.choice(300, 16)
        values[rows] = 10.0 ** random.uniform(-8, 8, 300)[rows]
        set_values(tf.constant(rows), tf.constant(values[rows]))
    again = SumTree(300)
    again.fill(values)
    np.testing.assert_array_equal(tree._nodes, again._nodes)


def test_tree_finds_the_stretch_of_every_position():
    values = np.array([0.0, 2.0, 0.0, 0.5, 3.0, 0.0])
    tree = SumTree(len(values))
    tree.fill(values)
    positions = np.linspace(0.0, values.sum(), 1001)[:-1]
    expected = np.searchsorted(np.cumsum(values), positions, side="right")
    np.testing.assert_array_equal(tree.find(tf.constant(positions)), expected)
    past_the_end = tf.constant([5.5, 6.0, 1e9], tf.float64)
    np.testing.assert_array_equal(tree.find(past_the_end), [4, 4, 4])


def test_samples_in_proportion_to_the_priorities():
    replay = PrioritizedReplay(50, FIELDS)
    errors = np.concatenate([[0.0, 1e4], np.geomspace(0.01, 100, 38)])
    replay.add(_rows(range(40)), errors.astype(np.float32))
    number = 200_000
    sample = tf.function(replay.sample, jit_compile=True)(number, tf.constant([1, 2]))
    counts = np.bincount(sample.transitions["a"], minlength=40)
    priorities = (errors + 0.01) ** 0.5
    expected = number * priorities / priorities.sum()
    assert scipy.stats.chisquare(counts, expected).pvalue > 1e-3
    assert scipy.stats.chisquare(counts).pvalue < 1e-6


def _fill(replay, first, number):
    values = np.arange(first, first + number)
    replay.add(_rows(values), tf.constant(values % 11, tf.float32))


@pytest.mark.parametrize("kind", [UniformReplay, PrioritizedReplay])
@pytest.mark.parametrize("number", [30, 100])  # before and after it wraps around
def test_restored_memory_goes_on_bit_by_bit(kind, number):
    whole, restored = kind(64, FIELDS), kind(64, FIELDS)
    for first in range(0, number, 10):
        _fill(whole, first, 10)
    _fill(restored, 500, 64)  # what was there before does not matter
    restored.restore(whole.state())
    for turn in range(5):
        drawn = [
            replay.sample(100, tf.constant([turn, 4])) for replay in (whole, restored)
        ]
        for ours, theirs in zip(*map(tf.nest.flatten, drawn), strict=True):
            np.testing.assert_array_equal(ours, theirs)
        for replay in (whole, restored):
            replay.update(drawn[0].rows, tf.cast(drawn[0].rows, tf.float32) * turn)
            _fill(replay, 1000 * turn, 7)
    for name, value in whole.state().items():
        assert value.tobytes() == restored.state()[name].tobytes(), name


def test_state_of_another_memory_is_refused():
    state = UniformReplay(8, {"a": tf.TensorSpec([3])}).state()
    with pytest.raises(ValueError, match="a is"):
        UniformReplay(8, {"a": tf.TensorSpec([4])}).restore(state)


@pytest.mark.parametrize("kind", [UniformReplay, PrioritizedReplay])
def test_bytes_are_told_before_they_are_taken(kind):
    capacity, fields = 10_000, {**FIELDS, "c": tf.TensorSpec([600])}
    replay = kind(capacity, fields)
    taken = sum(variable.numpy().nbytes for variable in replay.variables)
    needed = bytes_needed(capacity, fields)
    assert needed <= taken <= 1.02 * needed
