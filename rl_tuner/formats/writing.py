"""Writes a network in the formats of other tools."""

from __future__ import annotations

import pathlib

from rl_tuner.errors import UserError
from rl_tuner.formats.model_format import ModelFormat, WritableModel, formats_of_worlds


class KerasFile(ModelFormat):
    """One file that plain Keras loads."""

    name = "keras"
    description = "a .keras file"
    suffix = ".keras"

    def write(self, model: WritableModel, path: pathlib.Path) -> str:
        """Writes `Network.as_keras_model`."""
        from rl_tuner.formats import keras_models

        keras_models.write_keras(path, model)
        return (
            f'keras.models.load_model("{path}")({{"tokens": [N, T] integers, "state": '
            f'[N, {model.state_size}] zeros}}) gives "logits" and the next "state"'
        )


class SavedModel(ModelFormat):
    """A folder that plain TensorFlow loads."""

    name = "savedmodel"
    description = "a TensorFlow SavedModel"

    def write(self, model: WritableModel, path: pathlib.Path) -> str:
        """Writes a signature like that of `Network.as_keras_model`."""
        from rl_tuner.formats import keras_models

        keras_models.write_saved_model(path, model)
        return (
            f'tf.saved_model.load("{path}").unroll(tokens=[N, T] int32, state='
            f'[N, {model.state_size}] zeros) gives "logits" and the next "state"'
        )


def known_formats() -> dict[str, ModelFormat]:
    """All formats that models are written in, by name; imports no TensorFlow."""
    formats = [*formats_of_worlds(), KerasFile(), SavedModel()]
    return {each.name: each for each in formats}


def export(model: WritableModel, file_format: str, output: pathlib.Path) -> str:
    """Writes a model.

    Args:
      model: what to write.
      file_format: a name of `known_formats`.
      output: a file where the format has a suffix, else a directory; it must not exist
        yet, or be an empty directory.

    Returns:
      how to use it, in a line or two.

    Raises:
      UserError: the format does not suit the model, or nothing can be written there.
    """
    wanted = known_formats()[file_format]
    wanted.check(model)
    suffix = wanted.suffix
    if suffix and output.suffix != suffix:
        raise UserError(f"--output={output} must end in {suffix}")
    try:
        if output.is_file() or (output.is_dir() and (suffix or any(output.iterdir()))):
            raise UserError(f"--output={output} is there already; choose another")
        (output.parent if suffix else output).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"cannot write to --output={output}: {error.strerror}; choose a place that "
            "you may write to"
        ) from error
    return wanted.write(model, output)
