"""The sequence model p(a_t | a_<t): one-hot -> LSTM stack -> logits."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rl_tuner.formats import npz_checkpoint, reading


class SequenceRNN(keras.Model):
    """Predicts the next token; the Note RNN of Jaques et al. 2016, section 2.2.

    Each token is one-hot encoded, passes a stack of LSTM layers and a dense layer that
    gives one logit per class; there is no embedding. The same weights serve
    pre-training, where they are the prior p, and reinforcement learning, where clones
    of them are the Q network, the target network and the Reward RNN.

    The recurrent state is one float tensor [N, state_size]: for each layer the cell
    state c, then the output h. A zero state stands before the first token.

    Attributes:
      num_classes: how many tokens there are.
      layer_sizes: LSTM cells per layer.
      state_size: length of a state vector, 2 * sum(layer_sizes).
      metadata: what else is known of the model (its vocabulary, how it was trained);
        JSON-serializable, and stored with the weights.
      read_from: one line that says what `load` read; empty for other models.
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
            keras.layers.LSTM(
                size, return_sequences=True, return_state=True, name=f"lstm_{index}"
            )
            for index, size in enumerate(self.layer_sizes)
        ]
        self.logits_layer = keras.layers.Dense(self.num_classes, name="logits")
        width = self.num_classes
        for layer in self.lstm_layers:
            layer.build((None, None, width))
            width = layer.units
        self.logits_layer.build((None, width))
        self.built = True

    def initial_state(self, batch_size: int | tf.Tensor) -> tf.Tensor:
        """The state before the first token: zeros [batch_size, state_size]."""
        return tf.zeros([batch_size, self.state_size])

    def step(self, tokens: tf.Tensor, state: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Reads one token of each sequence.

        Args:
          tokens: [N] integers, the last token of each sequence.
          state: [N, state_size], the state before that token.

        Returns:
          logits [N, num_classes] of the next token, and the state [N, state_size] after
          reading `tokens`.
        """
        new_state = []
        x = None
        for layer, (c, h) in zip(self.lstm_layers, self._split(state), strict=True):
            kernel = self._computed(layer, layer.cell.kernel)
            read = _rows(kernel, tokens) if x is None else tf.matmul(x, kernel)
            x, c, h = self._cell(layer, read, c, h)
            new_state += [c, h]
        return self._outputs(x, new_state)

    def unroll_with_state(
        self, tokens: tf.Tensor, state: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Reads whole sequences.

        Args:
          tokens: [N, T] integers.
          state: [N, state_size] before the first token; zeros if None.

        Returns:
          logits [N, T, num_classes], those at t being of token t + 1, and the state
          [N, state_size] after the last token.
        """
        tokens = tf.convert_to_tensor(tokens)
        if state is None:
            state = self.initial_state(tf.shape(tokens)[0])
        x = tf.one_hot(tokens, self.num_classes)
        new_state = []
        for layer, (c, h) in zip(self.lstm_layers, self._split(state), strict=True):
            x, h, c = layer(x, initial_state=[h, c])
            new_state += [c, h]
        return self._outputs(x, new_state)

    def unroll(self, tokens: tf.Tensor, state: tf.Tensor | None = None) -> tf.Tensor:
        """The logits of `unroll_with_state`: [N, T] integers -> [N, T, num_classes]."""
        return self.unroll_with_state(tokens, state)[0]

    def call(self, tokens: tf.Tensor) -> tf.Tensor:
        """The same as `unroll` from a zero state, as Keras wants it."""
        return self.unroll(tokens)

    def clone(self, name: str | None = None) -> SequenceRNN:
        """A new model of the same architecture with a copy of these weights."""
        copy = SequenceRNN(
            self.num_classes, self.layer_sizes, self.metadata, name or self.name
        )
        copy.set_weights(self.get_weights())
        return copy

    def with_classes(self, classes: Sequence[int]) -> SequenceRNN:
        """A new model of some of the classes, p(a | a in classes), numbered anew."""
        chosen = list(classes)
        weights = self.weight_arrays()
        weights["lstm_0/kernel"] = weights["lstm_0/kernel"][chosen]
        weights["logits/kernel"] = weights["logits/kernel"][:, chosen]
        weights["logits/bias"] = weights["logits/bias"][chosen]
        fewer = SequenceRNN(len(chosen), self.layer_sizes, self.metadata, self.name)
        fewer.set_named_weights(weights)
        return fewer

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

    def weight_arrays(self) -> dict[str, np.ndarray]:
        """The values of `named_weights`."""
        return {key: value.numpy() for key, value in self.named_weights().items()}

    def save(self, directory: str | os.PathLike) -> None:
        """Writes `config.json` and `weights.npz` into `directory`, which is created.

        Raises:
          UserError: the directory cannot be written.
        """
        config = {
            "num_classes": self.num_classes,
            "layer_sizes": list(self.layer_sizes),
            "metadata": self.metadata,
        }
        npz_checkpoint.write(directory, config, self.weight_arrays())

    @classmethod
    def load(cls, path: str | os.PathLike) -> SequenceRNN:
        """Reads what `save` wrote, or a model of Magenta's under any known name.

        Args:
          path: a directory written by `save`, a Magenta bundle (`*.mag`), a TensorFlow
            1 checkpoint (its prefix or file), or a directory that holds one.

        Raises:
          UserError: nothing is there, or it is damaged or no sequence RNN.
        """
        stored = reading.read(path)
        model = cls(stored.num_classes, stored.layer_sizes, stored.metadata)
        model.set_named_weights(stored.weights)
        model.read_from = stored.in_words()
        return model

    def set_named_weights(self, weights: Mapping[str, Any]) -> None:
        """Assigns arrays by the names of `named_weights`; all of them."""
        for name, variable in self.named_weights().items():
            variable.assign(weights[name])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, for Keras."""
        return {
            "num_classes": self.num_classes,
            "layer_sizes": self.layer_sizes,
            "metadata": self.metadata,
            "name": self.name,
        }

    def _cell(
        self, layer: keras.layers.LSTM, read: tf.Tensor, c: tf.Tensor, h: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """One step of a layer from what it read times its kernel: output, c and h.

        As `layer.cell`, which `unroll` runs; that would multiply one-hot tokens, and
        make a step a fifth slower.
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


def _rows(kernel: tf.Tensor, tokens: tf.Tensor) -> tf.Tensor:
    """One-hot tokens times a kernel: [N] integers, [classes, M] -> [N, M].

    Rows are looked up, which spares a quarter of the network's work. Their gradient is
    a product, since XLA adds up rows one by one on a CPU.
    """

    @tf.custom_gradient
    def look_up(kernel: tf.Tensor) -> tuple[tf.Tensor, Callable[..., tf.Tensor]]:
        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            one_hot = tf.one_hot(tokens, kernel.shape[0], dtype=upstream.dtype)
            return tf.matmul(one_hot, upstream, transpose_a=True)

        return tf.gather(kernel, tokens), gradient

    return look_up(kernel)
