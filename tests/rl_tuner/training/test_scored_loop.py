"""The loop whose rewards come from outside the graph."""

import threading
import time

import numpy as np
import pytest
import scipy.special
from toy_task import CountingTask

from rl_tuner.config import REPLAY_MODES
from rl_tuner.errors import UserError
from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.rl_tuner import RLTuner, RLTunerConfig
from rl_tuner.scored_task import PythonTask, ScoredTask

LEARNING = pytest.mark.learning
# Compiled for each; whole sequences read as whole prefixes do.
PREFIX = pytest.param("whole_prefix", marks=LEARNING)


class CountingInPython(PythonTask):
    """`CountingTask`, whose rewards come from Python."""

    name = "counting in Python"
    num_classes = 5
    max_length = 4

    def __init__(self, end_token=None):
        self.end_token = end_token

    def score(self, tokens, ended):
        assert ended == (len(tokens) == 4 or tokens[-1] == self.end_token)
        return tokens[-1] / self.num_classes + len(tokens) - 1

    def metrics(self, sequences):
        return {"mean_token": float(np.mean(sequences))}


class LateTask(CountingInPython):
    """Whose rewards take their time, each time another, or none."""

    longest_delay = 0.0

    def start_scoring(self, prefixes):
        collect = super().start_scoring(prefixes)
        if not self.longest_delay:
            return collect
        done = []
        delay = np.random.default_rng().uniform(0.0, self.longest_delay)

        def work():
            time.sleep(delay)
            done.append(collect())

        thread = threading.Thread(target=work)
        thread.start()

        def wait():
            thread.join()
            return done[0]

        return wait


@pytest.fixture(name="prior", scope="module")
def _prior():
    random = np.random.default_rng(3)
    prior = SequenceRNN(5, (6,))
    prior.set_weights([random.normal(size=v.shape) for v in prior.get_weights()])
    return prior


def _tuner(prior, task, **settings):
    settings = {
        "replay_capacity": 1000,
        "exploration_steps": 500,
        "rounds_per_scoring": 4,
        **settings,
    }
    return RLTuner(prior, task, RLTunerConfig(**settings))


def _copied(state):
    return {name: np.array(value) for name, value in state.items()}


def _stored(tuner):
    state = tuner.memory.replay.state()
    return {name: state[name] for name in state if name != "added"}


@pytest.mark.parametrize("mode", ["stored_state", PREFIX])
def test_stores_what_the_compiled_loop_stores(prior, mode):
    # No update before 900 transitions: the loops differ in nothing but when they store.
    settings = {"minibatch_size": 900, "reward_scaler": 3.0, "terminal": "zero"}
    settings |= {"replay_mode": mode, "replay": "prioritized"}
    scored = _tuner(prior, CountingInPython(end_token=2), **settings)
    compiled = _tuner(prior, CountingTask(end_token=2), **settings)
    reports = []
    for tuner in (scored, compiled):
        tuner.train(240, reports.append, report_every=1000)
    ours, theirs = _stored(scored), _stored(compiled)
    assert set(ours) == set(theirs)
    for name, values in theirs.items():
        assert len(values) == 240
        np.testing.assert_allclose(ours[name], values, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(reports[0], reports[1], rtol=1e-5)
    _check_priorities(prior, ours, scored.config.num_sequences)


def _check_priorities(prior, stored, count):
    """The Q and target networks are the prior as yet: what are the errors?"""
    for row in range(count):
        played = {name: values[row::count] for name, values in stored.items()}
        ends = np.flatnonzero(played["continues"] == 0)
        starts = [0, *(ends[:-1] + 1)]
        for start, end in zip(starts, ends, strict=True):
            actions = played["actions"][start : end + 1]
            if "tokens" in played:
                prime = played["tokens"][start, 0]
            else:
                prime = played["observations"][start]
            logits = prior.unroll([[prime, *actions]]).numpy()[0]
            value = scipy.special.logsumexp(logits[1:], axis=1)
            value[-1] = 0.0
            target = played["rewards"][start : end + 1] + 0.5 * value
            errors = target - logits[np.arange(len(actions)), actions]
            np.testing.assert_allclose(
                played["priorities"][start : end + 1],
                (np.abs(errors) + 0.01) ** 0.5,
                rtol=1e-3,
            )


@pytest.mark.parametrize(
    "mode", [PREFIX if mode == "whole_prefix" else mode for mode in REPLAY_MODES]
)
def test_training_raises_the_reward(prior, mode):
    tuner = _tuner(
        prior,
        CountingInPython(),
        replay="prioritized",
        replay_mode=mode,
        exploration_steps=1000,
        learning_rate=0.02,
        terminal="zero",
    )
    before = tuner.evaluate(500)["mean_token"]
    reports = []
    tuner.train(3000, reports.append, report_every=1000)
    assert tuner.evaluate(500)["mean_token"] > before + 0.3
    assert [report.step for report in reports] == [1000, 2000, 3000]
    # One for five steps, but for the first chunks, before 32 were stored: two of
    # transitions, seven of sequences, five of which end in a chunk.
    chunks = 7 if mode == "whole_sequence" else 2
    assert int(tuner.learner.optimizer.iterations) == (3000 - chunks * 20) // 5


# What has not ended is more of a state than steps have.
@pytest.mark.parametrize(
    "mode", [pytest.param("stored_state", marks=LEARNING), "whole_sequence"]
)
def test_cut_run_goes_on_bit_by_bit_whenever_rewards_arrive(prior, mode):
    task = LateTask(end_token=2)

    def tuner():
        # In the midst of sequences, and of what they have earned.
        return _tuner(
            prior,
            task,
            replay="prioritized",
            seed=4,
            replay_mode=mode,
            rounds_per_scoring=1,
            train_every_nth=10,
        )

    first = tuner()
    start = _copied(first.state())
    first.train(200)
    uncut = _copied(first.state())
    first.restore(start)
    task.longest_delay = 0.05
    first.train(68)  # rounded up to 70: seven chunks of a round of ten
    assert first.step == 70
    state = _copied(first.state())
    first.train(50)  # what comes after the save must not matter
    second = tuner()
    second.restore(state)
    second.train(200 - second.step)
    ours = second.state()
    for name, value in uncut.items():
        assert value.tobytes() == ours[name].tobytes(), name


def test_memory_must_hold_what_is_scored_at_once(prior):
    with pytest.raises(
        UserError, match="replay_capacity 39 does not hold the 40 steps"
    ):
        _tuner(prior, CountingInPython(), replay_capacity=39, rounds_per_scoring=8)


class _Wrong(CountingInPython):
    rewards_given = None

    def start_scoring(self, prefixes):
        return lambda: self.rewards_given


def test_wrong_rewards_are_refused(prior):
    tuner = _tuner(prior, _Wrong())
    for rewards, message in (
        (np.zeros(3), r"gave rewards of shape \(3,\) for 20 prefixes"),
        (np.full(20, np.nan), "a reward that is not finite"),
    ):
        tuner.task.rewards_given = rewards
        with pytest.raises(UserError, match=message):
            tuner.train(20)


def test_rewards_of_whole_sequences_are_those_of_their_prefixes():
    task = CountingInPython(end_token=2)
    sequences = np.array([[1, 3, 2, 2], [2, 2, 2, 2], [0, 1, 3, 4]])
    expected = [[0.2, 1.6, 2.4, 0], [0.4, 0, 0, 0], [0, 1.2, 2.6, 3.8]]
    np.testing.assert_allclose(task.rewards(sequences), expected, rtol=1e-6)


def test_task_must_say_how_it_scores():
    class Silent(ScoredTask):
        def metrics(self, sequences):
            return {}

    with pytest.raises(TypeError, match="start_scoring"):
        Silent()
