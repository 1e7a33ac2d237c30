"""A user's own rules: compiled into the loop, or called as plain Python outside it."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from melody_rnn.music_theory.melody_step import LEAP_STATE_SIZE, MelodyStep
from melody_rnn.music_theory.settings import MusicTheorySettings
from melody_rnn.task import MelodyTask
from rl_tuner import user_code
from rl_tuner.errors import UserError
from rl_tuner.scored_task import Prefixes, ScoredTask

# A user's function, and TensorFlow, may fail in any way.
_ANYTHING = (Exception, SystemExit, KeyboardInterrupt)
PythonRule = Callable[[list[int]], float]


class OwnRules(NamedTuple):
    """Rules by the way they are called: pairs of a name and a function.

    Attributes:
      compiled: of a `MelodyStep`, to float32 [N].
      python: of the classes of one melody, to a number.
    """

    compiled: tuple[tuple[str, Callable[[MelodyStep], tf.Tensor]], ...]
    python: tuple[tuple[str, PythonRule], ...]


def find_rules(paths: Sequence[str]) -> OwnRules:
    """Imports rules, and finds out which of them can be compiled.

    Args:
      paths: `module:function` each. The function takes a `MelodyStep`, all melodies
        and the event that each adds, and returns a tensor [N]; or, where that cannot be
        compiled, the list of one melody's classes so far, of which the last is judged,
        and returns a number.

    Raises:
      UserError: one cannot be imported, or called either way.
    """
    compiled, python = [], []
    for path in paths:
        rule, name = user_code.find(path, "--rule"), path.rpartition(":")[2]
        try:
            graph_rule = tf.function(rule)  # Python's `if` on tensors is converted
            rewards = _compiled_rewards(graph_rule)
        except _ANYTHING as error:
            reason = user_code.gist(error)
        else:
            if rewards.shape != (2,) or rewards.dtype != tf.float32:
                raise UserError(
                    f"--rule={path} returns {rewards.dtype.name} {rewards.shape} for 2 "
                    "melodies; it must return float32 [N], a reward for each"
                )
            compiled.append((name, graph_rule))
            continue
        try:
            _checked_number(rule([14]), name)
        except _ANYTHING as error:
            raise UserError(
                f"--rule={path} works neither on a MelodyStep ({reason}) nor on a list "
                f"of classes ({user_code.gist(error)}); it must return float32 [N] or "
                "a number"
            ) from error
        python.append((name, rule))
    return OwnRules(tuple(compiled), tuple(python))


def make_task(rule: Sequence[str] = (), **settings: Any) -> MelodyTask:
    """A `MelodyTask` of these settings with rules of a user's own.

    Says on standard error which of them are plain Python.

    Args:
      rule: `module:function` each, as `find_rules` takes them.
      **settings: of `MelodyTask`.

    Raises:
      UserError: a rule or a setting makes no sense.
    """
    rules = find_rules(rule)
    if not rules.python:
        return MelodyTask(extra_rules=rules.compiled, **settings)
    names = " and ".join(name for name, _ in rules.python)
    print(
        f"{names} cannot be compiled, and is called as plain Python for one melody "
        "after the other: training is slower",
        file=sys.stderr,
    )
    return PythonRuleTask(rules.python, extra_rules=rules.compiled, **settings)


class PythonRuleTask(ScoredTask, MelodyTask):
    """Melodies with rules that cannot be compiled: all rewards come from outside."""

    def __init__(
        self,
        python_rules: Sequence[tuple[str, PythonRule]],
        rule_weights: Mapping[str, float] | None = None,
        **settings: Any,
    ):
        """Chooses what is rewarded.

        Args:
          python_rules: pairs of a name and a function of the classes of one melody so
            far, to the reward of the last of them.
          rule_weights: factors by name, of these rules too.
          **settings: of `MelodyTask`.

        Raises:
          UserError: a setting is unknown or makes no sense, or a name is taken.
        """
        weights = dict(rule_weights or {})
        # The settings know how to refuse names and weights; the rules stay here.
        MusicTheorySettings(
            mode=settings.get("reward_mode", "music_theory_all"),
            rule_weights=weights,
            extra_rules=(*settings.get("extra_rules", ()), *python_rules),
        )
        self._python_rules = [
            (name, rule, weights.pop(name, 1.0)) for name, rule in python_rules
        ]
        super().__init__(rule_weights=weights, **settings)

    def start_scoring(self, prefixes: Prefixes) -> Callable[[], np.ndarray]:
        """The sum of all rules for the last event of each prefix: [N]."""
        last = prefixes.lengths - 1

        def collect() -> np.ndarray:
            compiled = MelodyTask.rewards(self, prefixes.tokens)
            own = [
                self._own_reward(melody[:length].tolist())
                for melody, length in zip(
                    prefixes.tokens, prefixes.lengths, strict=True
                )
            ]
            return compiled[np.arange(len(last)), last] + np.asarray(own, np.float32)

        return collect

    def start_scoring_sequences(
        self, sequences: np.ndarray
    ) -> Callable[[], np.ndarray]:
        """The sum of all rules for every event of whole melodies: [N, T]."""

        def collect() -> np.ndarray:
            own = [
                [self._own_reward(melody[: end + 1]) for end in range(len(melody))]
                for melody in np.asarray(sequences).tolist()
            ]
            return MelodyTask.rewards(self, sequences) + np.asarray(own, np.float32)

        return collect

    def _own_reward(self, melody: list[int]) -> float:
        total = 0.0
        for name, rule, weight in self._python_rules:
            try:
                total += weight * _checked_number(rule(melody), name)
            except _ANYTHING as error:
                raise UserError(
                    f"rule {name!r} fails on the melody {melody} "
                    f"({user_code.gist(error)})"
                ) from error
        return total


def _compiled_rewards(rule: Callable[[Any], Any]) -> tf.Tensor:
    """What a rule gives two melodies when it is compiled."""

    @tf.function(jit_compile=True, autograph=False)
    def rewards(composition: tf.Tensor, beat: tf.Tensor) -> tf.Tensor:
        leap_state = tf.zeros([2, LEAP_STATE_SIZE], tf.int32)
        action = composition[:, 0]
        return rule(
            MelodyStep(composition, beat, action, leap_state, MusicTheorySettings())
        )

    return rewards(tf.fill([2, 8], 14), tf.zeros([2], tf.int32))


def _checked_number(value: Any, name: str) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{name} returned {number}")
    return number
