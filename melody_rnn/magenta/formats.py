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

        sizes = _layer_sizes(model)
        prefix = checkpoints.write(path, model.weight_arrays())
        return (
            f"NoteRNNLoader: checkpoint_dir={path}, hparams "
            f"rnn_layer_sizes={sizes}, "
            f"one_hot_length={model.num_classes}\n"
            f"melody_rnn_generate --config=basic_rnn --checkpoint_file={prefix} "
            f'--hparams="{hparams(model)}"'
        )


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

        config = configurations.config_for(model.num_classes, model.metadata)
        bundles.write(
            path,
            model.weight_arrays(),
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

    def write(self, model: WritableModel, path: pathlib.Path) -> str:
        """Writes the weights and the range of the model's notes."""
        notes = configurations.melody_range(model.num_classes, model.metadata)
        magenta_js.write(path, model.weight_arrays(), notes)
        return f'serve {path} and load it: new MusicRNN("https://...")'


def hparams(model: WritableModel) -> str:
    """What Magenta's melody_rnn must be told of a model by `--hparams`."""
    sizes = ",".join(map(str, _layer_sizes(model)))
    return f"batch_size=1,rnn_layer_sizes=[{sizes}]"


def _layer_sizes(model: WritableModel) -> list[int]:
    """The LSTM cells of each layer, of a model that `check` let pass."""
    return list(model.architecture()["layer_sizes"])
