"""SumTree: draws rows in proportion to their values, in the graph."""

from __future__ import annotations

import numpy as np
import tensorflow as tf


class SumTree(tf.Module):
    """A binary tree of sums over the values of rows (Schaul et al. 2016, B.2.1).

    Node 1 is the root, the children of node n are 2 n and 2 n + 1, and the leaves are
    the values. Setting values and drawing rows take log2(capacity) vectorized steps,
    which work inside a compiled loop.

    A parent is always computed anew from its children, so that sums do not drift and
    the tree depends on its leaves alone.
    """

    def __init__(self, capacity: int):
        """Begins with all values 0."""
        super().__init__(name="sum_tree")
        self._depth = max(1, (capacity - 1).bit_length())
        # In double precision, since a draw has to tell a leaf from a sum of millions.
        self._nodes = tf.Variable(
            tf.zeros([2 << self._depth], tf.float64), trainable=False, name="nodes"
        )

    @property
    def total(self) -> tf.Tensor:
        """The sum of all values, a scalar float64."""
        return tf.gather(self._nodes, 1)

    def values(self, rows: tf.Tensor) -> tf.Tensor:
        """The values of rows: [N] int64 -> [N] float64."""
        return tf.gather(self._nodes, rows + (1 << self._depth))

    def set_values(self, rows: tf.Tensor, values: tf.Tensor) -> None:
        """Sets the values of rows.

        Args:
          rows: [N] int64; a row that is there twice must have the same value twice.
          values: [N] float64, at least 0.
        """
        nodes = rows + (1 << self._depth)
        self._nodes.scatter_nd_update(nodes[:, tf.newaxis], values)
        for _ in range(self._depth):
            nodes //= 2
            children = (
                tf.gather(self._nodes, 2 * nodes),
                tf.gather(self._nodes, 2 * nodes + 1),
            )
            self._nodes.scatter_nd_update(nodes[:, tf.newaxis], tf.add(*children))

    def find(self, positions: tf.Tensor) -> tf.Tensor:
        """The rows whose stretches hold positions, if values were laid end to end.

        Args:
          positions: [N] float64, from 0 up to, but without, `total`.

        Returns:
          [N] int64; never a row of value 0, unless all are.
        """
        nodes = tf.ones_like(positions, tf.int64)
        for _ in range(self._depth):
            left = tf.gather(self._nodes, 2 * nodes)
            right = tf.gather(self._nodes, 2 * nodes + 1)
            # Rounding may carry a position past the end of the last stretch.
            goes_right = (positions >= left) & (right > 0.0)
            positions = tf.where(goes_right, positions - left, positions)
            nodes = 2 * nodes + tf.cast(goes_right, tf.int64)
        return nodes - (1 << self._depth)

    def fill(self, values: np.ndarray) -> None:
        """Sets the values of the first rows, [N], and 0 for all others."""
        nodes = np.zeros([2 << self._depth])
        nodes[1 << self._depth :][: len(values)] = values
        for level in reversed(range(self._depth)):
            children = nodes[2 << level : 4 << level]
            nodes[1 << level : 2 << level] = children[0::2] + children[1::2]
        self._nodes.assign(nodes)
