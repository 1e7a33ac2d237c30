"""Whole sequences of the policy's own: what is sampled, kept and resumed."""

import numpy as np
import pytest
import scipy.special
import tensorflow as tf
from enumerable_task import EnumerableTask, ScoredEnumerableTask, random_prior

from rl_tuner.errors import UserError
from rl_tuner.on_policy import rollouts
from rl_tuner.on_policy.best_sequences import CAPACITY, BestSequences
from rl_tuner.rl_tuner import RLTuner, RLTunerConfig

TASK = EnumerableTask(4, 6, seed=0, end_token=2)
SCORED = ScoredEnumerableTask(4, 6, 0, 2)
PRIOR = random_prior(TASK, 1, (8,))


def _tuner(task=TASK, **settings):
    settings = {"num_sequences": 16, "algorithm": "reinforce", **settings}
    return RLTuner(PRIOR, task, RLTunerConfig(**settings))


def _arrays(tuner):
    return {name: np.array(array) for name, array in tuner.state().items()}


@pytest.fixture(name="played", scope="module")
def _played():
    tuner = _tuner()
    tuner.q_network.set_weights([w + 0.1 for w in PRIOR.get_weights()])
    replica = tuner.replicas[0]
    played = tf.function(replica.sample, jit_compile=True)(tf.constant(3, tf.int64))
    return tuner, rollouts.Rollouts(*(x.numpy() for x in played))


def test_sequences_end_at_their_end_token_or_when_they_are_full(played):
    _, sequences = played
    assert set(sequences.lengths) >= {2, 6}
    for tokens, length in zip(sequences.actions, sequences.lengths, strict=True):
        assert 2 not in tokens[: length - 1]
        assert tokens[length - 1] == 2 or length == 6
        assert not tokens[length:].any()


def test_figures_are_those_of_the_networks_read_again(played):
    tuner, sequences = played
    read = np.concatenate([sequences.primes, sequences.actions[:, :-1]], axis=1)
    log_pi, log_p = (
        scipy.special.log_softmax(network.unroll(read).numpy(), axis=-1)
        for network in (tuner.q_network, tuner.reward_rnn)
    )
    is_token = np.arange(6) < sequences.lengths[:, np.newaxis]
    taken = sequences.actions[..., np.newaxis]
    for found, expected in (
        (sequences.log_policies, np.take_along_axis(log_pi, taken, -1)[..., 0]),
        (sequences.log_priors, np.take_along_axis(log_p, taken, -1)[..., 0]),
        (sequences.kls, np.sum(np.exp(log_pi) * (log_pi - log_p), axis=-1)),
        (sequences.task_rewards, TASK.rewards(sequences.actions)),
    ):
        np.testing.assert_allclose(found, expected * is_token, atol=2e-5)


def test_progress_tells_what_was_played():
    tuner = _tuner(learning_rate=1e-6)
    reports = []
    tuner.train(1, reports.append)
    last = {
        k.removeprefix("last/"): v for k, v in _arrays(tuner).items() if "last" in k
    }
    tokens = last["lengths"].sum()
    assert reports[0].step == tuner.step == tokens < 16 * 6
    assert reports[0].task_reward == pytest.approx(last["task_rewards"].sum() / tokens)
    assert reports[0].log_prior == pytest.approx(last["log_priors"].sum() / tokens)
    assert reports[0].kl == pytest.approx(0.0, abs=1e-6)  # it is the prior still
    assert reports[0].epsilon == 0.0


@pytest.mark.parametrize("task", [TASK, SCORED], ids=["compiled", "scored"])
def test_cut_training_ends_as_if_it_had_not_been_cut(task):
    settings = {
        "algorithm": "ppo",
        "num_best": 4,
        "target_kl": 0.1,
        "initial_reward_scaler": 0.1,
    }
    whole, begun, resumed = (_tuner(task, **settings) for _ in range(3))
    whole.train(500)
    # As a run that is cut does: all of it is asked for, and the last save is earlier.
    saved = {}

    def save(progress):
        if progress.step < 250:
            saved.update(_arrays(begun))

    begun.train(500, save, report_every=1)
    resumed.restore(saved)
    assert 150 < resumed.step < 250
    resumed.train(500 - resumed.step)
    expected, found = _arrays(whole), _arrays(resumed)
    assert expected.keys() == found.keys()
    for name, array in expected.items():
        assert array.tobytes() == found[name].tobytes(), name
    assert float(whole.reward_scaler) != 2.0


def test_scored_and_compiled_rewards_are_the_same():
    """Of the first round; later ones learn from sequences of one round before."""
    compiled, scored = _tuner(TASK), _tuner(SCORED)
    for tuner in (compiled, scored):
        tuner.train(1)
    ours, theirs = _arrays(compiled), _arrays(scored)
    for name in (name for name in ours if name.startswith(("last/", "q_network/"))):
        np.testing.assert_allclose(ours[name], theirs[name], atol=1e-5, err_msg=name)


def test_learning_rate_falls_at_the_end_and_begins_anew():
    full = EnumerableTask(4, 6, seed=0)
    tuner = _tuner(full, learning_rate=1e-3, learning_rate_decay=0.5)
    rates = []

    def note(_):
        rates.append(float(tuner.learner.optimizer.learning_rate))

    for _ in range(2):
        tuner.train(4 * tuner.steps_per_round, note, report_every=1)
    # What the next round learns with.
    expected = [1e-3, 1e-3, 5e-4, 0.0] * 2
    np.testing.assert_allclose(rates, expected, atol=1e-9)


def test_best_sequences_are_each_there_once():
    specs = rollouts.specs(80, 1, 6)
    best = BestSequences(specs)
    random = np.random.default_rng(0)
    seen = {}
    for _ in range(4):
        values = {
            name: random.integers(0, 3, spec.shape)
            if spec.dtype == tf.int32
            else random.normal(size=spec.shape)
            for name, spec in specs._asdict().items()
        }
        values["lengths"][:] = 6
        values["actions"][:, 4:] = values["primes"][:] = 0  # so that some are alike
        # What is the same is worth the same.
        worth = values["actions"] @ 3.0 ** np.arange(6)
        values["task_rewards"] = np.repeat(worth[:, None] / 6, 6, axis=1)
        played = rollouts.Rollouts(
            *(tf.cast(values[k], spec.dtype) for k, spec in specs._asdict().items())
        )
        best.offer(played)
        seen |= dict(
            zip(map(bytes, values["actions"].astype(np.int8)), worth, strict=True)
        )
    expected = sorted(seen.values())[-CAPACITY:]
    assert len(seen) < 100  # of 81
    kept = best.variables.lengths.numpy() > 0
    found = best.variables.task_rewards.numpy().sum(axis=1)[kept]
    np.testing.assert_allclose(np.sort(found), expected, rtol=1e-5)
    drawn = best.draw(500, tf.constant([1, 2]))
    assert set(drawn.lengths.numpy()) == {6}
    assert len(np.unique(drawn.actions.numpy(), axis=0)) > 70


@pytest.mark.parametrize("algorithm", ["q", "psi", "g"])
def test_target_kl_is_for_policy_gradients(algorithm):
    with pytest.raises(UserError, match=r"target_kl 0\.1 is for policy gradients"):
        RLTuner(PRIOR, TASK, RLTunerConfig(algorithm, target_kl=0.1))
