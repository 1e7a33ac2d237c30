import numpy as np
import pytest
from toy_task import CountingTask

from rl_tuner.algorithms import get_algorithm
from rl_tuner.generation import evaluation
from rl_tuner.generation.policy import Policy
from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.reports.publication import Experiment


@pytest.fixture(name="policy", scope="module")
def _policy():
    networks = [SequenceRNN(5, (6,)) for _ in range(2)]
    for number, network in enumerate(networks):
        random = np.random.default_rng(number)
        for variable in network.variables:
            variable.assign(random.normal(size=variable.shape))
    return Policy(*networks, get_algorithm("g"))


def test_measures_are_those_of_evaluate_policy(policy):
    task = CountingTask()
    measured = evaluation.measure_policy(policy, task, Experiment(), 300, seed=3)
    expected = evaluation.evaluate_policy(policy, task, 300, seed=3)
    assert measured.metrics.pop("log_untuned") == measured.metrics["log_prior"]
    assert measured.metrics == pytest.approx(expected)
    assert (measured.num_sequences, measured.seed) == (300, 3)


def test_standard_errors_are_the_spread_of_repeated_measurements(policy):
    task, number = CountingTask(), 64
    repeated = [
        evaluation.measure_policy(policy, task, Experiment(), number, seed=seed)
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
    other = evaluation.measure_policy(
        policy, task, Experiment(), 200, seed=5, untuned=policy.q_network
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
