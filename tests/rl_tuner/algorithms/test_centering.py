"""Centred rewards: a constant of every sequence, whatever its length."""

import numpy as np
import pytest
from enumerable_task import EnumerableTask

from rl_tuner.algorithms.centering import Center, center_of

ENDING = EnumerableTask(3, 3, seed=4, end_token=2)
FIXED = EnumerableTask(3, 3, seed=4)
SEQUENCES = np.array([[2, 0, 0], [0, 2, 0], [0, 1, 2], [1, 1, 1]])
LENGTHS = np.array([1, 2, 3, 3])


def _earned(task):
    """Rewards and last tokens, 0 behind the end: [N, T] each."""
    rewards, ended = task.rewards(SEQUENCES), np.zeros(SEQUENCES.shape)
    ended[np.arange(len(SEQUENCES)), LENGTHS - 1] = 1.0
    return rewards, ended


def test_sequences_that_end_are_centred_as_a_whole():
    center = center_of(ENDING, SEQUENCES)
    rewards, ended = _earned(ENDING)
    mean = rewards.sum(axis=1).mean()
    assert center == Center(of_sequence=pytest.approx(mean))
    centred = np.asarray(center.taken_off(rewards, ended))
    assert centred.sum() == pytest.approx(0.0, abs=1e-5)
    # Of each the same, or another sequence would be the best.
    differences = centred.sum(axis=1) - rewards.sum(axis=1)
    np.testing.assert_allclose(differences, -mean, rtol=1e-5)


def test_sequences_of_one_length_are_centred_token_by_token():
    center = center_of(FIXED, SEQUENCES)
    rewards, ended = FIXED.rewards(SEQUENCES), np.zeros(SEQUENCES.shape)
    assert center == Center(of_token=pytest.approx(rewards.mean()))
    centred = np.asarray(center.taken_off(rewards, ended))
    np.testing.assert_allclose(centred, rewards - rewards.mean(), atol=1e-6)
