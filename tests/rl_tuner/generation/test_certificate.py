"""The certificate against sums done by hand, of one primer, of two, and of many."""

import numpy as np
import pytest

from rl_tuner.generation.certificate import FEWEST_EFFECTIVE, certify

NUM = 400
HALF = np.arange(NUM) % 2


def _certify(log_w, primers, lengths=None):
    """Of samples with these weights, all of which are the reward's at 1/c = 2."""
    log_w = np.asarray(log_w, float)
    nothing = np.zeros(len(log_w))
    lengths = np.full(len(log_w), 4) if lengths is None else lengths
    return certify(
        log_w / 2.0, nothing, nothing, lengths, np.reshape(primers, (-1, 1)), 2.0
    )


def test_each_primer_has_its_own_log_z():
    """Nothing chooses the primer: what one earns more than another is no distance."""
    found = _certify(np.where(HALF, 3.0, -1.0), HALF)
    assert found.log_z == pytest.approx((3.0 - 1.0) / 2)
    assert found.objective == pytest.approx(1.0)
    assert found.gap == pytest.approx(0.0, abs=1e-12)
    assert found.effective_share == pytest.approx(100.0)
    assert found.optimum_reward == pytest.approx(1.0 / 2.0 / 4.0)
    assert found.optimum_kl == pytest.approx(0.0, abs=1e-12)


def test_within_a_primer_weights_say_how_far_the_optimum_is():
    """Two kinds of sequences, of weights 1 and 3, as likely: Z = 2."""
    lengths = np.where(HALF, 2, 6)
    found = _certify(np.log(np.where(HALF, 3.0, 1.0)), np.zeros(NUM), lengths)
    assert found.log_z == pytest.approx(np.log(2.0))
    assert found.gap == pytest.approx(np.log(2.0) - np.log(3.0) / 2.0)
    assert found.effective_share == pytest.approx(100.0 * 0.5 / (0.75**2 + 0.25**2))
    tokens = 0.75 * 2 + 0.25 * 6
    reward = 0.75 * np.log(3.0) / 2.0
    assert found.optimum_reward == pytest.approx(reward / tokens)
    divergence = 0.75 * np.log(0.75 / 0.5) + 0.25 * np.log(0.25 / 0.5)
    assert found.optimum_kl == pytest.approx(divergence / tokens)


@pytest.mark.parametrize("of_each", [1, 2])
def test_primers_of_few_samples_are_taken_together(of_each):
    """Else each would be its own optimum, and the distance 0: it is an upper bound."""
    log_w = np.random.default_rng(0).normal(scale=1.0, size=4000)
    found = _certify(log_w, np.arange(4000) // of_each)
    assert found.gap == pytest.approx(np.log(np.mean(np.exp(log_w))) - log_w.mean())
    assert found.gap == pytest.approx(0.5, abs=0.1)  # of a log-normal: its variance / 2


def test_too_few_effective_samples_carry_nothing():
    heavy = np.zeros(NUM)
    heavy[: FEWEST_EFFECTIVE - 1] = 50.0
    found = _certify(heavy, np.zeros(NUM))
    assert np.isnan([found.log_z, found.gap, found.optimum_reward]).all()
    assert found.objective == pytest.approx(heavy.mean())
    assert found.effective_share == pytest.approx(100.0 * (FEWEST_EFFECTIVE - 1) / NUM)
    heavy[: FEWEST_EFFECTIVE + 1] = 50.0
    assert np.isfinite(_certify(heavy, np.zeros(NUM)).log_z)
