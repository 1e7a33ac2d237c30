"""The sequence model p(a_t | a_<t): one-hot -> LSTM stack -> logits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from rl_tuner.networks import lstm_sum
from rl_tuner.networks.lstm_over_time import lstm_over_time
from rl_tuner.networks.network import Network


class SequenceRNN(Network):
    """Predicts the next token; the Note RNN of Jaques et al. 2016, section 2.2.

    Each token is one-hot encoded, passes a stack of LSTM layers and a dense layer that
    gives one logit per class; there is no embedding.

    The recurrent state is one float tensor [N, state_size]: for each layer the cell
    state c, then the output h. A zero state stands before the first token.

    Attributes:
      num_classes: how many tokens there are.
      layer_sizes: LSTM cells per layer.
      state_size: length of a state vector, 2 * sum(layer_sizes).
      metadata: as of `Network`, as is `read_from`.
    """

    def __init__(
        self,
        num_classes: int,
        layer_sizes: Sequence[int] = (100,),
        metadata: Mapping[str, Any] | None = None,
        name: str = "sequence_rnn",
    ):
        super().__init__(name=name)
        self.num_classes = int(num_classes)
        self.layer_sizes = tuple(int(size) for size in layer_sizes)
        self.state_size = 2 * sum(self.layer_sizes)
        self.metadata = dict(metadata or {})
        self.read_from = ""
        self.lstm_layers = [
            _lstm_layer(index, size) for index, size in enumerate(self.layer_sizes)
        ]
        self.logits_layer = keras.layers.Dense(self.num_classes, name="logits")
        width = self.num_classes
        for layer in self.lstm_layers:
            layer.build((None, None, width))
            width = layer.units
        self.logits_layer.build((None, width))
        self.built = True

    def step(self, tokens: tf.Tensor, state: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """As of `Network`."""
        new_state = []
        x = None
        for layer, (c, h) in zip(self.lstm_layers, self._split(state), strict=True):
            x, c, h = self._cell(layer, self._read(layer, tokens, x), c, h)
            new_state += [c, h]
        return self._outputs(x, new_state)

    def unroll_with_state(
        self, tokens: tf.Tensor, state: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """As of `Network`."""
        return self._unroll(tokens, state, lambda x, _: x)

    def unroll_with_dropout(
        self, tokens: tf.Tensor, rate: float, seed: tf.Tensor
    ) -> tf.Tensor:
        """As of `Network`."""

        def drop(x: tf.Tensor, layer: int) -> tf.Tensor:
            own = tf.random.fold_in(seed, layer)
            return tf.nn.experimental.stateless_dropout(x, rate, own, "philox")

        return self._unroll(tokens, None, drop)[0]

    def _unroll(
        self,
        tokens: tf.Tensor,
        state: tf.Tensor | None,
        drop: Callable[[tf.Tensor, int], tf.Tensor],
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Reads whole sequences; `drop` takes what a layer puts out, and its number."""
        tokens = tf.cast(tokens, tf.int32)
        if state is None:
            state = self.initial_state(tf.shape(tokens)[0])
            state = tf.ensure_shape(state, [tokens.shape[0], self.state_size])
        by_step = tf.transpose(tokens)
        new_state = []
        x = None
        for number, (layer, (c, h)) in enumerate(
            zip(self.lstm_layers, self._split(state), strict=True)
        ):
            read = self._read(layer, by_step, x)
            read += self._computed(layer, layer.cell.bias)
            x, c, h = lstm_over_time(
                read,
                self._computed(layer, layer.cell.recurrent_kernel),
                *(tf.cast(value, read.dtype) for value in (c, h)),
            )
            x = drop(x, number)
            new_state += [c, h]
        logits, state = self._outputs(x, new_state)
        return tf.transpose(logits, [1, 0, 2]), state

    def named_weights(self) -> dict[str, tf.Variable]:
        """The variables by their names in a checkpoint; gates in the order i, f, c, o.

        `lstm_K/kernel` [inputs, 4 units], `lstm_K/recurrent_kernel` [units, 4 units],
        `lstm_K/bias` [4 units], `logits/kernel` [units, num_classes], `logits/bias`.
        """
        named = {}
        for layer in [*self.lstm_layers, self.logits_layer]:
            for variable in layer.trainable_variables:
                named[f"{layer.name}/{variable.name}"] = variable
        return named

    @property
    def clipping_groups(self) -> list[list[int]]:
        """As of `Network`: a TensorFlow 1 cell has one kernel for inputs and state.

        So the norm of its gradient is that of the two Keras kernels together; every
        other variable stands alone.
        """
        indices = {id(v): i for i, v in enumerate(self.trainable_variables)}
        groups = []
        for layer in self.lstm_layers:
            kernels = (layer.cell.kernel, layer.cell.recurrent_kernel)
            groups.append([indices[id(kernel)] for kernel in kernels])
            groups.append([indices[id(layer.cell.bias)]])
        groups += [[indices[id(v)]] for v in self.logits_layer.trainable_variables]
        return groups

    def fill_logits(self, value: float) -> None:
        """As of `Network`: by the weights of the last layer."""
        kernel, bias = self.logits_layer.trainable_variables
        kernel.assign(tf.zeros_like(kernel))
        bias.assign(tf.fill(bias.shape, value))

    def architecture(self) -> dict[str, Any]:
        """As of `Network`."""
        return {
            "num_classes": self.num_classes,
            "layer_sizes": list(self.layer_sizes),
        }

    @classmethod
    def weight_shapes(
        cls, architecture: Mapping[str, Any]
    ) -> dict[str, tuple[int, ...]]:
        """As of `Network`, from the sizes alone.

        Raises:
          ValueError: a size makes no sense.
        """
        classes, layer_sizes = architecture["num_classes"], architecture["layer_sizes"]
        sizes = [classes, *layer_sizes]
        if len(sizes) < 2 or not all(type(s) is int and 0 < s <= 65536 for s in sizes):
            raise ValueError("num_classes and layer_sizes must be positive integers")
        shapes: dict[str, tuple[int, ...]] = {}
        width = classes
        for index, size in enumerate(layer_sizes):
            shapes[f"lstm_{index}/kernel"] = (width, 4 * size)
            shapes[f"lstm_{index}/recurrent_kernel"] = (size, 4 * size)
            shapes[f"lstm_{index}/bias"] = (4 * size,)
            width = size
        return shapes | {"logits/kernel": (width, classes), "logits/bias": (classes,)}

    def in_words(self) -> str:
        """As of `Network`."""
        sizes = ", ".join(map(str, self.layer_sizes))
        layers = "1 LSTM layer" if len(self.layer_sizes) == 1 else "LSTM layers"
        return f"{layers} of {sizes} cells, {self.num_classes} classes"

    def summed_with(self, other: Network) -> SequenceRNN:
        """As of `Network`: its layers hold the cells of both."""
        if not isinstance(other, SequenceRNN):
            return super().summed_with(other)  # which refuses
        sizes = zip(self.layer_sizes, other.layer_sizes, strict=True)
        both = SequenceRNN(self.num_classes, [a + b for a, b in sizes], self.metadata)
        both.set_named_weights(
            lstm_sum.summed_weights(self.weight_arrays(), other.weight_arrays())
        )
        return both

    def as_keras_model(self) -> keras.Model:
        """As of `Network`."""
        tokens = keras.Input([None], dtype="int32", name="tokens")
        state = keras.Input([self.state_size], name="state")
        x = keras.ops.one_hot(tokens, self.num_classes)
        new_state, offset, layers = [], 0, []
        for index, size in enumerate(self.layer_sizes):
            c = state[:, offset : offset + size]
            h = state[:, offset + size : offset + 2 * size]
            offset += 2 * size
            layers.append(_lstm_layer(index, size))
            x, h, c = layers[-1](x, initial_state=[h, c])
            new_state += [c, h]
        layers.append(keras.layers.Dense(self.num_classes, name="logits"))
        outputs = {
            "logits": layers[-1](x),
            "state": keras.layers.Concatenate(name="new_state")(new_state),
        }
        model = keras.Model({"tokens": tokens, "state": state}, outputs)
        for ours, theirs in zip(
            [*self.lstm_layers, self.logits_layer], layers, strict=True
        ):
            theirs.set_weights(ours.get_weights())
        return model

    def _read(
        self, layer: keras.layers.LSTM, tokens: tf.Tensor, x: tf.Tensor | None
    ) -> tf.Tensor:
        """What a layer reads times its kernel: tokens, or x of the layer below."""
        kernel = self._computed(layer, layer.cell.kernel)
        return _rows(kernel, tokens) if x is None else tf.tensordot(x, kernel, 1)

    def _cell(
        self, layer: keras.layers.LSTM, read: tf.Tensor, c: tf.Tensor, h: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """One step of a layer from what it read times its kernel: output, c and h.

        As `layer.cell` would, which multiplies one-hot tokens and makes a step a fifth
        slower. Over whole sequences it is `lstm_over_time`.
        """
        c, h = (tf.cast(value, read.dtype) for value in (c, h))
        recurrent_kernel = self._computed(layer, layer.cell.recurrent_kernel)
        gates = read + tf.matmul(h, recurrent_kernel)
        gates += self._computed(layer, layer.cell.bias)
        i, f, candidate, o = tf.split(gates, 4, axis=-1)
        c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(candidate)
        h = tf.sigmoid(o) * tf.tanh(c)
        return h, c, h

    def _computed(self, layer: keras.layers.Layer, weight: tf.Variable) -> tf.Tensor:
        """A weight in the type that the layer computes in."""
        return tf.cast(weight, layer.compute_dtype)

    def _outputs(
        self, x: tf.Tensor, new_state: list[tf.Tensor]
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The logits of what the last layer put out, and all layers' state in a row."""
        # In float32 under a policy of mixed precision too.
        logits = tf.cast(self.logits_layer(x), tf.float32)
        return logits, tf.cast(tf.concat(new_state, axis=-1), tf.float32)

    def _split(self, state: tf.Tensor) -> list[tuple[tf.Tensor, tf.Tensor]]:
        """The (c, h) of each layer, [N, units] each."""
        sizes = [size for size in self.layer_sizes for _ in range(2)]
        parts = tf.split(state, sizes, axis=-1)
        return list(zip(parts[::2], parts[1::2], strict=True))


def _lstm_layer(index: int, size: int) -> keras.layers.LSTM:
    return keras.layers.LSTM(
        size, return_sequences=True, return_state=True, name=f"lstm_{index}"
    )


def _rows(kernel: tf.Tensor, tokens: tf.Tensor) -> tf.Tensor:
    """One-hot tokens times a kernel: integers [...], [classes, M] -> [..., M].

    Rows are looked up, which spares a quarter of the network's work. Their gradient is
    a product, since XLA adds up rows one by one on a CPU.
    """

    @tf.custom_gradient
    def look_up(kernel: tf.Tensor) -> tuple[tf.Tensor, Callable[..., tf.Tensor]]:
        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            classes, width = kernel.shape
            flat = tf.reshape(tokens, [-1])
            one_hot = tf.one_hot(flat, classes, dtype=upstream.dtype)
            rows = tf.reshape(upstream, [-1, width])
            return tf.matmul(one_hot, rows, transpose_a=True)

        return tf.gather(kernel, tokens), gradient

    return look_up(kernel)
