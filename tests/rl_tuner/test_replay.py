import collections

import numpy as np
import scipy.stats
import tensorflow as tf

from rl_tuner.replay import UniformReplay

FIELDS = {"a": tf.TensorSpec([], tf.int32), "b": tf.TensorSpec([2], tf.float32)}


def _replay(capacity):
    return UniformReplay(capacity, FIELDS)


def _rows(values):
    values = np.asarray(values, np.int32)
    return {"a": values, "b": np.stack([values, -values], 1).astype(np.float32)}


def test_holds_what_a_deque_would_hold():
    replay = _replay(10)
    expected = collections.deque(maxlen=10)
    add = tf.function(replay.add, jit_compile=True)
    for start in range(0, 60, 3):  # 3 does not divide 10: additions wrap around
        add(_rows(range(start, start + 3)))
        expected.extend(range(start, start + 3))
        assert int(replay.size) == len(expected)
        sample = replay.sample(500, tf.constant([start, 1]))
        assert set(sample["a"].numpy()) == set(expected)
        np.testing.assert_array_equal(sample["b"][:, 0], sample["a"])
        np.testing.assert_array_equal(sample["b"][:, 1], -sample["a"])


def test_samples_uniformly_what_is_stored():
    replay = _replay(100)
    replay.add(_rows(range(7)))
    sample = tf.function(replay.sample, jit_compile=True)(7000, tf.constant([1, 2]))
    counts = np.bincount(sample["a"], minlength=7)
    assert counts.size == 7
    assert scipy.stats.chisquare(counts).pvalue > 1e-3
