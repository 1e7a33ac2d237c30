"""The update, against ten updates that Magenta's own graph made."""

import numpy as np
import pytest
import tensorflow as tf
from reference import REFERENCE, needs_reference
from toy_task import CountingTask

from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.rl_tuner import RLTuner, RLTunerConfig
from rl_tuner.training.replay.replay_modes import StoredStates

pytestmark = needs_reference


@pytest.fixture(name="golden", scope="module")
def _golden():
    return dict(np.load(REFERENCE / "music" / "training_updates.npz"))


@pytest.fixture(name="prior", scope="module")
def _prior():
    return SequenceRNN.load(REFERENCE / "note_rnn_paper")


def _batch(golden, index):
    return {
        "observations": tf.constant(golden["observations"][index], tf.int32),
        "actions": tf.constant(golden["actions"][index], tf.int32),
        "rewards": tf.constant(golden["rewards"][index]),
        "continues": tf.ones([32]),
        "states": tf.constant(golden["states"][index]),
        "new_states": tf.constant(golden["new_states"][index]),
        "new_prior_states": tf.constant(golden["reward_new_states"][index]),
    }


def _tuner(prior, **settings):
    config = RLTunerConfig(replay_capacity=64, **settings)
    return RLTuner(prior, CountingTask(num_classes=38), config)


def _next_values(tuner, batch):
    """V(s') of the target network, before an update."""
    networks = tuner.q_network, tuner.target_network, tuner.reward_rnn
    read = StoredStates().read(batch, *networks)
    return tuner.algorithm.state_value(read.next_logits, read.next_prior_logits)


@pytest.mark.parametrize("algorithm", ["q", "psi"])
def test_ten_updates_equal_magentas(golden, prior, algorithm):
    tuner = _tuner(prior, algorithm=algorithm)
    train_step = tf.function(tuner.train_step, jit_compile=True)
    for index in range(10):
        values = _next_values(tuner, _batch(golden, index))
        loss, _ = train_step(_batch(golden, index))
        np.testing.assert_allclose(
            values, golden[f"{algorithm}_target_vals"][index], rtol=1e-4, atol=1e-5
        )
        np.testing.assert_allclose(
            loss, golden[f"{algorithm}_prediction_error"][index], rtol=1e-4
        )
    for name, network in (("q", tuner.q_network), ("target", tuner.target_network)):
        np.testing.assert_allclose(
            network.unroll(golden["probe_tokens"]),
            golden[f"{algorithm}_{name}_probe_logits_after"],
            atol=1e-3,
        )


@pytest.mark.parametrize("reference_g_update", [False, True])
def test_first_g_update_equals_magentas(golden, prior, reference_g_update):
    tuner = _tuner(prior, algorithm="g", reference_g_update=reference_g_update)
    values = _next_values(tuner, _batch(golden, 0))
    loss, _ = tuner.train_step(_batch(golden, 0))
    np.testing.assert_allclose(values, golden["g_target_vals"][0], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(loss, golden["g_prediction_error"][0], rtol=1e-4)


@pytest.mark.parametrize("algorithm", ["q", "psi", "g", "pure_rl"])
def test_reward_rnn_stays_frozen(golden, prior, algorithm):
    tuner = _tuner(prior, algorithm=algorithm)
    tuner.train_step(_batch(golden, 0))
    for ours, theirs in zip(
        tuner.reward_rnn.get_weights(), prior.get_weights(), strict=True
    ):
        assert ours.tobytes() == theirs.tobytes()


def test_reference_g_update_reaches_the_reward_rnn(golden, prior):
    tuner = _tuner(prior, algorithm="g", reference_g_update=True)
    tuner.train_step(_batch(golden, 0))
    moved = [
        np.abs(ours - theirs).max()
        for ours, theirs in zip(
            tuner.reward_rnn.get_weights(), prior.get_weights(), strict=True
        )
    ]
    # Adam's first step moves every weight that has a gradient by the learning rate.
    assert min(moved) == pytest.approx(1e-3, rel=0.02)
