"""Models that plain Keras and plain TensorFlow load, without this package."""

from __future__ import annotations

import pathlib

import tensorflow as tf

from rl_tuner.errors import UserError
from rl_tuner.formats.model_format import WritableModel


def write_keras(path: pathlib.Path, network: WritableModel) -> None:
    """Writes `Network.as_keras_model` as a `.keras` file.

    Raises:
      UserError: it cannot be written.
    """
    try:
        network.as_keras_model().save(path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from error


def write_saved_model(directory: pathlib.Path, network: WritableModel) -> None:
    """Writes a TensorFlow SavedModel with the signature of `Network.as_keras_model`.

    Raises:
      UserError: it cannot be written.
    """
    module = tf.Module()
    module.model = network

    @tf.function(
        autograph=False,
        input_signature=[
            tf.TensorSpec([None, None], tf.int32, "tokens"),
            tf.TensorSpec([None, network.state_size], tf.float32, "state"),
        ],
    )
    def unroll(tokens: tf.Tensor, state: tf.Tensor) -> dict[str, tf.Tensor]:
        logits, new_state = network.unroll_with_state(tokens, state)
        return {"logits": logits, "state": new_state}

    module.unroll = unroll
    try:
        tf.saved_model.save(module, str(directory), signatures=unroll)
    except (tf.errors.OpError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"cannot write to {directory}: {reason}") from error
