"""Models that plain Keras and plain TensorFlow load, without this package."""

from __future__ import annotations

import pathlib

import keras
import tensorflow as tf

from rl_tuner.errors import UserError
from rl_tuner.networks.sequence_rnn import SequenceRNN


def functional_model(model: SequenceRNN) -> keras.Model:
    """The same network of Keras' own layers alone.

    Inputs: `tokens` [N, T] integers, and the `state` [N, state_size] before them, zeros
    at the beginning. Outputs: `logits` [N, T, num_classes], of the token after each,
    and the `state` after the last.
    """
    tokens = keras.Input([None], dtype="int32", name="tokens")
    state = keras.Input([model.state_size], name="state")
    x = keras.ops.one_hot(tokens, model.num_classes)
    new_state, offset, layers = [], 0, []
    for size in model.layer_sizes:
        c = state[:, offset : offset + size]
        h = state[:, offset + size : offset + 2 * size]
        offset += 2 * size
        layers.append(
            keras.layers.LSTM(
                size,
                return_sequences=True,
                return_state=True,
                name=f"lstm_{len(layers)}",
            )
        )
        x, h, c = layers[-1](x, initial_state=[h, c])
        new_state += [c, h]
    layers.append(keras.layers.Dense(model.num_classes, name="logits"))
    outputs = {
        "logits": layers[-1](x),
        "state": keras.layers.Concatenate(name="new_state")(new_state),
    }
    functional = keras.Model({"tokens": tokens, "state": state}, outputs)
    for ours, theirs in zip(
        [*model.lstm_layers, model.logits_layer], layers, strict=True
    ):
        theirs.set_weights(ours.get_weights())
    return functional


def write_keras(path: pathlib.Path, model: SequenceRNN) -> None:
    """Writes `functional_model` as a `.keras` file.

    Raises:
      UserError: it cannot be written.
    """
    try:
        functional_model(model).save(path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from error


def write_saved_model(directory: pathlib.Path, model: SequenceRNN) -> None:
    """Writes a TensorFlow SavedModel whose signature is that of `functional_model`.

    Raises:
      UserError: it cannot be written.
    """
    module = tf.Module()
    module.model = model

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None], tf.int32, "tokens"),
            tf.TensorSpec([None, model.state_size], tf.float32, "state"),
        ]
    )
    def unroll(tokens: tf.Tensor, state: tf.Tensor) -> dict[str, tf.Tensor]:
        logits, new_state = model.unroll_with_state(tokens, state)
        return {"logits": logits, "state": new_state}

    module.unroll = unroll
    try:
        tf.saved_model.save(module, str(directory), signatures=unroll)
    except (tf.errors.OpError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"cannot write to {directory}: {reason}") from error
