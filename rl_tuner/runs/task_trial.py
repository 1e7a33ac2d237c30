"""Tries a user's own task on a few tokens, before anything of a run is compiled."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from rl_tuner.errors import UserError
from rl_tuner.scored_task import Prefixes, ScoredTask
from rl_tuner.sequence_ends import sequence_lengths
from rl_tuner.task import Task
from rl_tuner.user_code import end_fork, gist

# Other than what most tasks have of anything, so that no shape fits by chance.
_COUNT = 7
_SEED = (0, 0x7217)


def try_task(task: Task) -> str | None:
    """Calls what a run calls of a task once, on a few random sequences.

    Whatever folder that changes to, the process comes back to where it was.

    Returns:
      a sentence of what is odd about it; None if nothing is.

    Raises:
      UserError: names the attribute or the method, what it is or gave, and what was
        expected.
    """
    with _same_folder():
        return _try(task)


def _try(task: Task) -> str | None:
    _check_attributes(task)
    seed = tf.constant(_SEED, tf.int32)
    primes = _in_graph(task, task.prime, seed)
    if primes.ndim not in (1, 2) or len(primes) != _COUNT:
        raise _wrong(task, "prime", primes, f"int32 [{_COUNT}] or [{_COUNT}, P]")
    _check_tokens(task, "prime", primes)
    actions = _in_graph(task, task.random_actions, seed)
    if actions.shape != (_COUNT,):
        raise _wrong(task, "random_actions", actions, f"int32 [{_COUNT}]")
    _check_tokens(task, "random_actions", actions)
    sequences = np.random.default_rng(0).integers(
        task.num_classes, size=[_COUNT, task.max_length], dtype=np.int32
    )
    if task.end_token is not None:
        behind = np.arange(task.max_length) >= _lengths(task, sequences)[:, None]
        sequences[behind] = task.end_token
    earned = _earned(task, sequences)
    rewards = _rewards(task, sequences)
    _check_metrics(task, sequences)
    return _difference(task, sequences, earned, rewards)


@contextlib.contextmanager
def _same_folder() -> Iterator[None]:
    """Comes back to the folder that it was entered in: own code may call os.chdir."""
    descriptor = os.open(".", os.O_RDONLY)
    try:
        yield
    finally:
        os.fchdir(descriptor)
        os.close(descriptor)


def _check_attributes(task: Task) -> None:
    for name, least in (
        ("num_classes", 1),
        ("max_length", 1),
        ("reward_state_size", 0),
    ):
        value = getattr(task, name, None)
        if not isinstance(value, int | np.integer) or value < least:
            raise UserError(
                f"{_name(task)}.{name} is {value!r}; it must be a whole number, at "
                f"least {least}"
            )
    end = task.end_token
    is_token = isinstance(end, int | np.integer) and 0 <= end < task.num_classes
    if end is not None and not is_token:
        raise UserError(
            f"{_name(task)}.end_token is {end!r}; it must be None or a token, 0 to "
            f"{task.num_classes - 1}"
        )
    if not isinstance(getattr(task, "name", None), str):
        raise UserError(f"{_name(task)}.name is missing; it must be a text")


def _in_graph(task: Task, method: Callable[..., Any], *arguments: Any) -> np.ndarray:
    """What a method gives for `_COUNT` sequences inside a graph, where runs call it."""

    def call() -> Any:
        return tf.convert_to_tensor(method(_COUNT, *arguments))

    graph = tf.function(call, autograph=task.uses_autograph)
    return _called(task, method.__name__, graph).numpy()


def _rewards(task: Task, sequences: np.ndarray) -> np.ndarray:
    rewards = np.asarray(_called(task, "rewards", task.rewards, sequences))
    if rewards.shape != sequences.shape or rewards.dtype.kind not in "fiub":
        shape = list(sequences.shape)
        raise _wrong(task, "rewards", rewards, f"numbers {shape}")
    if not np.isfinite(rewards).all():
        raise UserError(
            f"{_name(task)}.rewards gave a reward that is not finite; rewards must be "
            "numbers"
        )
    return rewards


def _earned(task: Task, sequences: np.ndarray) -> list[np.ndarray]:
    """What training earns by the first tokens, one after the other: [N] each."""
    if isinstance(task, ScoredTask):
        prefixes = Prefixes(
            sequences, np.ones([_COUNT], np.int32), sequences[:, 0] == task.end_token
        )
        wait = _called(task, "start_scoring", task.start_scoring, prefixes)
        if not callable(wait):
            raise UserError(
                f"{_name(task)}.start_scoring gave {_kind(wait)}; it must return a "
                "function that returns the rewards"
            )
        found = np.asarray(_called(task, "what start_scoring gave", wait))
        return [task.checked(found, _COUNT)]
    return _compiled_rewards(task, sequences)


def _difference(
    task: Task, sequences: np.ndarray, earned: list[np.ndarray], rewards: np.ndarray
) -> str | None:
    lengths = _lengths(task, sequences)
    for position, found in enumerate(earned):
        real = lengths > position
        if not np.isfinite(found[real]).all():
            raise UserError(
                f"{_name(task)}.reward gave {found[~np.isfinite(found)][0]}; rewards "
                "must be finite numbers"
            )
        ours, theirs = found[real], rewards[real, position]
        if not np.allclose(ours, theirs, rtol=1e-3, atol=1e-4):
            index = int(np.argmax(np.abs(ours - theirs)))
            return (
                f"{_name(task)}.rewards gives {theirs[index]:g} where training earns "
                f"{ours[index]:g}, for token {position} of "
                f"{sequences[real][index].tolist()}: tables show the first"
            )
    return None


def _compiled_rewards(task: Task, sequences: np.ndarray) -> list[np.ndarray]:
    """r(s, a) of the first and second tokens, [N] each."""
    size = task.reward_state_size
    reward = tf.function(task.reward) if task.uses_autograph else task.reward

    @tf.function(jit_compile=True, autograph=False)
    def step(tokens: tf.Tensor, position: tf.Tensor, state: tf.Tensor) -> Any:
        return reward(
            tokens,
            tf.fill([_COUNT], position),
            tf.gather(tf.constant(sequences), position, axis=1),
            state,
        )

    state, found = tf.zeros([_COUNT, size], tf.int32), []
    for position in range(min(2, task.max_length)):
        so_far = np.where(np.arange(task.max_length) < position, sequences, 0)
        given = _called(
            task, "reward", step, tf.constant(so_far), tf.constant(position), state
        )
        if not isinstance(given, tuple | list) or len(given) != 2:
            raise UserError(
                f"{_name(task)}.reward gave {_kind(given)}; it must return two: "
                f"rewards float32 [N], and the reward state int32 [N, {size}]"
            )
        rewards, after = map(np.asarray, given)
        if rewards.shape != (_COUNT,) or rewards.dtype != np.float32:
            raise _wrong(task, "reward", rewards, f"rewards float32 [{_COUNT}]")
        if after.shape != (_COUNT, size) or after.dtype != np.int32:
            wanted = f"the reward state int32 [{_COUNT}, {size}]"
            raise _wrong(task, "reward", after, f"{wanted} second")
        state = tf.constant(after)
        found.append(rewards)
    return found


def _check_metrics(task: Task, sequences: np.ndarray) -> None:
    metrics = _called(task, "metrics", task.judge, sequences)[0]
    if not isinstance(metrics, dict):
        raise UserError(
            f"{_name(task)}.metrics gave {_kind(metrics)}; it must return numbers by "
            "name, a dict"
        )
    for name, value in metrics.items():
        try:
            math.isfinite(float(value))
        except (TypeError, ValueError) as error:
            raise UserError(
                f"{_name(task)}.metrics gave {_kind(value)} for {name!r}; it must be a "
                "number"
            ) from error
    shown = {row.name for row in _called(task, "metric_rows", task.metric_rows)}
    shown |= set(task.curve_panels)
    missing = sorted(shown - metrics.keys())
    if missing:
        raise UserError(
            f"{_name(task)} shows {missing[0]!r} in tables or curves, which its "
            f"metrics, {', '.join(map(str, metrics)) or 'none'}, are not"
        )


def _check_tokens(task: Task, method: str, tokens: np.ndarray) -> None:
    if tokens.dtype != np.int32:
        raise _wrong(task, method, tokens, "int32")
    if tokens.size and not 0 <= tokens.min() <= tokens.max() < task.num_classes:
        raise UserError(
            f"{_name(task)}.{method} gave tokens from {tokens.min()} to "
            f"{tokens.max()}; they must be 0 to {task.num_classes - 1}"
        )


def _called(
    task: Task, name: str, function: Callable[..., Any], *arguments: Any
) -> Any:
    try:
        return function(*arguments)
    except (Exception, SystemExit, KeyboardInterrupt) as error:  # it may do anything
        if isinstance(error, UserError):
            raise
        raise UserError(
            f"{_name(task)}.{name} fails on {_COUNT} sequences ({gist(error)})"
        ) from error
    finally:
        end_fork()


def _lengths(task: Task, sequences: np.ndarray) -> np.ndarray:
    return sequence_lengths(sequences, task.end_token)


def _wrong(task: Task, method: str, found: np.ndarray, wanted: str) -> UserError:
    return UserError(
        f"{_name(task)}.{method} gave {_kind(found)} for {_COUNT} sequences; it must "
        f"give {wanted}"
    )


def _name(task: Task) -> str:
    return type(task).__name__


def _kind(value: Any) -> str:
    if isinstance(value, np.ndarray | tf.Tensor):
        return f"{np.asarray(value).dtype.name} {list(value.shape)}"
    return f"{value!r:.60}, a {type(value).__name__},"
