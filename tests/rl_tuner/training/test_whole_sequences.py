"""Replay of whole sequences: what is stored, its targets, and its gradients."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from enumerable_task import EnumerableTask, ScoredEnumerableTask, random_prior

from rl_tuner.algorithms import value_learning
from rl_tuner.config import RLTunerConfig
from rl_tuner.errors import UserError
from rl_tuner.rl_tuner import RLTuner
from rl_tuner.scored_task import ScoredTask
from rl_tuner.training.replay.unfinished_sequences import UnfinishedSequences

MAX_LENGTH = 5
NUM_PRIMES = 2


def test_open_sequences_put_rewards_together_across_chunks():
    random = np.random.default_rng(0)
    book = UnfinishedSequences(3, MAX_LENGTH)
    playing = [[] for _ in range(3)]  # (token, reward) of each sequence, so far
    for chunk_length in (1, 4, 7, 2, 3, 11):
        expected, steps = [], []
        for _ in range(chunk_length):
            rows = []
            for played in playing:
                played.append((random.integers(1, 9), random.normal()))
                is_end = len(played) == MAX_LENGTH or random.random() < 0.3
                padding = [0] * (MAX_LENGTH - len(played))
                tokens = [7] * NUM_PRIMES + [token for token, _ in played] + padding
                rewards = [reward for _, reward in played]
                num_read = NUM_PRIMES + len(played) - 1
                rows.append((tokens, num_read, rewards[-1], 0.0 if is_end else 1.0))
                if is_end:
                    expected.append((tokens, num_read, rewards + padding))
                    played.clear()
            steps.append(rows)
        kinds = {
            "tokens": tf.int32,
            "num_read": tf.int32,
            "rewards": tf.float32,
            "continues": tf.float32,
        }
        fields = {
            name: tf.constant([[row[index] for row in rows] for rows in steps], kind)
            for index, (name, kind) in enumerate(kinds.items())
        }
        has_ended = fields["continues"] == 0.0
        closed = {
            name: tf.boolean_mask(values, has_ended)
            for name, values in book.add(fields).items()
        }
        assert len(closed["tokens"]) == len(expected)
        for index, name in enumerate(("tokens", "num_read", "rewards")):
            values = np.array([row[index] for row in expected])
            if len(expected):
                np.testing.assert_allclose(closed[name], values, rtol=1e-6)


@pytest.mark.parametrize("trace_decay", [0.0, 0.6, 1.0])
def test_traced_targets_add_up_later_errors(trace_decay):
    random = np.random.default_rng(1)
    targets, taken = random.normal(size=[2, 4, 6])
    lengths = [6, 3, 1, 5]
    continues = (np.arange(6) < np.array(lengths)[:, None] - 1).astype(float)
    traced = value_learning.traced_targets(
        *(tf.constant(x) for x in (targets, np.roll(taken, -1, axis=1), continues)),
        discount_rate=0.9,
        trace_decay=trace_decay,
    ).numpy()
    for row, length in enumerate(lengths):
        for t in range(length):
            later = sum(
                (0.9 * trace_decay) ** (k - t) * (targets[row, k] - taken[row, k])
                for k in range(t + 1, length)
            )
            assert traced[row, t] == pytest.approx(targets[row, t] + later, abs=1e-12)


def _tuner(mode, algorithm="g", terminal="zero", kind=ScoredEnumerableTask, **settings):
    task = kind(4, MAX_LENGTH, seed=2, end_token=2)
    config = RLTunerConfig(
        algorithm=algorithm,
        replay_mode=mode,
        terminal=terminal,
        minibatch_size=2,
        exploration_mode="boltzmann",
        replay_capacity=64,
        rounds_per_scoring=6,
        clip_norm=1e6,
        **settings,
    )
    tuner = RLTuner(random_prior(task, 5, (7,)), task, config)
    random = np.random.default_rng(6)  # a target network of its own
    tuner.target_network.set_weights(
        [random.normal(size=w.shape) for w in tuner.target_network.get_weights()]
    )
    return tuner


@pytest.mark.parametrize("terminal", ["zero", "bootstrap"])
@pytest.mark.parametrize("algorithm", ["q", "psi", "g", "pure_rl"])
def test_learns_what_all_prefixes_of_the_sequences_teach(algorithm, terminal):
    """The same loss and gradients as of each transition on its own, whole prefixes."""
    sequences = [[1, 3, 3, 2, 0], [2, 0, 0, 0, 0], [3, 1, 1, 3, 1]]
    lengths = [4, 1, 5]
    rewards = np.random.default_rng(7).normal(size=[3, MAX_LENGTH])
    whole = {
        "tokens": tf.constant([[0, *row] for row in sequences], tf.int32),
        "num_read": tf.constant(lengths, tf.int32),  # one priming token
        "rewards": tf.constant(rewards, tf.float32),
    }
    prefixes = [
        (
            [0, *row[: t + 1]] + [0] * (MAX_LENGTH - t - 1),
            t + 1,
            rewards[n][t],
            row[t],
            float(t < length - 1),
        )
        for n, (row, length) in enumerate(zip(sequences, lengths, strict=True))
        for t in range(length)
    ]
    names = ("tokens", "num_read", "rewards", "actions", "continues")
    kinds = (tf.int32, tf.int32, tf.float32, tf.int32, tf.float32)
    each = {
        name: tf.constant([row[index] for row in prefixes], kinds[index])
        for index, name in enumerate(names)
    }
    of_whole, gradients = _tuner(
        "whole_sequence", algorithm, terminal
    ).learner.gradients(whole)
    of_each, expected = _tuner("whole_prefix", algorithm, terminal).learner.gradients(
        each
    )
    np.testing.assert_allclose(of_whole.loss, of_each.loss, rtol=1e-5)
    for ours, theirs in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-5)
    starts = np.cumsum([0, *lengths])
    means = [
        np.mean(np.abs(of_each.errors.numpy()[a:b]))
        for a, b in itertools.pairwise(starts)
    ]
    np.testing.assert_allclose(of_whole.errors, means, rtol=1e-4)


@pytest.mark.parametrize(
    "replay", ["prioritized", pytest.param("uniform", marks=pytest.mark.learning)]
)
@pytest.mark.parametrize("kind", [ScoredEnumerableTask, EnumerableTask])
def test_stores_every_sequence_with_what_it_earned(kind, replay):
    tuner = _tuner("whole_sequence", kind=kind, replay=replay, reward_scaler=0.5)
    tuner.train(5 * 6 * 3)
    stored = tuner.memory.replay.state()
    assert len(stored["num_read"]) > 20
    assert set(stored["num_read"]) >= {1, 2, MAX_LENGTH}
    for tokens, length, rewards in zip(
        stored["tokens"], stored["num_read"], stored["rewards"], strict=True
    ):
        sequence = tokens[1 : 1 + length]
        assert (sequence[:-1] != 2).all()
        assert sequence[-1] == 2 or length == MAX_LENGTH
        padded = np.full([1, MAX_LENGTH], 2)
        padded[0, :length] = sequence
        scored = ScoredEnumerableTask(4, MAX_LENGTH, seed=2, end_token=2)
        earned = 0.5 * ScoredTask.rewards(scored, padded)
        np.testing.assert_allclose(rewards, earned[0], atol=1e-6)


def test_what_cannot_be_is_refused_in_a_line():
    with pytest.raises(UserError, match=r"trace_decay 0\.5 needs all of a sequence"):
        RLTunerConfig(trace_decay=0.5)
    with pytest.raises(UserError, match=r"trace_decay is 1\.5"):
        RLTunerConfig(replay_mode="whole_sequence", trace_decay=1.5)
