"""TensorFlow 1 checkpoints of Magenta's melody models: found, read and written."""

from __future__ import annotations

import os
import pathlib
import re
from collections.abc import Callable

import numpy as np

from melody_rnn.magenta import configurations
from melody_rnn.magenta.names import find_names, magenta_names
from melody_rnn.magenta.recognition import recognise
from melody_rnn.magenta.weights import MELODY_RNN_NAMES, NOTE_RNN_NAMES, to_magenta
from rl_tuner.errors import UserError
from rl_tuner.formats.model_format import WritableModel
from rl_tuner.formats.stored_model import StoredModel
from rl_tuner.formats.tf1_checkpoints import V1Checkpoint, V2Checkpoint, open_checkpoint
from rl_tuner.formats.tf1_tables import DamagedFile

CHECKPOINT_NAME = "model.ckpt"
_PARTS = re.compile(r"\.(index|data-\d+-of-\d+|meta)$")


def read(path: str | os.PathLike) -> StoredModel:
    """Reads a checkpoint of Magenta's under any of the names it has had.

    Args:
      path: a checkpoint file or prefix, or the directory that holds one: the newest
        is taken, and `train/` is looked into, as melody_rnn lays out its runs.

    Raises:
      UserError: nothing is there, it cannot be read, or it holds no sequence RNN.
    """
    prefix = find_checkpoint(path)
    if prefix is None:
        raise UserError(f"no TensorFlow checkpoint at {path}")
    try:
        with open_checkpoint(prefix) as checkpoint:
            return from_checkpoint(prefix, checkpoint, lambda: _state_width(prefix))
    except DamagedFile as error:
        raise UserError(
            f"cannot read the checkpoint {prefix}: {error}; restore it from a copy"
        ) from error
    except OSError as error:
        reason = error.strerror or error
        raise UserError(f"cannot read the checkpoint {prefix}: {reason}") from error


def from_checkpoint(
    source: str,
    checkpoint: V1Checkpoint | V2Checkpoint,
    state_width: Callable[[], int | None],
) -> StoredModel:
    """The sequence RNN in an open checkpoint.

    Args:
      source: the checkpoint, as users know it.
      checkpoint: it.
      state_width: asked for the numbers of a state of the cells, see `recognise`.

    Raises:
      UserError: it holds none.
      DamagedFile: a variable of it is damaged.
      OSError: a variable of it cannot be read.
    """
    names, around_all = find_names(source, checkpoint.shapes)
    tensors = checkpoint.tensors(names.values())
    tensors = {ours: tensors[name] for ours, name in names.items()}
    network, architecture, weights = recognise(source, tensors, around_all, state_width)
    return StoredModel(
        source=source,
        format=f"{checkpoint.format} checkpoint",
        network=network,
        architecture=architecture,
        metadata={"read_from": os.path.basename(source)},
        weights=weights,
        variables=tuple(names.values()),
        num_unused=len(checkpoint.shapes) - len(names),
    )


def write(directory: pathlib.Path, model: WritableModel) -> pathlib.Path:
    """Writes a V2 checkpoint that Magenta's tools restore.

    It holds the weights of a plain LSTM stack twice, under the names of rl_tuner's
    NoteRNNLoader and of melody_rnn, and those of others under the latter. The text file
    `checkpoint` beside it is what TensorFlow looks for.

    Args:
      directory: where to; it exists.
      model: a `SequenceRNN` or a `MelodyRNN`.

    Returns:
      the checkpoint's prefix.

    Raises:
      UserError: it cannot be written.
    """
    import tensorflow as tf

    tensors = melody_rnn_tensors(model)
    if not configurations.is_melody_rnn(model.architecture()):
        tensors |= to_magenta(model.weight_arrays(), NOTE_RNN_NAMES)
    prefix = directory / CHECKPOINT_NAME
    try:
        tf.raw_ops.SaveV2(
            prefix=str(prefix),
            tensor_names=list(tensors),
            shape_and_slices=[""] * len(tensors),
            tensors=list(tensors.values()),
        )
        text = f'model_checkpoint_path: "{CHECKPOINT_NAME}"\n'
        (directory / "checkpoint").write_text(text, encoding="utf-8")
    except (tf.errors.OpError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"cannot write {prefix}: {reason}") from error
    return prefix


def melody_rnn_tensors(model: WritableModel) -> dict[str, np.ndarray]:
    """The weights of a model under melody_rnn's names, in its layout."""
    architecture, weights = model.architecture(), model.weight_arrays()
    if not configurations.is_melody_rnn(architecture):
        return to_magenta(weights, MELODY_RNN_NAMES)
    names = magenta_names(weights, architecture["attention_layout"] == "all_layers")
    tensors = {names[ours]: value for ours, value in weights.items()}
    if searched := names.get("attention/memory_kernel"):
        tensors[searched] = tensors[searched][np.newaxis, np.newaxis]
    return tensors


def _state_width(prefix: str) -> int | None:
    """What the graph beside a checkpoint says, if there is one."""
    from melody_rnn.magenta import graph

    path = pathlib.Path(f"{prefix}.meta")
    return graph.state_width(path.read_bytes()) if path.is_file() else None


def find_checkpoint(path: str | os.PathLike) -> str | None:
    """The prefix of the checkpoint at `path`, the newest one if it is a directory."""
    path = pathlib.Path(path).expanduser()
    if path.is_dir():
        return _newest_in(path) or _newest_in(path / "train")
    prefix = _PARTS.sub("", str(path))
    return prefix if _exists(prefix) else None


def _newest_in(directory: pathlib.Path) -> str | None:
    """What the file `checkpoint` names, else the checkpoint of the highest step."""
    try:
        state = (directory / "checkpoint").read_text(encoding="utf-8", errors="replace")
    except OSError:
        state = ""
    if named := re.search(r'^model_checkpoint_path: "(.+)"$', state, re.MULTILINE):
        # The folder may have moved since: a path in it may be that of another machine.
        for name in (named[1], os.path.basename(named[1])):
            if _exists(str(directory / name)):
                return str(directory / name)
    found = {
        _PARTS.sub("", str(file))
        for file in directory.glob("*.ckpt*")
        if not file.name.endswith(".meta")
    }
    return max(filter(_exists, found), key=_step, default=None)


def _exists(prefix: str) -> bool:
    return os.path.isfile(prefix) or os.path.isfile(f"{prefix}.index")


def _step(prefix: str) -> tuple[int, str]:
    """The training step in a checkpoint's name, -1 if it has none; then its name."""
    number = re.search(r"-(\d+)$", prefix)
    return (int(number[1]) if number else -1, prefix)
