"""The LSTM cells of Magenta's melody_rnn, with attention and residual connections.

Weights have TensorFlow 1's layout: a cell's kernel is [inputs + units, 4 units], its
gates are i, j (candidate), f, o, and the forget bias of 1 is not in its bias.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import NamedTuple

import tensorflow as tf

from melody_rnn.networks.layouts import ATTENTION_LAYOUTS, FORGET_BIAS

# A weight by its name.
Weights = Callable[[str], tf.Tensor]


class Attention(NamedTuple):
    """What attention remembers of N melodies.

    Attributes:
      attended: [N, A], what was read from the memory last.
      memory: [N, L, A], the last L outputs, oldest first; zeros at the beginning.
      keys: [N, L, A], the memory times the weight that it is searched by.
    """

    attended: tf.Tensor
    memory: tf.Tensor
    keys: tf.Tensor


class StackState(NamedTuple):
    """Where the cells of N melodies stand.

    Attributes:
      cells: c and h of each layer, [N, units] each.
      attention: empty without, as loops of TensorFlow take no None.
    """

    cells: tuple[tf.Tensor, ...]
    attention: Attention | tuple[()]


@dataclasses.dataclass(frozen=True)
class RecurrentStack:
    """Layers of cells; their equations, but not their weights.

    Attributes:
      input_size: numbers that the first layer reads.
      layer_sizes: cells of each layer.
      attention_length: outputs that are attended to; 0 for no attention.
      attention_layout: one of `ATTENTION_LAYOUTS`.
      residual: whether each layer's input is added to its output.
    """

    input_size: int
    layer_sizes: tuple[int, ...]
    attention_length: int = 0
    attention_layout: str = ATTENTION_LAYOUTS[0]
    residual: bool = False

    def __post_init__(self) -> None:
        sizes = (self.input_size, *self.layer_sizes)
        if len(sizes) < 2 or not all(type(s) is int and 0 < s <= 65536 for s in sizes):
            raise ValueError("layer_sizes must be positive integers")
        length = self.attention_length
        if type(length) is not int or not 0 <= length <= 65536:
            raise ValueError("attention_length must be an integer of at least 0")
        if self.attention_layout not in ATTENTION_LAYOUTS:
            layouts = ", ".join(ATTENTION_LAYOUTS)
            raise ValueError(f"attention_layout must be one of {layouts}")
        if type(self.residual) is not bool:
            raise ValueError("residual must be true or false")
        if self.residual and self.attends_all:
            raise ValueError("attention around all layers has no residual connections")

    @property
    def attends_all(self) -> bool:
        """Whether attention is around all layers."""
        return self.attention_length > 0 and self.attention_layout == "all_layers"

    @property
    def attention_size(self) -> int:
        """Numbers of an output that is attended to (A)."""
        return self.layer_sizes[-1 if self.attends_all else 0]

    @property
    def parts(self) -> list[tuple[str, int]]:
        """The parts of a state and their sizes, in Magenta's order.

        c and h of each layer; what was attended to and the memory, oldest first, come
        after those of what attention is around.
        """
        parts = []
        attention = [
            ("attended", self.attention_size),
            ("memory", self.attention_length * self.attention_size),
        ]
        for layer, size in enumerate(self.layer_sizes):
            parts += [(f"c_{layer}", size), (f"h_{layer}", size)]
            if layer == 0 and self.attention_length and not self.attends_all:
                parts += attention
        return parts + attention * self.attends_all

    @property
    def state_size(self) -> int:
        """Length of a state."""
        return sum(size for _, size in self.parts)

    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of all weights by name, in the order in which they are used."""
        shapes: dict[str, tuple[int, ...]] = {}
        width = self.input_size
        if self.attends_all:
            shapes |= self._attention_shapes(width, 2 * sum(self.layer_sizes))
        for layer, size in enumerate(self.layer_sizes):
            if self._has_projection(layer):
                shapes[f"projection_{layer}/kernel"] = (width, size)
                shapes[f"projection_{layer}/bias"] = (size,)
                width = size
            if layer == 0 and self.attention_length and not self.attends_all:
                shapes |= self._attention_shapes(width, 2 * size)
            shapes[f"cell_{layer}/kernel"] = (width + size, 4 * size)
            shapes[f"cell_{layer}/bias"] = (4 * size,)
            width = size
        return shapes

    def start(self, weights: Weights, state: tf.Tensor) -> StackState:
        """Takes a state [N, state_size] apart, to take steps from it."""
        names, sizes = zip(*self.parts, strict=True)
        values = dict(zip(names, tf.split(state, sizes, axis=1), strict=True))
        attention: Attention | tuple[()] = ()
        if self.attention_length:
            shape = [-1, self.attention_length, self.attention_size]
            rows = tf.reshape(values["memory"], [-1, self.attention_size])
            keys = tf.matmul(rows, weights("attention/memory_kernel"))
            memory, keys = tf.reshape(rows, shape), tf.reshape(keys, shape)
            attention = Attention(values["attended"], memory, keys)
        cells = [
            values[f"{part}_{layer}"]
            for layer in range(len(self.layer_sizes))
            for part in ("c", "h")
        ]
        return StackState(tuple(cells), attention)

    def finish(self, state: StackState) -> tf.Tensor:
        """Puts a state together again: the inverse of `start`."""
        values = {}
        for layer in range(len(self.layer_sizes)):
            values[f"c_{layer}"], values[f"h_{layer}"] = state.cells[
                2 * layer : 2 * layer + 2
            ]
        if isinstance(state.attention, Attention):
            values["attended"] = state.attention.attended
            size = self.attention_length * self.attention_size
            values["memory"] = tf.reshape(state.attention.memory, [-1, size])
        return tf.concat([values[name] for name, _ in self.parts], axis=1)

    def step(
        self,
        weights: Weights,
        x: tf.Tensor,
        state: StackState,
        masks: Sequence[tf.Tensor] = (),
    ) -> tuple[tf.Tensor, StackState]:
        """Reads one input of each melody.

        Args:
          weights: by name.
          x: [N, input_size].
          state: before.
          masks: for dropout, what each layer's output is multiplied by: [N, units]
            each.

        Returns:
          what the last layer puts out [N, units], and the state after it.
        """
        attention = state.attention
        cells: list[tf.Tensor] = []
        if isinstance(attention, Attention) and self.attends_all:
            x = self._with_attended(weights, x, attention)
        for layer in range(len(self.layer_sizes)):
            if self._has_projection(layer):
                x = _affine(weights, f"projection_{layer}", x)
            c, h = state.cells[2 * layer : 2 * layer + 2]
            if layer or self.attends_all or not isinstance(attention, Attention):
                c, h = _lstm_cell(weights, f"cell_{layer}", x, c, h)
                cells += [c, h]
            else:
                read = self._with_attended(weights, x, attention)
                c, h = _lstm_cell(weights, f"cell_{layer}", read, c, h)
                cells += [c, h]
                h, attention = self._attend(weights, [c, h], h, attention)
            x = h + x if self.residual else h
            x = x * masks[layer] if masks else x
        if isinstance(attention, Attention) and self.attends_all:
            x, attention = self._attend(weights, cells, x, attention)
        return x, StackState(tuple(cells), attention)

    def _has_projection(self, layer: int) -> bool:
        """Whether a layer's input is brought to its size, to be added to its output."""
        sizes = (None, *self.layer_sizes)
        return self.residual and sizes[layer] != sizes[layer + 1]

    def _attention_shapes(self, width: int, query: int) -> dict[str, tuple[int, ...]]:
        size = self.attention_size
        return {
            "attention/input/kernel": (width + size, width),
            "attention/input/bias": (width,),
            "attention/query/kernel": (query, size),
            "attention/query/bias": (size,),
            "attention/memory_kernel": (size, size),
            "attention/score": (size,),
            "attention/output/kernel": (2 * size, size),
            "attention/output/bias": (size,),
        }

    def _with_attended(
        self, weights: Weights, x: tf.Tensor, attention: Attention
    ) -> tf.Tensor:
        """The cells' input: what is read, and what was attended to before."""
        return _affine(
            weights, "attention/input", tf.concat([x, attention.attended], axis=1)
        )

    def _attend(
        self,
        weights: Weights,
        query: list[tf.Tensor],
        output: tf.Tensor,
        attention: Attention,
    ) -> tuple[tf.Tensor, Attention]:
        """Attends to the last outputs, and remembers one more.

        Args:
          weights: by name.
          query: c and h of the cells after this step.
          output: [N, A] of them.
          attention: before this step.

        Returns:
          the output [N, A] with what is attended to, and the attention after it.
        """
        asked = _affine(weights, "attention/query", tf.concat(query, axis=1))
        matches = tf.tanh(attention.keys + asked[:, tf.newaxis])
        scores = tf.reduce_sum(matches * weights("attention/score"), axis=2)
        # Rows that nothing was written to yet take part: there is no mask.
        shares = tf.nn.softmax(scores)[..., tf.newaxis]
        attended = tf.reduce_sum(shares * attention.memory, axis=1)
        y = _affine(weights, "attention/output", tf.concat([output, attended], axis=1))
        key = tf.matmul(y, weights("attention/memory_kernel"))
        return y, Attention(
            attended, _pushed(attention.memory, y), _pushed(attention.keys, key)
        )


def _lstm_cell(
    weights: Weights, name: str, x: tf.Tensor, c: tf.Tensor, h: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """BasicLSTMCell: new c and h."""
    gates = _affine(weights, name, tf.concat([x, h], axis=1))
    i, j, f, o = tf.split(gates, 4, axis=1)
    c = c * tf.sigmoid(f + FORGET_BIAS) + tf.sigmoid(i) * tf.tanh(j)
    return c, tf.tanh(c) * tf.sigmoid(o)


def _affine(weights: Weights, name: str, x: tf.Tensor) -> tf.Tensor:
    return tf.matmul(x, weights(f"{name}/kernel")) + weights(f"{name}/bias")


def _pushed(rows: tf.Tensor, row: tf.Tensor) -> tf.Tensor:
    """Rows [N, L, A] without the first, and one more [N, A]."""
    return tf.concat([rows[:, 1:], row[:, tf.newaxis]], axis=1)
