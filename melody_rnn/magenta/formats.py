"""Magenta's checkpoints, bundles and magenta.js as formats that a world brings.

What reads and writes them imports TensorFlow, and is imported when it is needed.
"""

from __future__ import annotations

import pathlib
from collections.abc import Mapping

from melody_rnn.magenta import configurations, magenta_js
from rl_tuner.errors import UserError
from rl_tuner.formats.model_format import ModelFormat, WritableModel
from rl_tuner.formats.stored_model import StoredModel

# That restore a checkpoint of an encoding.
_CONFIGS = {"onehot": "basic_rnn", "lookback": "lookback_rnn", "key": "attention_rnn"}


class _MelodyFormat(ModelFormat):
    """A format whose readers take classes for notes."""

    def check(self, model: WritableModel) -> None:
        """Proves that a model makes melodies.

        Raises:
          UserError: it does not.
        """
        if "layer_sizes" not in model.architecture():
            raise UserError(
                f"--format={self.name} is for stacks of LSTM layers, which this model "
                "is not; choose savedmodel"
            )
        # The Note RNN's vocabulary is only a name; other models carry their tokens.
        if isinstance(model.metadata.get("vocabulary"), Mapping):
            raise UserError(
                f"--format={self.name} is for melodies, which this model does not "
                "make; choose keras or savedmodel"
            )


class MagentaCheckpoint(_MelodyFormat):
    """TensorFlow 1 checkpoints of Magenta's melody models."""

    name = "magenta_checkpoint"
    description = "a folder that Magenta's NoteRNNLoader and melody_rnn restore"
    looks_like = "a TensorFlow checkpoint *.ckpt*"

    def recognises(self, path: pathlib.Path) -> bool:
        """Whether a checkpoint is there, or a folder that holds one."""
        from melody_rnn.magenta import checkpoints

        is_bundle = MagentaBundle().recognises(path)
        return not is_bundle and checkpoints.find_checkpoint(path) is not None

    def read(self, path: pathlib.Path) -> StoredModel:
        """Reads a checkpoint under any of the names that Magenta has given."""
        from melody_rnn.magenta import checkpoints

        return checkpoints.read(path)

    def write(self, model: WritableModel, path: pathlib.Path) -> str:
        """Writes a V2 checkpoint that holds the weights under two sets of names."""
        from melody_rnn.magenta import checkpoints

        prefix = checkpoints.write(path, model)
        architecture = model.architecture()
        lines = []
        if not configurations.is_melody_rnn(architecture):
            lines.append(
                f"NoteRNNLoader: checkpoint_dir={path}, hparams "
                f"rnn_layer_sizes={_layer_sizes(model)}, "
                f"one_hot_length={model.num_classes}"
            )
        encoding = architecture.get("encoding", "onehot")
        config = _CONFIGS[encoding]
        if _has_old_attention(architecture):
            lines.append(
                f"{prefix}: attention is around all layers, as in melody_rnn before "
                "version 0.1.12; today's plays --format=mag"
            )
        else:
            lines.append(
                f"melody_rnn_generate --config={config} --checkpoint_file={prefix} "
                f'--hparams="{hparams(model)}"'
            )
        return "\n".join(lines)


class MagentaBundle(_MelodyFormat):
    """Bundles `*.mag`."""

    name = "mag"
    description = "a bundle for melody_rnn_generate"
    suffix = ".mag"
    looks_like = "a bundle *.mag"

    def recognises(self, path: pathlib.Path) -> bool:
        """Whether a file is called so."""
        return path.suffix == self.suffix and not path.is_dir()

    def read(self, path: pathlib.Path) -> StoredModel:
        """Reads the checkpoint in the bundle, and which notes its classes are."""
        from melody_rnn.magenta import bundles

        return bundles.read(path)

    def write(self, model: WritableModel, path: pathlib.Path) -> str:
        """Writes a bundle of the config that has the model's range."""
        from melody_rnn.magenta import bundles

        config = configurations.config_for(model)
        bundles.write(
            path,
            model,
            config,
            f"Exported by rl_tuner_export; hparams: {hparams(model)}",
        )
        return (
            f"melody_rnn_generate --config={config} --bundle_file={path} "
            f'--hparams="{hparams(model)}"'
        )


class MagentaJs(_MelodyFormat):
    """What `MusicRNN` of @magenta/music loads."""

    name = "magentajs"
    description = "a folder for MusicRNN of @magenta/music"

    def check(self, model: WritableModel) -> None:
        """As of `ModelFormat`: MusicRNN reads one-hot events by plain LSTM cells.

        Raises:
          UserError: this model needs more.
        """
        super().check(model)
        if configurations.is_melody_rnn(model.architecture()):
            raise UserError(
                "--format=magentajs is for models that read just the last note: "
                "MusicRNN knows neither lookback nor key encoding; choose mag, "
                "magenta_checkpoint or savedmodel"
            )

    def write(self, model: WritableModel, path: pathlib.Path) -> str:
        """Writes the weights and the range of the model's notes."""
        notes = configurations.melody_range(model.num_classes, model.metadata)
        magenta_js.write(path, model.weight_arrays(), notes)
        return f'serve {path} and load it: new MusicRNN("https://...")'


def hparams(model: WritableModel) -> str:
    """What Magenta's melody_rnn must be told of a model by `--hparams`."""
    sizes = ",".join(map(str, _layer_sizes(model)))
    told = f"batch_size=1,rnn_layer_sizes=[{sizes}]"
    architecture = model.architecture()
    if configurations.is_melody_rnn(architecture):
        told += f",attn_length={architecture['attention_length']}"
        told += ",residual_connections=True" * architecture["residual"]
    return told


def _layer_sizes(model: WritableModel) -> list[int]:
    """The LSTM cells of each layer, of a model that `check` let pass."""
    return list(model.architecture()["layer_sizes"])


def _has_old_attention(architecture: Mapping) -> bool:
    """Whether attention is around all of several layers."""
    return (
        configurations.is_melody_rnn(architecture)
        and architecture["attention_length"] > 0
        and architecture["attention_layout"] == "all_layers"
        and len(architecture["layer_sizes"]) > 1
    )
