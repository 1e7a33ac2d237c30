"""Rules of a user's own: compiled where they can be, plain Python where not."""

import numpy as np
import pytest
import tensorflow as tf

from melody_rnn import own_rules
from melody_rnn.task import MelodyTask
from rl_tuner.errors import UserError
from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.rl_tuner import RLTuner, RLTunerConfig
from rl_tuner.scored_task import Prefixes

MELODIES = np.random.default_rng(0).integers(0, 38, [6, 8])
CONFIG = RLTunerConfig(num_sequences=5, exploration_steps=100, rounds_per_scoring=2)


def compiled_rule(step):
    """1 where the event is higher than the one before."""
    return tf.cast(step.action > step.previous_event, tf.float32)


def python_rule(melody):
    """The same, where a melody begins as if after the tonic."""
    before = melody[-2] if len(melody) > 1 else 14
    return 1 if melody[-1] > before else 0


def broken_rule(step):
    return step.no_such_thing


def rule_of_wrong_shape(step):
    return tf.constant(1.0)


def infinite_rule(melody):
    return len(melody) * float("inf")


def late_failure(melody):
    return 1 / (3 - len(melody))


def _path(function):
    return f"test_own_rules:{function.__name__}"


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "test_own_rules", sys.modules[__name__])


@pytest.fixture(name="tasks", scope="module")
def _tasks():
    """The same task twice: all of it compiled, and its own rule in Python."""
    settings = {"num_notes_in_melody": 8, "rule_weights": {"rule": 2.0, "motif": 0.5}}
    return (
        MelodyTask(extra_rules=(("rule", compiled_rule),), **settings),
        own_rules.PythonRuleTask([("rule", python_rule)], **settings),
    )


def test_rules_are_compiled_where_they_can_be(capsys):
    task = own_rules.make_task([_path(compiled_rule)], num_notes_in_melody=8)
    assert type(task) is MelodyTask
    assert not capsys.readouterr().err
    task = own_rules.make_task([_path(python_rule)], num_notes_in_melody=8)
    assert isinstance(task, own_rules.PythonRuleTask)
    said = capsys.readouterr().err
    assert "python_rule cannot be compiled" in said
    assert "slower" in said


def test_python_rules_count_as_compiled_ones_do(tasks):
    compiled, python = tasks
    expected = compiled.rewards(MELODIES)
    np.testing.assert_allclose(python.rewards(MELODIES), expected, atol=1e-5)
    without = MelodyTask(num_notes_in_melody=8, rule_weights={"motif": 0.5})
    rises = np.diff(MELODIES, prepend=14, axis=1) > 0
    np.testing.assert_allclose(
        expected - without.rewards(MELODIES), 2.0 * rises, atol=1e-4
    )


def test_prefixes_are_rewarded_for_their_last_event(tasks):
    compiled, python = tasks
    lengths = np.array([1, 2, 8, 5, 7, 3])
    # What follows a prefix does not matter.
    garbage = np.where(np.arange(8) < lengths[:, None], MELODIES, 37)
    prefixes = Prefixes(garbage, lengths, lengths == 8)
    expected = compiled.rewards(MELODIES)[np.arange(6), lengths - 1]
    np.testing.assert_allclose(python.start_scoring(prefixes)(), expected, atol=1e-5)


def test_tuner_learns_from_python_rules(tasks):
    prior = SequenceRNN(38, (8,))
    tuner = RLTuner(prior, tasks[1], CONFIG)
    seen = []
    tuner.train(200, seen.append)
    assert np.isfinite([p.loss for p in seen]).all()
    assert np.isfinite(tuner.evaluate(4)["task_reward"])


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (["nowhere:rule"], "--rule=nowhere:rule cannot be imported"),
        ([_path(broken_rule)], "works neither on a MelodyStep"),
        ([_path(rule_of_wrong_shape)], r"returns float32 \(\) for 2 melodies"),
        ([_path(infinite_rule)], "infinite_rule returned inf"),
    ],
)
def test_rules_that_make_no_sense_are_refused(paths, message):
    with pytest.raises(UserError, match=message) as caught:
        own_rules.make_task(paths)
    assert "\n" not in str(caught.value)


def test_rule_that_fails_later_is_named_with_the_melody():
    task = own_rules.make_task([_path(late_failure)], num_notes_in_melody=8)
    with pytest.raises(UserError, match=r"'late_failure' fails on .*ZeroDivision"):
        task.rewards(MELODIES)


def test_names_and_weights_of_python_rules_are_checked():
    with pytest.raises(UserError, match="the name is taken"):
        own_rules.PythonRuleTask([("motif", python_rule)])
    with pytest.raises(UserError, match="unknown rule 'other'"):
        own_rules.PythonRuleTask([("rule", python_rule)], rule_weights={"other": 1.0})
