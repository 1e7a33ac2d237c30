"""Replay memory that lives in the graph."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf


class UniformReplay(tf.Module):
    """The last `capacity` transitions, each as likely to be sampled (Mnih et al. 2013).

    Fields are stored apart, one ring of [capacity, ...] each. All methods work inside a
    compiled loop.
    """

    def __init__(self, capacity: int, fields: Mapping[str, tf.TensorSpec]):
        """Allocates the memory.

        Args:
          capacity: how many transitions are kept.
          fields: shape and type of one transition's fields, by name.
        """
        super().__init__(name="uniform_replay")
        self.capacity = capacity
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

    def state(self) -> dict[str, np.ndarray]:
        """All that is stored, for `restore`: a ring's rows that were ever written."""
        size = int(self.size)
        rows = {name: ring[:size].numpy() for name, ring in self._rings.items()}
        return {"added": self._added.numpy(), **rows}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Makes the memory what it was when `state` was taken.

        Raises:
          ValueError: the state is of a memory of another kind.
        """
        for name, ring in self._rings.items():
            rows = state[name]
            if len(rows) > self.capacity or rows.shape[1:] != ring.shape[1:]:
                raise ValueError(f"{name} is {rows.shape}, the memory {ring.shape}")
            whole = np.zeros(ring.shape, ring.dtype.as_numpy_dtype)
            whole[: len(rows)] = rows
            ring.assign(whole)
        self._added.assign(state["added"])

    def add(self, transitions: Mapping[str, tf.Tensor]) -> None:
        """Stores N transitions, over the oldest once it is full: fields [N, ...]."""
        count = next(iter(transitions.values())).shape[0]
        rows = (self._added + tf.range(count, dtype=tf.int64)) % self.capacity
        for name, ring in self._rings.items():
            ring.scatter_nd_update(rows[:, tf.newaxis], transitions[name])
        self._added.assign_add(count)

    def sample(self, batch_size: int, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        """Draws transitions with replacement, uniformly; `add` must have come first.

        Args:
          batch_size: how many.
          seed: [2] integers; the same seed draws the same rows.

        Returns:
          fields [batch_size, ...] by name.
        """
        rows = tf.random.stateless_uniform(
            [batch_size], seed, minval=0, maxval=self.size, dtype=tf.int64
        )
        return {name: tf.gather(ring, rows) for name, ring in self._rings.items()}
