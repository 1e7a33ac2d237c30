"""Memory: what is stored of acting, and drawn to learn from: steps or sequences."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from rl_tuner.config import RLTunerConfig
from rl_tuner.system import free_space
from rl_tuner.system.lazy_arrays import LazyArrays
from rl_tuner.training.replay.buffers import (
    PrioritizedReplay,
    Replay,
    Sample,
    UniformReplay,
    bytes_needed,
)
from rl_tuner.training.replay.replay_modes import Fields, ReplayMode, Specs
from rl_tuner.training.replay.unfinished_sequences import UnfinishedSequences

# The errors [M] of M rows of what is stored, by the networks as they are.
ErrorsOf = Callable[[Fields], tf.Tensor]


_WITHOUT_STATES = (
    ", or choose replay_mode 'whole_sequence', which stores tokens and no states"
)


class Memory(abc.ABC):
    """What a learner draws batches from."""

    @property
    @abc.abstractmethod
    def can_learn(self) -> tf.Tensor:
        """Whether a batch is stored, a scalar bool."""

    @abc.abstractmethod
    def sample(self, seed: tf.Tensor) -> Sample:
        """Draws a batch."""

    def update(self, rows: tf.Tensor, errors: tf.Tensor) -> None:  # noqa: B027
        """Takes the new errors [N] of what was drawn from rows [N]."""

    @abc.abstractmethod
    def state(self) -> LazyArrays:
        """All that is stored, for `restore`."""

    @abc.abstractmethod
    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Makes the memory what it was when `state` was taken.

        Raises:
          ValueError, KeyError: the state is of a memory of another kind.
        """

    @abc.abstractmethod
    def bytes_after(self, num_steps: int) -> int:
        """Size in bytes of what is stored after so many environment steps."""


class ReplayMemory(Memory):
    """Turns what is acted into what is stored in a replay memory.

    Attributes:
      replay: what is stored.
      variables: what it remembers beside that, by name.
    """

    def __init__(self, replay: Replay, minibatch_size: int, errors_of: ErrorsOf):
        """Takes what stores, how much of it is drawn at a time, and what judges it."""
        self.replay = replay
        self._errors_of = errors_of
        self.variables: dict[str, tf.Variable] = {}
        self._minibatch_size = minibatch_size

    @abc.abstractmethod
    def add_step(self, step: Fields) -> None:
        """Stores a step of N sequences, fields [N, ...]; inside a compiled loop."""

    @abc.abstractmethod
    def add_chunk(self, steps: Fields) -> None:
        """Stores K steps of N sequences, fields [K, N, ...]; outside of one."""

    @property
    def can_learn(self) -> tf.Tensor:
        """Whether a batch is stored, a scalar bool."""
        return self.replay.size >= self._minibatch_size

    def sample(self, seed: tf.Tensor) -> Sample:
        """As of `Memory`."""
        return self.replay.sample(self._minibatch_size, seed)

    def update(self, rows: tf.Tensor, errors: tf.Tensor) -> None:
        """As of `Memory`."""
        self.replay.update(rows, errors)

    def state(self) -> LazyArrays:
        """As of `Memory`."""
        others = {f"training/{k}": var.numpy for k, var in self.variables.items()}
        return self.replay.state().in_folder("replay") | LazyArrays(others)

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """As of `Memory`."""
        for name, variable in self.variables.items():
            variable.assign(state[f"training/{name}"])
        self.replay.restore(LazyArrays.of_folder(state, "replay"))

    def bytes_after(self, num_steps: int) -> int:
        """As of `Memory`."""
        return self.replay.bytes_after(num_steps)


class StepMemory(ReplayMemory):
    """Stores every step as it is."""

    def add_step(self, step: Fields) -> None:
        """As of `Memory`."""
        self.replay.add(
            step, self._errors_of(step) if self.replay.needs_errors else None
        )

    def add_chunk(self, steps: Fields) -> None:
        """As of `Memory`."""
        errors = None
        if self.replay.needs_errors:
            errors = _in_a_row(self._errors(steps))
        # Not compiled: XLA would copy a memory of gigabytes to change some rows of it.
        self._add({name: _in_a_row(x) for name, x in steps.items()}, errors)

    @tf.function(jit_compile=True, autograph=False)
    def _errors(self, steps: Fields) -> tf.Tensor:
        """Errors, step by step: fields [K, N, ...] -> [K, N]."""
        return tf.map_fn(self._errors_of, steps, fn_output_signature=tf.float32)

    @tf.function(autograph=False)
    def _add(self, steps: Fields, errors: tf.Tensor | None) -> None:
        self.replay.add(steps, errors)


class SequenceMemory(ReplayMemory):
    """Stores each sequence when it has ended."""

    def __init__(
        self,
        replay: Replay,
        minibatch_size: int,
        errors_of: ErrorsOf,
        unfinished: UnfinishedSequences,
    ):
        """Takes what remembers the sequences that have not ended, too."""
        super().__init__(replay, minibatch_size, errors_of)
        self._unfinished = unfinished
        for name, variable in unfinished.variables_by_name.items():
            self.variables[f"open_{name}"] = variable

    def add_step(self, step: Fields) -> None:
        """As of `Memory`: one sequence that has ended after the other."""
        chunk = {name: field[tf.newaxis] for name, field in step.items()}
        sequences = {k: v[0] for k, v in self._unfinished.add(chunk).items()}
        ended_first = tf.argsort(step["continues"], stable=True)
        num_ended = tf.reduce_sum(tf.cast(step["continues"] == 0.0, tf.int32))

        def add(index: tf.Tensor) -> tuple[tf.Tensor]:
            row = tf.gather(ended_first, [index])
            one = {name: tf.gather(x, row) for name, x in sequences.items()}
            errors = self._errors_of(one) if self.replay.needs_errors else None
            self.replay.add(one, errors)
            return (index + 1,)

        tf.while_loop(lambda index: index < num_ended, add, [0])

    @tf.function(autograph=False)
    def add_chunk(self, steps: Fields) -> None:
        """As of `Memory`."""
        sequences = self._unfinished.add(steps)
        has_ended = steps["continues"] == 0.0
        ended = {k: tf.boolean_mask(v, has_ended) for k, v in sequences.items()}

        def add() -> tf.Tensor:
            errors = self._errors_of(ended) if self.replay.needs_errors else None
            return tf.size(self.replay.add(ended, errors))

        # Of none the longest would have no length.
        tf.cond(tf.reduce_any(has_ended), add, lambda: 0)


def make_memory(
    fields: Specs,
    mode: ReplayMode,
    config: RLTunerConfig,
    max_length: int,
    errors_of: ErrorsOf,
) -> ReplayMemory:
    """The memory that the config asks for.

    Args:
      fields: shape and type of what is remembered of a step.
      mode: how.
      config: the settings.
      max_length: tokens of a sequence, at the most.
      errors_of: for prioritized replay, the errors of what is stored.

    Raises:
      UserError: it does not fit into what memory is free.
    """
    if mode.stores_sequences:
        fields = {name: fields[name] for name in ("tokens", "num_read")}
        fields["rewards"] = tf.TensorSpec([max_length])
    capacity, batch_size = config.replay_capacity, config.minibatch_size
    needed = bytes_needed(capacity, fields)
    free_space.check_replay(needed, capacity, _WITHOUT_STATES * ("states" in fields))
    replay = _make_replay(capacity, fields, config)
    if not mode.stores_sequences:
        return StepMemory(replay, batch_size, errors_of)
    unfinished = UnfinishedSequences(config.num_sequences, max_length)
    return SequenceMemory(replay, batch_size, errors_of, unfinished)


def _make_replay(
    capacity: int,
    fields: Mapping[str, tf.TensorSpec],
    config: RLTunerConfig,
) -> Replay:
    if config.replay == "uniform":
        return UniformReplay(capacity, fields)
    return PrioritizedReplay(
        capacity, fields, config.priority_exponent, config.importance_exponent
    )


def _in_a_row(value: tf.Tensor) -> tf.Tensor:
    """Joins the steps of all sequences: [K, N, ...] -> [K * N, ...]."""
    return tf.reshape(value, [-1, *value.shape[2:]])
