"""What is wrong with a task of a user's own is told before anything is compiled."""

import numpy as np
import pytest
import tensorflow as tf
from toy_task import CountingTask as Toy
from toy_world import StepsTask

from rl_tuner.errors import UserError
from rl_tuner.metrics import MetricRow
from rl_tuner.runs.task_trial import try_task
from rl_tuner.scored_task import PythonTask


class LastToken(PythonTask):
    name, num_classes, max_length, end_token = "last", 4, 3, 3

    def score(self, tokens, ended):
        return float(tokens[-1] + ended)

    def metrics(self, sequences):
        return {"mean_token": float(np.mean(sequences))}


def changed(kind, **attributes):
    return type(f"My{kind.__name__}", (kind,), attributes)()


def raising(error):
    def method(self, *_):
        raise error

    return method


@pytest.mark.parametrize(
    "task",
    [Toy(), Toy(end_token=2), StepsTask(1), LastToken()],
    ids=["compiled", "with an end", "own world", "plain Python"],
)
def test_sound_task_passes(task):
    assert try_task(task) is None


@pytest.mark.parametrize(
    ("kind", "name", "value", "message"),
    [
        (
            LastToken,
            "end_token",
            9,
            "end_token is 9; it must be None or a token",
        ),
        (LastToken, "max_length", 0, r"max_length is 0; it must be a whole number, at"),
        (LastToken, "num_classes", None, r"num_classes is None; it must be a whole"),
        (Toy, "name", 3, r"name is missing"),
        (
            Toy,
            "prime",
            lambda s, n, seed: tf.zeros([n], tf.int64),
            "int64 .7.",
        ),
        (
            Toy,
            "prime",
            lambda s, n, seed: tf.zeros([3], tf.int32),
            "int32 .3.",
        ),
        (
            Toy,
            "prime",
            lambda s, n, seed: tf.fill([n, 2], 5),
            "from 5 to 5; th",
        ),
        (
            Toy,
            "random_actions",
            lambda s, n, seed: tf.zeros([n, 1], tf.int32),
            r"random_actions gave int32 \[7, 1\] for 7 sequences; it must give int32",
        ),
        (
            Toy,
            "reward",
            lambda s, t, p, a, r: tf.zeros([7]),
            r"return two: rew",
        ),
        (
            Toy,
            "reward",
            lambda s, t, p, a, r: (a, r),
            r"gave int32 \[7\] for 7",
        ),
        (
            Toy,
            "reward",
            lambda s, t, p, a, r: (tf.zeros([7, 1]), r),
            r"MyCountingTask.reward gave float32 .7, 1. for 7 .* rewards float32 \[7\]",
        ),
        (
            Toy,
            "reward",
            lambda s, t, p, a, r: (tf.zeros([7]), tf.cast(r, tf.float32)),
            r"reward gave float32 \[7, 1\] .* the reward state int32 \[7, 1\] second",
        ),
        (
            Toy,
            "reward",
            lambda s, t, p, a, r: (tf.fill([7], np.nan), r),
            "reward gave nan; rewards must be finite",
        ),
        (Toy, "reward", raising(KeyError("x")), r"reward fails .*KeyError"),
        (Toy, "reward", raising(KeyboardInterrupt()), r"fails .*KeyboardInt"),
        (
            Toy,
            "rewards",
            lambda s, t: t[:, 0],
            r"rewards gave int32 \[7\] for",
        ),
        (Toy, "rewards", lambda s, t: t + np.inf, "not finite"),
        (Toy, "metrics", lambda s, t: 3.0, r"metrics gave 3.0, a float"),
        (Toy, "metrics", lambda s, t: {"m": "a"}, r"gave 'a', a str, for 'm'"),
        (
            Toy,
            "metrics",
            raising(SystemExit(2)),
            r"metrics fails .*SystemExit",
        ),
        (
            Toy,
            "metric_rows",
            lambda s: [MetricRow("other", "Other")],
            "shows 'other' in tables or curves, which its metrics, mean_token, are not",
        ),
        (LastToken, "score", lambda s, t, e: None, "fails .*float"),
        (LastToken, "score", lambda s, t, e: float("inf"), "not finite"),
        (LastToken, "score", raising(KeyboardInterrupt()), r"fails .*KeyboardInterr"),
        (LastToken, "start_scoring", lambda s, p: np.zeros(7), r"start_scoring gave f"),
        (
            LastToken,
            "start_scoring",
            lambda s, p: lambda: np.zeros([len(p.lengths), 1]),
            r"rewards of shape \(\d+, 1\) for \d+ prefixes",
        ),
    ],
)
def test_what_is_wrong_is_named_with_what_was_expected(kind, name, value, message):
    with pytest.raises(UserError, match=message):
        try_task(changed(kind, **{name: value}))


def test_tables_that_would_show_other_rewards_than_training_earns_are_told():
    task = changed(Toy, rewards=lambda s, t: np.zeros(t.shape))
    assert "MyCountingTask.rewards gives 0 where training earns" in try_task(task)
