import numpy as np
import pytest
import scipy.special
import tensorflow as tf
from toy_task import CountingTask

from rl_tuner import assembly
from rl_tuner.errors import UserError
from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.rl_tuner import RLTuner, RLTunerConfig
from rl_tuner.training.loop import NUM_SUMS


@pytest.fixture(name="prior", scope="module")
def _prior():
    keras_seed = np.random.default_rng(3)
    prior = SequenceRNN(5, (6,))
    prior.set_weights([keras_seed.normal(size=v.shape) for v in prior.get_weights()])
    return prior


def _tuner(prior, task=None, **settings):
    settings = {"replay_capacity": 1000, "exploration_steps": 500, **settings}
    return RLTuner(prior, task or CountingTask(), RLTunerConfig(**settings))


@pytest.fixture(name="standard", scope="module")
def _standard(prior):
    """A tuner of these settings and no others, after 400 steps and after 1,000.

    {steps: state}
    """
    tuner, states = _tuner(prior), {}
    for steps in (400, 600):
        tuner.train(steps)
        states[tuner.step] = {k: np.array(v) for k, v in tuner.state().items()}
    return states


def _stored(tuner):
    """The transitions in the order they were stored."""
    size = int(tuner.memory.replay.size)
    return {
        name: ring.numpy()[:size] for name, ring in tuner.memory.replay._rings.items()
    }


@pytest.mark.parametrize(
    ("algorithm", "mode"),
    [
        ("psi", "egreedy"),
        pytest.param("g", "boltzmann", marks=pytest.mark.learning),
        pytest.param("psi", "boltzmann", marks=pytest.mark.learning),
        pytest.param("g", "egreedy", marks=pytest.mark.learning),
    ],
)
def test_stored_transitions_are_what_the_networks_say(prior, algorithm, mode):
    # 60 steps, and no update before 64 transitions: the Q network is still the prior.
    tuner = _tuner(
        prior,
        algorithm=algorithm,
        exploration_mode=mode,
        minibatch_size=64,
        reward_scaler=3.0,
    )
    tuner.train(60)
    for row in range(tuner.config.num_sequences):
        played = {
            k: v[row :: tuner.config.num_sequences] for k, v in _stored(tuner).items()
        }
        for start in range(0, 12, 4):  # melodies of four tokens
            melody = {k: v[start : start + 4] for k, v in played.items()}
            observations, actions = melody["observations"], melody["actions"]
            np.testing.assert_array_equal(observations[1:], actions[:-1])
            np.testing.assert_array_equal(melody["continues"], [1, 1, 1, 0])
            state = prior.initial_state(1)
            for t in range(4):
                np.testing.assert_allclose(melody["states"][t], state[0], atol=1e-5)
                logits, state = prior.step(observations[t : t + 1], state)
                for name in ("new_states", "new_prior_states"):
                    np.testing.assert_allclose(melody[name][t], state[0], atol=1e-5)
                log_p = scipy.special.log_softmax(logits[0])[actions[t]]
                reward = 3.0 * (actions[t] / 5 + t)
                reward += log_p if algorithm == "psi" else 0.0
                np.testing.assert_allclose(melody["rewards"][t], reward, rtol=1e-5)


def test_end_token_ends_a_sequence(prior):
    tuner = _tuner(prior, CountingTask(end_token=0), minibatch_size=900)
    tuner.train(500)
    stored = {k: v[:: tuner.config.num_sequences] for k, v in _stored(tuner).items()}
    ended = stored["continues"] == 0
    assert (ended[stored["actions"] == 0]).all()
    np.testing.assert_array_equal(stored["states"][1:][ended[:-1]], 0.0)
    assert (stored["states"][1:][~ended[:-1]] != 0.0).any(axis=1).all()


# Q-learning finds the best sequence in test_exact_kl_control.
@pytest.mark.parametrize(
    "algorithm",
    [
        "psi",
        *(pytest.param(x, marks=pytest.mark.learning) for x in ("g", "pure_rl", "q")),
    ],
)
def test_training_raises_the_reward_and_keeps_the_reward_rnn(prior, algorithm):
    tuner = _tuner(
        prior, algorithm=algorithm, exploration_steps=1000, learning_rate=0.02
    )
    before = tuner.evaluate(128)["mean_token"]
    reports = []
    tuner.train(4000, reports.append, report_every=1000)
    assert tuner.evaluate(128)["mean_token"] > before + 0.3
    assert [report.step for report in reports] == [1000, 2000, 3000, 4000]
    assert reports[-1].epsilon == pytest.approx(0.1)
    for ours, theirs in zip(
        tuner.reward_rnn.get_weights(), prior.get_weights(), strict=True
    ):
        assert ours.tobytes() == theirs.tobytes()


def test_run_depends_on_the_seed_alone(prior, standard):
    def state(seed):
        tuner = _tuner(prior, seed=seed)
        tuner.train(400, report_every=55)
        return tuner.state()

    same, other = state(0), state(1)
    for name, array in standard[400].items():
        np.testing.assert_array_equal(array, same[name], err_msg=name)
    kernel = "q_network/logits/kernel"
    assert (other[kernel] != same[kernel]).any()


@pytest.mark.parametrize(
    ("num_sequences", "train_every_nth", "updates"),
    [
        (1, 5, 12),
        pytest.param(5, 5, 12, marks=pytest.mark.learning),
        (20, 5, 12),
    ],
)
def test_updates_keep_their_ratio(prior, num_sequences, train_every_nth, updates):
    tuner = _tuner(
        prior,
        num_sequences=num_sequences,
        train_every_nth=train_every_nth,
        minibatch_size=1,
    )
    tuner.train(60)
    assert tuner.step == 60
    assert int(tuner.learner.optimizer.iterations) == updates


def test_target_network_follows_slowly(prior):
    tuner = _tuner(prior, minibatch_size=5, target_network_update_rate=0.25)
    tuner.train(5)  # one update
    for slow, fast, start in zip(
        tuner.target_network.get_weights(),
        tuner.q_network.get_weights(),
        prior.get_weights(),
        strict=True,
    ):
        np.testing.assert_allclose(slow, 0.75 * start + 0.25 * fast, atol=1e-6)


def test_another_vocabulary_is_refused(prior):
    with pytest.raises(UserError, match="has 5 classes but the task 'counting' has 9"):
        RLTuner(prior, CountingTask(num_classes=9))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"algorithm": "sarsa"}, "choose one of q, psi, g, pure_rl"),
        ({"exploration_mode": "greedy"}, "egreedy, boltzmann"),
        ({"discount_rate": 1.5}, "discount_rate is 1.5"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0; it must be above"),
        ({"target_kl": 1e-300}, "target_kl is 1e-300; it must be at least 1e-06"),
        ({"reward_scaler": float("nan")}, "reward_scaler is nan"),
        ({"minibatch_size": 0}, "minibatch_size is 0"),
        ({"replay_capacity": 3}, "replay_capacity is 3"),
        ({"num_sequences": 3}, "num_sequences 3 must divide train_every_nth 5"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_nonsense_settings_are_named(settings, message):
    with pytest.raises(UserError, match=message):
        RLTunerConfig(**settings)


def test_exploding_loss_stops_the_run(prior):
    class Hostile(CountingTask):
        def reward(self, *args):
            reward, state = super().reward(*args)
            return reward + tf.constant(np.inf), state

    with pytest.raises(UserError, match=r"the loss is (inf|nan) at step"):
        _tuner(prior, Hostile()).train(100)


def test_g_may_begin_as_the_prior(prior):
    tuner = _tuner(prior, algorithm="g", initial_values="zero", terminal="zero")
    assert tuner.evaluate(200)["kl"] == pytest.approx(0.0, abs=1e-6)
    for network in (tuner.q_network, tuner.target_network):
        np.testing.assert_array_equal(network.unroll([[1, 2, 3]]), 0.0)
    tuner.train(2000)
    assert tuner.evaluate(200)["kl"] > 0.01


def test_g_may_begin_at_what_the_prior_usually_earns(prior):
    class Paying(CountingTask):
        """Whatever is played earns 3, then 3, 4 and 2: with gamma = 1/2, 5.75."""

        def rewards(self, sequences):
            return np.tile([3.0, 3.0, 4.0, 2.0], [len(sequences), 1])

    settings = {"algorithm": "g", "initial_values": "median", "reward_scaler": 2.0}
    tuner = _tuner(prior, Paying(), discount_rate=0.5, **settings)
    for network in (tuner.q_network, tuner.target_network):
        np.testing.assert_allclose(network.unroll([[1, 2, 3]]), 2 * 5.75, rtol=1e-6)
    assert tuner.evaluate(200)["kl"] == pytest.approx(0.0, abs=1e-6)


def test_resuming_does_not_sample_the_prior_again(prior, monkeypatch):
    settings = {"algorithm": "g", "initial_values": "median", "minibatch_size": 32}
    begun = _tuner(prior, **settings)

    def generate(*_, **__):
        raise AssertionError("the prior is sampled")

    monkeypatch.setattr(assembly.evaluation, "generate_for_task", generate)
    config = begun.config
    restored = RLTuner(prior, CountingTask(), config, is_restored=True)
    restored.restore(begun.state())
    for ours, theirs in zip(
        restored.q_network.get_weights(), begun.q_network.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_only_g_may_begin_apart_from_the_prior():
    prior, task = SequenceRNN(5, (6,)), CountingTask()
    with pytest.raises(UserError, match=r"'zero' is for .* as 'g', not for 'psi'"):
        RLTuner(prior, task, RLTunerConfig(initial_values="zero"))


def test_a_task_may_use_pythons_control_flow_on_tensors():
    class Branching(CountingTask):
        def reward(self, sequences, positions, actions, reward_state):
            rewards = tf.zeros([actions.shape[0]])
            if tf.reduce_sum(actions) >= 0:
                rewards += 1.0
            turn = tf.constant(0)
            while turn < 3:
                rewards += 0.5
                turn += 1
            return rewards, reward_state

    tuner = RLTuner(SequenceRNN(5, (6,)), Branching(), RLTunerConfig())
    reports = []
    tuner.train(100, reports.append)
    assert reports[-1].task_reward == 2.5


def test_exploration_falls_over_half_of_the_training_as_the_command_has_it(
    prior, standard
):
    tuner = _tuner(prior, exploration_steps=None)
    tuner.train(1_000)
    state = tuner.state()
    for name, array in standard[1_000].items():
        np.testing.assert_array_equal(array, state[name], err_msg=name)


def test_a_state_from_before_the_training_leaves_exploration_open(prior, monkeypatch):
    untrained, restored = (_tuner(prior, exploration_steps=None) for _ in range(2))
    restored.restore(untrained.state())

    def run(rounds, sums):
        """Not compiled: it is set before the first round."""
        restored.replicas[0].rounds.assign_add(rounds)
        return np.ones(NUM_SUMS)

    monkeypatch.setattr(restored.loop, "run", run)
    restored.train(1_000)
    assert restored.actor.exploration_steps == 500
