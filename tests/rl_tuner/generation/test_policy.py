import numpy as np
import pytest
import scipy.special
import scipy.stats

from rl_tuner.algorithms import get_algorithm
from rl_tuner.generation import policy as policies
from rl_tuner.generation.policy import Policy
from rl_tuner.networks.sequence_rnn import SequenceRNN


@pytest.fixture(name="networks", scope="module")
def _networks():
    q_network, reward_rnn = SequenceRNN(4, (6,)), SequenceRNN(4, (6,))
    rng = np.random.default_rng(2)
    for network in (q_network, reward_rnn):
        network.set_weights([rng.normal(size=v.shape) for v in network.get_weights()])
    return q_network, reward_rnn


@pytest.mark.parametrize("algorithm", ["psi", "g"])
@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_figures_of_each_token_equal_an_unroll(networks, algorithm, temperature):
    policy = Policy(*networks, get_algorithm(algorithm))
    primers = np.array([[1, 2, 0], [3, 3, 1]])
    out = policy.generate(primers, 5, temperature, seed=4)
    read = np.concatenate([primers, out.sequences], axis=1)[:, :-1]
    q, p = (network.unroll(read).numpy()[:, 2:] for network in networks)
    scores = (q + p if algorithm == "g" else q) / temperature
    log_pi = scipy.special.log_softmax(scores, axis=-1)
    log_p = scipy.special.log_softmax(p, axis=-1)
    pi = np.exp(log_pi)
    chosen = np.take_along_axis(log_p, out.sequences[..., None], -1)[..., 0]
    np.testing.assert_allclose(out.log_priors, chosen, atol=1e-5)
    np.testing.assert_allclose(out.entropies, -(pi * log_pi).sum(-1), atol=1e-5)
    np.testing.assert_allclose(out.kls, (pi * (log_pi - log_p)).sum(-1), atol=1e-5)


def test_samples_follow_the_policy(networks):
    policy = Policy(*networks, get_algorithm("g"))
    count = 4000
    first = policy.generate(np.full([count, 1], 2), 1).sequences[:, 0]
    scores = sum(network.unroll([[2]]).numpy()[0, 0] for network in networks)
    expected = scipy.special.softmax(scores.astype(np.float64)) * count
    counts = np.bincount(first, minlength=4)
    assert scipy.stats.chisquare(counts, expected).pvalue > 1e-3


def test_seed_decides_the_sequences_and_batches_differ(networks):
    policy = Policy.of_prior(networks[1])
    primers = np.zeros([2500, 1], int)
    one, same = (policy.generate(primers, 8, seed=1).sequences for _ in range(2))
    other = policy.generate(primers, 8, seed=2).sequences
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
    assert (one[:1024] != one[1024:2048]).any()


def test_untuned_model_is_its_own_prior(networks):
    out = Policy.of_prior(networks[1]).generate(np.zeros([8, 1], int), 6)
    np.testing.assert_allclose(out.kls, 0.0, atol=1e-6)


@pytest.mark.parametrize("end_token", [None, 3])
def test_long_sequences_are_made_of_pieces_that_do_not_show(
    networks, monkeypatch, end_token
):
    primers = np.array([[1, 2], [3, 3], [0, 1]])
    made = []
    for most in (100, 4):  # in one piece, and in three
        monkeypatch.setattr(policies, "MOST_STEPS", most)
        policy = Policy(*networks, get_algorithm("g"))
        made.append(policy.generate(primers, 10, seed=5, end_token=end_token))
    for whole, pieces in zip(*made, strict=True):
        assert pieces.shape == (3, 10)
        np.testing.assert_array_equal(whole, pieces)
