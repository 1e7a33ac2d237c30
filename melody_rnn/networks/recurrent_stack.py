"""The LSTM cells of Magenta's melody_rnn, with attention and residual connections.

Weights have TensorFlow 1's layout: a cell's kernel is [inputs + units, 4 units], its
gates are i, j (candidate), f, o, and the forget bias of 1 is not in its bias.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from melody_rnn.networks import attention_cell, lstm_cells
from melody_rnn.networks.attention_cell import Attention
from melody_rnn.networks.layouts import ATTENTION_LAYOUTS
from melody_rnn.networks.lstm_cells import Weights


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
            shapes |= attention_cell.weight_shapes(
                width, 2 * sum(self.layer_sizes), self.attention_size
            )
        for layer, size in enumerate(self.layer_sizes):
            if self._has_projection(layer):
                shapes[f"projection_{layer}/kernel"] = (width, size)
                shapes[f"projection_{layer}/bias"] = (size,)
                width = size
            if layer == 0 and self.attention_length and not self.attends_all:
                shapes |= attention_cell.weight_shapes(
                    width, 2 * size, self.attention_size
                )
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
        return self._step(weights, x, state, masks, len(self.layer_sizes))

    def unroll(
        self,
        weights: Weights,
        inputs: tf.Tensor,
        state: StackState,
        masks: Sequence[tf.Tensor] = (),
    ) -> tuple[tf.Tensor, StackState]:
        """Reads whole sequences, as `step` would input by input.

        Args:
          weights: by name.
          inputs: [T, N, input_size].
          state: before the first.
          masks: as of `step`, but [T, N, units] each.

        Returns:
          what the last layer puts out [T, N, units], and the state after the last.
        """
        # Those that attention is around go step by step, the others at once.
        in_front = 1 if self.attention_length else 0
        first = len(self.layer_sizes) if self.attends_all else in_front
        x, attention = inputs, state.attention
        cells = list(state.cells)
        if first:
            before = StackState(tuple(cells[: 2 * first]), attention)
            x, after = self._unroll_first(weights, x, before, masks, first)
            cells[: 2 * first], attention = after
        for layer in range(first, len(self.layer_sizes)):
            if self._has_projection(layer):
                x = lstm_cells.affine(weights, f"projection_{layer}", x)
            c, h = cells[2 * layer : 2 * layer + 2]
            y, c, h = lstm_cells.lstm_layer(weights, f"cell_{layer}", x, c, h)
            cells[2 * layer : 2 * layer + 2] = c, h
            x = y + x if self.residual else y
            x = x * masks[layer] if masks else x
        return x, StackState(tuple(cells), attention)

    def _unroll_first(
        self,
        weights: Weights,
        inputs: tf.Tensor,
        state: StackState,
        masks: Sequence[tf.Tensor],
        num_layers: int,
    ) -> tuple[tf.Tensor, StackState]:
        """As `unroll`, of the first layers, step by step."""
        steps = tf.shape(inputs)[0]
        shape = [inputs.shape[1], self.layer_sizes[num_layers - 1]]
        outputs = tf.TensorArray(inputs.dtype, steps, element_shape=shape)

        def read(
            t: tf.Tensor, state: StackState, outputs: tf.TensorArray
        ) -> tuple[tf.Tensor, StackState, tf.TensorArray]:
            now = [mask[t] for mask in masks]
            output, state = self._step(weights, inputs[t], state, now, num_layers)
            return t + 1, state, outputs.write(t, output)

        _, state, outputs = tf.while_loop(
            lambda t, *_: t < steps,
            read,
            (tf.constant(0), state, outputs),
            maximum_iterations=inputs.shape[0],
        )
        return tf.ensure_shape(outputs.stack(), [inputs.shape[0], *shape]), state

    def _step(
        self,
        weights: Weights,
        x: tf.Tensor,
        state: StackState,
        masks: Sequence[tf.Tensor],
        num_layers: int,
    ) -> tuple[tf.Tensor, StackState]:
        """As `step`, of the first layers and their state."""
        attention = state.attention
        cells: list[tf.Tensor] = []
        if isinstance(attention, Attention) and self.attends_all:
            x = attention_cell.with_attended(weights, x, attention)
        for layer in range(num_layers):
            if self._has_projection(layer):
                x = lstm_cells.affine(weights, f"projection_{layer}", x)
            c, h = state.cells[2 * layer : 2 * layer + 2]
            if layer or self.attends_all or not isinstance(attention, Attention):
                c, h = lstm_cells.lstm_cell(weights, f"cell_{layer}", x, c, h)
                cells += [c, h]
            else:
                read = attention_cell.with_attended(weights, x, attention)
                c, h = lstm_cells.lstm_cell(weights, f"cell_{layer}", read, c, h)
                cells += [c, h]
                h, attention = attention_cell.attend(weights, [c, h], h, attention)
            x = h + x if self.residual else h
            x = x * masks[layer] if masks else x
        if isinstance(attention, Attention) and self.attends_all:
            x, attention = attention_cell.attend(weights, cells, x, attention)
        return x, StackState(tuple(cells), attention)

    def _has_projection(self, layer: int) -> bool:
        """Whether a layer's input is brought to its size, to be added to its output."""
        sizes = (None, *self.layer_sizes)
        return self.residual and sizes[layer] != sizes[layer + 1]
