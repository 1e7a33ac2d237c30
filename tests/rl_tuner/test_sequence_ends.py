"""Sequences that end with a token: what is sampled, measured and counted of them."""

import numpy as np
import pytest
import scipy.special
from toy_task import CountingTask

from rl_tuner.algorithms import get_algorithm
from rl_tuner.generation import evaluation
from rl_tuner.generation.diversity import Corpus
from rl_tuner.generation.policy import Policy
from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.scored_task import PythonTask
from rl_tuner.sequence_ends import is_token, sequence_lengths

END = 2
SEQUENCES = np.array([[0, 2, 2, 2], [2, 2, 2, 2], [1, 1, 1, 2], [1, 1, 1, 1]])


class CountedTask(PythonTask):
    """Remembers for how many prefixes it was asked."""

    name = "counted"
    num_classes = 5
    max_length = 4
    end_token = END
    asked = 0

    def score(self, tokens, ended):
        self.asked += 1
        return float(sum(tokens))

    def metrics(self, sequences):
        return {}


@pytest.fixture(name="policy", scope="module")
def _policy():
    networks = [SequenceRNN(5, (6,)) for _ in range(2)]
    for number, network in enumerate(networks):
        random = np.random.default_rng(number)
        for variable in network.variables:
            variable.assign(0.4 * random.normal(size=variable.shape))
    return Policy(*networks, get_algorithm("g"))


@pytest.fixture(name="generated", scope="module")
def _generated(policy):
    return evaluation.generate_for_task(policy, CountingTask(end_token=END), 500)


def test_lengths_count_the_end_token():
    np.testing.assert_array_equal(sequence_lengths(SEQUENCES, END), [2, 1, 4, 4])
    np.testing.assert_array_equal(sequence_lengths(SEQUENCES, None), [4, 4, 4, 4])
    expected = [[1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1], [1, 1, 1, 1]]
    np.testing.assert_array_equal(is_token(SEQUENCES, END), expected)


def test_nothing_comes_after_the_end(policy, generated):
    ended = np.cumsum(generated.sequences == END, axis=1)
    padding = np.pad(ended, [(0, 0), (1, 0)])[:, :-1] > 0
    assert 0.1 < padding.mean() < 0.9
    assert (generated.sequences[padding] == END).all()
    for figures in generated[1:]:
        assert (figures[padding] == 0.0).all()
        assert (figures[~padding] != 0.0).all()
    # Up to there it is what is sampled without an end.
    endless = evaluation.generate_for_task(policy, CountingTask(), 500)
    for ours, theirs in zip(generated, endless, strict=True):
        np.testing.assert_array_equal(ours[~padding], theirs[~padding])


def test_means_are_over_tokens(policy, generated):
    task = CountingTask(end_token=END)
    measured = evaluation.evaluate_policy(policy, task, 500).metrics
    primes = evaluation.sample_primes(task, 500)
    inputs = np.concatenate([primes, generated.sequences[:, :-1]], axis=1)
    q, p = (n.unroll(inputs).numpy() for n in (policy.q_network, policy.reward_rnn))
    log_p, log_pi = (scipy.special.log_softmax(x, axis=-1) for x in (p, q + p))
    pi = np.exp(log_pi)
    sums = dict.fromkeys(("task_reward", "log_prior", "entropy", "kl"), 0.0)
    count = 0
    for row, sequence in enumerate(generated.sequences):
        for t, token in enumerate(sequence):
            count += 1
            here = row, t
            sums["task_reward"] += token / 5 + t
            sums["log_prior"] += log_p[here][token]
            sums["entropy"] -= np.sum(pi[here] * log_pi[here])
            sums["kl"] += np.sum(pi[here] * (log_pi[here] - log_p[here]))
            if token == END:
                break
    for name, total in sums.items():
        assert measured[name] == pytest.approx(total / count, rel=1e-4), name


def test_standard_errors_are_the_spread_of_repeated_measurements(policy):
    task = CountingTask(end_token=END)
    repeated = [
        evaluation.evaluate_policy(policy, task, 64, seed=seed) for seed in range(60)
    ]
    for name in ("task_reward", "log_prior", "kl", "entropy"):
        spread = np.std([run.metrics[name] for run in repeated], ddof=1)
        error = np.mean([run.standard_errors[name] for run in repeated])
        # 60 draws know a standard deviation to about 9%.
        assert error == pytest.approx(spread, rel=0.35), name


def test_few_sequences_are_scored_of_many(policy, monkeypatch):
    monkeypatch.setattr(evaluation, "REWARDED_SEQUENCES", 20)
    task = CountedTask()
    measured = evaluation.evaluate_policy(policy, task, 300).metrics
    sequences = evaluation.generate_for_task(policy, task, 300).sequences[:20]
    lengths = sequence_lengths(sequences, END)
    assert task.asked == lengths.sum()
    totals = [np.cumsum(s)[:n].sum() for s, n in zip(sequences, lengths, strict=True)]
    expected = sum(totals) / lengths.sum()
    assert measured["task_reward"] == pytest.approx(expected)
    assert "measured on the first 20 of them" in evaluation.remarks(task, 300)[0]


def test_all_sequences_are_scored_where_prefixes_are_not(policy, monkeypatch):
    monkeypatch.setattr(evaluation, "REWARDED_SEQUENCES", 20)
    task = CountedTask()
    task.scores_prefixes = False
    measured = evaluation.evaluate_policy(policy, task, 50).metrics
    sequences = evaluation.generate_for_task(policy, task, 50).sequences
    lengths = sequence_lengths(sequences, END)
    totals = [np.cumsum(s)[:n].sum() for s, n in zip(sequences, lengths, strict=True)]
    assert measured["task_reward"] == pytest.approx(sum(totals) / lengths.sum())
    assert not evaluation.remarks(task, 50)


def test_copies_are_whole_sequences_of_the_corpus():
    corpus = Corpus([np.array([0]), np.array([1, 1, 1]), np.array([0, 1, 1, 1, 1])])
    shares = [corpus.copied_share(SEQUENCES[i : i + 1], END) for i in range(4)]
    assert shares == [100.0, 0.0, 100.0, 0.0]
