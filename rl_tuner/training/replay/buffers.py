"""Replay memories that live in the graph: uniform and prioritized."""

from __future__ import annotations

import abc
import functools
import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from rl_tuner.system.lazy_arrays import LazyArrays
from rl_tuner.training.replay.sum_tree import SumTree

# Added to |td error|, so that no transition is lost for good (Schaul et al. 2016, 3.3).
PRIORITY_FLOOR = 0.01
# Rows that are read at a time where a memory of gigabytes is saved.
_BLOCK = 1 << 14


class Sample(NamedTuple):
    """Transitions that were drawn.

    Attributes:
      transitions: fields [N, ...] by name.
      rows: [N] int64, where they are stored.
      weights: [N] float32, of their losses; at most 1.
    """

    transitions: dict[str, tf.Tensor]
    rows: tf.Tensor
    weights: tf.Tensor


def bytes_needed(capacity: int, fields: Mapping[str, tf.TensorSpec]) -> int:
    """What a memory's transitions take: no more than a hundredth is added to it."""
    return capacity * sum(
        spec.dtype.size * math.prod(spec.shape) for spec in fields.values()
    )


class Replay(tf.Module, abc.ABC):
    """The last `capacity` transitions.

    Fields are stored apart, one ring of [capacity, ...] each. `add`, `sample` and
    `update` work inside a compiled loop; outside of one, `add` writes in place.

    Attributes:
      capacity: how many transitions are kept.
      fields: shape and type of one transition's fields, by name.
      needs_errors: whether `add` and `update` want temporal difference errors.
    """

    needs_errors = False

    def __init__(self, capacity: int, fields: Mapping[str, tf.TensorSpec], name: str):
        """Allocates the memory.

        Args:
          capacity: how many transitions are kept.
          fields: shape and type of one transition's fields, by name.
          name: of the module.
        """
        super().__init__(name=name)
        self.capacity = capacity
        self.fields = dict(fields)
        self._bytes_each = bytes_needed(1, fields)
        self._rings = {
            name: tf.Variable(
                tf.zeros([capacity, *spec.shape], spec.dtype),
                trainable=False,
                name=name,
            )
            for name, spec in fields.items()
        }
        self._added = tf.Variable(0, dtype=tf.int64, trainable=False, name="added")

    @property
    def size(self) -> tf.Tensor:
        """How many transitions are stored, a scalar int64."""
        return tf.minimum(self._added, self.capacity)

    def bytes_after(self, num_added: int) -> int:
        """Size in bytes of what is stored, once so many were added."""
        return min(num_added, self.capacity) * self._bytes_each

    def state(self) -> LazyArrays:
        """All that is stored, for `restore`: a ring's rows that were ever written."""
        rows = {name: functools.partial(self.stored, name=name) for name in self._rings}
        return LazyArrays({"added": self._added.numpy, **rows})

    def stored(self, name: str) -> np.ndarray:
        """A copy of one field of all transitions that are stored: [M, ...]."""
        ring, size = self._rings[name], int(self.size)
        # Block by block: reading a variable whole would copy it twice.
        rows = np.empty([size, *ring.shape[1:]], ring.dtype.as_numpy_dtype)
        for start, stop in _blocks(size):
            rows[start:stop] = tf.gather(ring, tf.range(start, stop)).numpy()
        return rows

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Makes the memory what it was when `state` was taken.

        Raises:
          ValueError, KeyError: the state is of a memory of another kind.
        """
        for name in self._rings:
            self._restore_field(name, state[name])
        self._added.assign(state["added"])

    def add(
        self, transitions: Mapping[str, tf.Tensor], errors: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Stores transitions, over the oldest once the memory is full.

        Args:
          transitions: fields [N, ...], N at most the capacity.
          errors: [N] temporal difference errors, where `needs_errors`.

        Returns:
          [N] int64, the rows where they are stored.
        """
        del errors
        count = tf.shape(next(iter(transitions.values())), tf.int64)[0]
        rows = (self._added + tf.range(count)) % self.capacity
        for name, ring in self._rings.items():
            ring.scatter_nd_update(rows[:, tf.newaxis], transitions[name])
        self._added.assign_add(count)
        return rows

    def _restore_field(self, name: str, stored: np.ndarray) -> None:
        ring = self._rings[name]
        if len(stored) > self.capacity or stored.shape[1:] != ring.shape[1:]:
            raise ValueError(f"{name} is {stored.shape}, the memory {ring.shape}")
        for start, stop in _blocks(len(stored)):
            rows = tf.range(start, stop)[:, tf.newaxis]
            ring.scatter_nd_update(rows, stored[start:stop])

    @abc.abstractmethod
    def sample(self, batch_size: int, seed: tf.Tensor) -> Sample:
        """Draws transitions with replacement; `add` must have come first.

        Args:
          batch_size: how many.
          seed: [2] integers; the same seed draws the same rows.
        """

    def update(self, rows: tf.Tensor, errors: tf.Tensor) -> None:
        """Takes the new errors [N] of transitions in rows [N], after an update."""
        del rows, errors

    def _transitions(self, rows: tf.Tensor) -> dict[str, tf.Tensor]:
        return {name: tf.gather(ring, rows) for name, ring in self._rings.items()}


class UniformReplay(Replay):
    """Each transition is as likely to be sampled (Mnih et al. 2013)."""

    def __init__(self, capacity: int, fields: Mapping[str, tf.TensorSpec]):
        """Allocates the memory, as `Replay` does."""
        super().__init__(capacity, fields, "uniform_replay")

    def sample(self, batch_size: int, seed: tf.Tensor) -> Sample:
        """Draws transitions uniformly: see `Replay.sample`."""
        rows = tf.random.stateless_uniform(
            [batch_size], seed, minval=0, maxval=self.size, dtype=tf.int64
        )
        return Sample(self._transitions(rows), rows, tf.ones([batch_size]))


class PrioritizedReplay(Replay):
    """Transitions are sampled by their last error (Schaul et al. 2016).

    P(i) = p_i / sum_k p_k with p_i = (|td error_i| + .01)^alpha; losses are weighed by
    w_i = (N P(i))^-beta / max_j w_j, the maximum being that of the sample.
    """

    needs_errors = True

    def __init__(
        self,
        capacity: int,
        fields: Mapping[str, tf.TensorSpec],
        priority_exponent: float = 0.5,
        importance_exponent: float = 0.0,
    ):
        """Allocates the memory.

        Args:
          capacity: how many transitions are kept.
          fields: shape and type of one transition's fields, by name.
          priority_exponent: alpha; 0 samples uniformly.
          importance_exponent: beta; 0 weighs all the same, 1 makes up for priorities.
        """
        super().__init__(capacity, fields, "prioritized_replay")
        self._priority_exponent = priority_exponent
        self._importance_exponent = importance_exponent
        self._tree = SumTree(capacity)

    def state(self) -> LazyArrays:
        """All that is stored, priorities too."""
        return super().state() | LazyArrays({"priorities": self._priorities})

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Makes the memory what it was: see `Replay.restore`."""
        super().restore(state)
        self._tree.fill(state["priorities"])

    def add(
        self, transitions: Mapping[str, tf.Tensor], errors: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Stores transitions with their errors: see `Replay.add`."""
        rows = super().add(transitions)
        self.update(rows, errors)
        return rows

    def sample(self, batch_size: int, seed: tf.Tensor) -> Sample:
        """Draws transitions by their priorities: see `Replay.sample`."""
        shares = tf.random.stateless_uniform([batch_size], seed, dtype=tf.float64)
        rows = self._tree.find(shares * self._tree.total)
        return Sample(self._transitions(rows), rows, self._weights(rows))

    def update(self, rows: tf.Tensor, errors: tf.Tensor) -> None:
        """Sets the priorities of rows [N] by their errors [N]."""
        priorities = (tf.abs(errors) + PRIORITY_FLOOR) ** self._priority_exponent
        self._tree.set_values(rows, tf.cast(priorities, tf.float64))

    def _priorities(self) -> np.ndarray:
        return self._tree.values(tf.range(self.size)).numpy()

    def _weights(self, rows: tf.Tensor) -> tf.Tensor:
        if self._importance_exponent == 0.0:
            return tf.ones([rows.shape[0]])
        probabilities = self._tree.values(rows) / self._tree.total
        size = tf.cast(self.size, tf.float64)
        weights = (size * probabilities) ** -self._importance_exponent
        return tf.cast(weights / tf.reduce_max(weights), tf.float32)


def _blocks(size: int) -> Iterator[tuple[int, int]]:
    """Where each block of rows starts and stops."""
    for start in range(0, size, _BLOCK):
        yield start, min(size, start + _BLOCK)
