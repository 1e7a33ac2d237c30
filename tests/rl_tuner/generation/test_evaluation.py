import numpy as np
import pytest
from toy_task import CountingTask

from rl_tuner.algorithms import get_algorithm
from rl_tuner.generation import evaluation
from rl_tuner.generation.diversity import Corpus
from rl_tuner.generation.policy import Policy
from rl_tuner.metrics import Judgement
from rl_tuner.networks.sequence_rnn import SequenceRNN


@pytest.fixture(name="policy", scope="module")
def _policy():
    networks = [SequenceRNN(5, (6,)) for _ in range(2)]
    for number, network in enumerate(networks):
        random = np.random.default_rng(number)
        for variable in network.variables:
            variable.assign(random.normal(size=variable.shape))
    return Policy(*networks, get_algorithm("g"))


def test_measures_are_those_of_the_task_and_of_the_policy(policy):
    task = CountingTask()
    measured = evaluation.evaluate_policy(policy, task, 300, seed=3)
    sequences = evaluation.generate_for_task(policy, task, 300, seed=3).sequences
    assert measured.metrics["mean_token"] == task.metrics(sequences)["mean_token"]
    assert measured.metrics["task_reward"] == pytest.approx(
        task.rewards(sequences).mean()
    )
    assert list(measured.metrics)[1:] == [
        *("unique", "task_reward", "log_prior", "entropy", "kl")
    ]
    assert (measured.num_sequences, measured.seed) == (300, 3)


def test_copies_are_counted_and_the_task_sees_the_corpus(policy):
    class ComparingTask(CountingTask):
        def judge(self, sequences, corpus=None):
            return Judgement({"seen": float(len(corpus))}, {"seen": 0.5}, {"n": 1})

    task = ComparingTask()
    sequences = evaluation.generate_for_task(policy, task, 50, seed=3).sequences
    corpus = Corpus([sequences[0], sequences[1]])
    measured = evaluation.evaluate_policy(policy, task, 50, seed=3, corpus=corpus)
    known = (sequences[:, np.newaxis] == sequences[:2]).all(axis=2).any(axis=1)
    assert measured.metrics["copied"] == pytest.approx(100 * known.mean())
    assert measured.metrics["seen"] == 2.0
    assert measured.standard_errors["seen"] == 0.5
    assert measured.counts == {"n": 1}


def test_standard_errors_are_the_spread_of_repeated_measurements(policy):
    task, number = CountingTask(), 64
    repeated = [
        evaluation.evaluate_policy(policy, task, number, seed=seed)
        for seed in range(60)
    ]
    for name in ("task_reward", "log_prior", "kl", "entropy"):
        spread = np.std([run.metrics[name] for run in repeated], ddof=1)
        error = np.mean([run.standard_errors[name] for run in repeated])
        # 60 draws know a standard deviation to about 9%.
        assert error == pytest.approx(spread, rel=0.35), name
        assert error > 0


def test_log_priors_are_those_of_the_generation(policy):
    task = CountingTask()
    generated = evaluation.generate_for_task(policy, task, 200, seed=5)
    primes = evaluation.sample_primes(task, 200, seed=5)
    found = evaluation.log_priors(policy.reward_rnn, primes, generated.sequences)
    np.testing.assert_allclose(found, generated.log_priors, atol=1e-5)
    other = evaluation.evaluate_policy(
        policy, task, 200, seed=5, untuned=policy.q_network
    )
    under_other = evaluation.log_priors(policy.q_network, primes, generated.sequences)
    assert other.metrics["log_untuned"] == pytest.approx(under_other.mean(), rel=1e-5)
    assert other.metrics["log_untuned"] != pytest.approx(other.metrics["log_prior"])


def test_probabilities_are_what_the_policy_draws(policy):
    task, number = CountingTask(), 4000
    generated = evaluation.generate_for_task(policy, task, number)
    primes = evaluation.sample_primes(task, number)
    probabilities = evaluation.next_token_probabilities(
        policy, primes, generated.sequences
    )
    np.testing.assert_allclose(probabilities.sum(axis=-1), 1.0, rtol=1e-5)
    entropies = -(probabilities * np.log(probabilities)).sum(axis=-1)
    np.testing.assert_allclose(entropies, generated.entropies, atol=1e-4)
    drawn = np.eye(5)[generated.sequences]
    error = np.sqrt((probabilities * (1 - probabilities)).mean(axis=0) / number)
    off = np.abs(drawn.mean(axis=0) - probabilities.mean(axis=0))
    assert (off < 5 * error).all()
