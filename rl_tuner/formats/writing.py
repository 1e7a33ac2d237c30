"""Writes a sequence RNN in the formats of other tools."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Mapping

from melody_rnn.magenta import bundles, checkpoints, configurations, magenta_js
from rl_tuner.errors import UserError
from rl_tuner.formats import keras_models
from rl_tuner.networks.sequence_rnn import SequenceRNN


def export(model: SequenceRNN, file_format: str, output: pathlib.Path) -> str:
    """Writes a model.

    Args:
      model: what to write.
      file_format: a name in `FORMATS`.
      output: a file for `mag` and `keras`, else a directory; it must not exist yet, or
        be an empty directory.

    Returns:
      how to use it, in a line or two.

    Raises:
      UserError: the format does not suit the model, or nothing can be written there.
    """
    suffix, writer = FORMATS[file_format]
    # The Note RNN's vocabulary is only a name; other models carry their tokens.
    has_tokens = isinstance(model.metadata.get("vocabulary"), Mapping)
    if file_format in MELODY_FORMATS and has_tokens:
        raise UserError(
            f"--format={file_format} is for melodies, which this model does not make; "
            "choose keras or savedmodel"
        )
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
    return writer(model, output)


def hparams(model: SequenceRNN) -> str:
    """What Magenta's melody_rnn must be told of a model by `--hparams`."""
    sizes = ",".join(map(str, model.layer_sizes))
    return f"batch_size=1,rnn_layer_sizes=[{sizes}]"


def _magenta_checkpoint(model: SequenceRNN, output: pathlib.Path) -> str:
    prefix = checkpoints.write(output, model.weight_arrays())
    return (
        f"NoteRNNLoader: checkpoint_dir={output}, hparams "
        f"rnn_layer_sizes={list(model.layer_sizes)}, "
        f"one_hot_length={model.num_classes}\n"
        f"melody_rnn_generate --config=basic_rnn --checkpoint_file={prefix} "
        f'--hparams="{hparams(model)}"'
    )


def _mag(model: SequenceRNN, output: pathlib.Path) -> str:
    config = configurations.config_for(model.num_classes, model.metadata)
    bundles.write(
        output,
        model.weight_arrays(),
        config,
        f"Exported by rl_tuner_export; hparams: {hparams(model)}",
    )
    return (
        f"melody_rnn_generate --config={config} --bundle_file={output} "
        f'--hparams="{hparams(model)}"'
    )


def _magentajs(model: SequenceRNN, output: pathlib.Path) -> str:
    notes = configurations.melody_range(model.num_classes, model.metadata)
    magenta_js.write(output, model.weight_arrays(), notes)
    return f'serve {output} and load it: new MusicRNN("https://...")'


def _keras(model: SequenceRNN, output: pathlib.Path) -> str:
    keras_models.write_keras(output, model)
    return (
        f'keras.models.load_model("{output}")({{"tokens": [N, T] integers, "state": '
        f'[N, {model.state_size}] zeros}}) gives "logits" and the next "state"'
    )


def _savedmodel(model: SequenceRNN, output: pathlib.Path) -> str:
    keras_models.write_saved_model(output, model)
    return (
        f'tf.saved_model.load("{output}").unroll(tokens=[N, T] int32, state='
        f'[N, {model.state_size}] zeros) gives "logits" and the next "state"'
    )


# Whose readers take classes for notes.
MELODY_FORMATS = ("magenta_checkpoint", "mag", "magentajs")
# Each with the suffix of its file, empty for a directory.
FORMATS: dict[str, tuple[str, Callable[[SequenceRNN, pathlib.Path], str]]] = {
    "magenta_checkpoint": ("", _magenta_checkpoint),
    "mag": (bundles.SUFFIX, _mag),
    "magentajs": ("", _magentajs),
    "keras": (".keras", _keras),
    "savedmodel": ("", _savedmodel),
}
