"""Network: the interface of what can be tuned."""

from __future__ import annotations

import abc
import hashlib
import os
from collections.abc import Mapping
from typing import Any, TypeVar

import keras
import numpy as np
import tensorflow as tf

from rl_tuner import user_code
from rl_tuner.errors import UserError
from rl_tuner.formats import npz_checkpoint, reading
from rl_tuner.formats.stored_model import StoredModel

Self = TypeVar("Self", bound="Network")

# By their names in a checkpoint; others are named `module:Class`.
NETWORKS = {"rl_tuner.SequenceRNN": "rl_tuner.networks.sequence_rnn:SequenceRNN"}


class Network(keras.Model, abc.ABC):
    """p(a_t | a_<t): reads tokens of a task, and gives logits of the next one.

    The same weights serve pre-training, where they are the prior p, and reinforcement
    learning, where clones of them are the Q network, the target network and the Reward
    RNN. What the network remembers of the tokens so far is one float vector, of zeros
    before the first token.

    A network of a user's own is a subclass that can be imported; its checkpoints name
    it as `module:Class`.

    Attributes:
      num_classes: how many tokens there are.
      state_size: length of a state vector.
      metadata: what else is known of the model (its vocabulary, how it was trained);
        JSON-serializable, and stored with the weights.
      read_from: one line that says what `load` read; empty for other models.
    """

    num_classes: int
    state_size: int
    metadata: dict[str, Any]
    read_from: str = ""

    @abc.abstractmethod
    def step(self, tokens: tf.Tensor, state: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Reads one token of each sequence; works inside a compiled loop.

        Args:
          tokens: [N] integers, the last token of each sequence.
          state: [N, state_size], the state before that token.

        Returns:
          logits [N, num_classes] of the next token, and the state [N, state_size] after
          reading `tokens`.
        """

    @abc.abstractmethod
    def unroll_with_state(
        self, tokens: tf.Tensor, state: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Reads whole sequences, as `step` would token by token.

        Args:
          tokens: [N, T] integers.
          state: [N, state_size] before the first token; zeros if None.

        Returns:
          logits [N, T, num_classes], those at t being of token t + 1, and the state
          [N, state_size] after the last token.
        """

    @property
    @abc.abstractmethod
    def clipping_groups(self) -> list[list[int]]:
        """Indices into `trainable_variables` whose gradients are clipped together.

        Jaques et al. 2016, section 5, clip each weight on its own.
        """

    @abc.abstractmethod
    def fill_logits(self, value: float) -> None:
        """Makes the network put out `value` for every token, whatever it reads."""

    @abc.abstractmethod
    def named_weights(self) -> dict[str, tf.Variable]:
        """All variables by their names in a checkpoint."""

    @abc.abstractmethod
    def architecture(self) -> dict[str, Any]:
        """Arguments of the constructor but `metadata` and `name`, for JSON."""

    @classmethod
    def weight_shapes(cls, architecture: Mapping[str, Any]) -> dict[str, Any]:
        """The shapes of `named_weights` of an architecture, by name.

        By building one, unless a subclass knows better.
        """
        weights = cls(**architecture).named_weights()
        return {name: tuple(value.shape) for name, value in weights.items()}

    def in_words(self) -> str:
        """The architecture for users, e.g. "1 LSTM layer of 100 cells"."""
        return type(self).__name__

    def summed_with(self, other: Network) -> Network:
        """One network that puts out the sum of this one's logits and another's.

        Raises:
          UserError: there is none of this kind.
        """
        del other
        raise UserError(
            f"a {type(self).__name__} cannot be joined with another into one network, "
            "which a policy of G-learning is written as; tune it by another algorithm"
        )

    def as_keras_model(self) -> keras.Model:
        """The same network of Keras' own layers alone.

        Inputs: `tokens` [N, T] integers, and the `state` [N, state_size] before them,
        zeros at the beginning. Outputs: `logits` [N, T, num_classes], of the token
        after each, and the `state` after the last.

        Raises:
          UserError: there is none of this kind.
        """
        raise UserError(
            f"a {type(self).__name__} cannot be written with Keras' own layers alone; "
            "choose --format=savedmodel"
        )

    def initial_state(self, batch_size: int | tf.Tensor) -> tf.Tensor:
        """The state before the first token: zeros [batch_size, state_size]."""
        return tf.zeros([batch_size, self.state_size])

    def unroll(self, tokens: tf.Tensor, state: tf.Tensor | None = None) -> tf.Tensor:
        """The logits of `unroll_with_state`: [N, T] integers -> [N, T, num_classes]."""
        return self.unroll_with_state(tokens, state)[0]

    def unroll_with_dropout(
        self, tokens: tf.Tensor, rate: float, seed: tf.Tensor
    ) -> tf.Tensor:
        """As `unroll`, with some of what each layer puts out left out, for training.

        Args:
          tokens: [N, T] integers.
          rate: the share that is set to 0; the rest is made larger.
          seed: [2] integers, of which.

        Raises:
          UserError: there is no dropout in networks of this kind.
        """
        del tokens, rate, seed
        raise UserError(
            f"a {type(self).__name__} is not trained with dropout; give --dropout=0"
        )

    def call(self, tokens: tf.Tensor) -> tf.Tensor:
        """The same as `unroll` from a zero state, as Keras wants it."""
        return self.unroll(tokens)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, for Keras."""
        return {
            **self.architecture(),
            "metadata": self.metadata,
            "name": self.name,
        }

    def clone(self: Self, name: str | None = None) -> Self:
        """A new model of the same architecture with a copy of these weights."""
        copy = type(self)(**{**self.get_config(), "name": name or self.name})
        copy.set_weights(self.get_weights())
        return copy

    def weight_arrays(self) -> dict[str, np.ndarray]:
        """The values of `named_weights`."""
        return {key: value.numpy() for key, value in self.named_weights().items()}

    def fingerprint(self) -> str:
        """The SHA-256 of the weights, whatever file they came from."""
        digest = hashlib.sha256()
        for name, weights in sorted(self.weight_arrays().items()):
            digest.update(name.encode() + weights.tobytes())
        return digest.hexdigest()

    def set_named_weights(self, weights: Mapping[str, Any]) -> None:
        """Assigns arrays by the names of `named_weights`; all of them."""
        for name, variable in self.named_weights().items():
            variable.assign(weights[name])

    def save(self, directory: str | os.PathLike) -> None:
        """Writes `config.json` and `weights.npz` into `directory`, which is created.

        Raises:
          UserError: the directory cannot be written.
        """
        npz_checkpoint.write(
            directory,
            network_name(type(self)),
            {**self.architecture(), "metadata": self.metadata},
            self.weight_arrays(),
        )

    @classmethod
    def load(cls: type[Self], path: str | os.PathLike) -> Self:
        """Reads what `save` wrote, or a model of any format that a world brings.

        Args:
          path: a directory written by `save`, or a file or folder of another format: of
            melodies a Magenta bundle (`*.mag`), a TensorFlow 1 checkpoint (its prefix
            or file), or a directory that holds one.

        Raises:
          UserError: nothing is there, or it is damaged or another kind of network.
        """
        found, stored = read_checked(path)
        if not issubclass(found, cls):
            raise UserError(
                f"{stored.source} holds a {found.__name__}, not a {cls.__name__}"
            )
        model = found(**stored.architecture, metadata=stored.metadata)
        model.set_named_weights(stored.weights)
        model.read_from = stored.in_words(model.in_words())
        return model


def read_checked(path: str | os.PathLike) -> tuple[type[Network], StoredModel]:
    """Reads a model whose weights fit its architecture, and builds nothing of it.

    Raises:
      UserError: nothing is there, or it is damaged or no network.
    """
    stored = reading.read(path)
    found = _find_class(stored)
    config = f"{stored.source}/{npz_checkpoint.CONFIG_NAME}"
    try:
        shapes = found.weight_shapes(stored.architecture)
    except KeyError as error:
        raise UserError(f"{config} lacks {error}; is it another file?") from error
    except (TypeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{config} is not a checkpoint's config: {reason}") from error
    npz_checkpoint.check_shapes(stored.source, stored.weights, shapes)
    return found, stored


def network_name(network_class: type[Network]) -> str:
    """What a kind of network is called in its checkpoints."""
    path = f"{network_class.__module__}:{network_class.__qualname__}"
    return next((name for name, known in NETWORKS.items() if known == path), path)


def _find_class(stored: StoredModel) -> type[Network]:
    """The kind of network of a stored model.

    Raises:
      UserError: it cannot be imported, or is no network.
    """
    path = NETWORKS.get(stored.network, stored.network)
    if ":" not in path:
        raise UserError(
            f"{stored.source}/{npz_checkpoint.CONFIG_NAME} is not a checkpoint's "
            f"config: its format {path!r} is none of {', '.join(NETWORKS)}, nor "
            "some_module:SomeNetwork"
        )
    found = user_code.find(path, f"the network of {stored.source}")
    if not (isinstance(found, type) and issubclass(found, Network)):
        raise UserError(
            f"{stored.source} is of {path}, which is not a subclass of "
            "rl_tuner.networks.network.Network"
        )
    return found
