"""Magenta's bundles, `*.mag`: a checkpoint and the graph that it belongs to."""

from __future__ import annotations

import dataclasses
import io
import os
import pathlib
import tempfile
from typing import TYPE_CHECKING

from melody_rnn.magenta.checkpoints import from_checkpoint, melody_rnn_tensors
from melody_rnn.magenta.configurations import MELODY_RANGES, RANGE_KEY
from rl_tuner.errors import UserError
from rl_tuner.formats.model_format import WritableModel
from rl_tuner.formats.stored_model import StoredModel
from rl_tuner.formats.tf1_checkpoints import V1Checkpoint
from rl_tuner.formats.tf1_tables import DamagedFile
from rl_tuner.system.whole_files import read_whole, write_atomically

if TYPE_CHECKING:
    from melody_rnn.networks.recurrent_stack import RecurrentStack


def read(path: str | os.PathLike) -> StoredModel:
    """Reads the sequence RNN of a bundle.

    The melody's range is that of the Magenta config which the bundle names. Of the
    graph in it only the size of a state is looked at.

    Raises:
      UserError: it cannot be read, is no bundle, or holds no sequence RNN.
    """
    from google.protobuf.message import DecodeError
    from note_seq.protobuf.generator_pb2 import GeneratorBundle

    try:
        bundle = GeneratorBundle.FromString(read_whole(path, 1 << 31))
        if len(bundle.checkpoint_file) != 1:
            raise DamagedFile(f"it holds {len(bundle.checkpoint_file)} checkpoints")
        checkpoint = V1Checkpoint(io.BytesIO(bundle.checkpoint_file[0]))
        config = bundle.generator_details.id
        metagraph = bundle.metagraph_file
        del bundle
        stored = from_checkpoint(str(path), checkpoint, lambda: _state_width(metagraph))
    except OSError as error:
        raise UserError(f"cannot read the bundle {path}: {error.strerror}") from error
    except (DecodeError, DamagedFile) as error:
        reason = error if isinstance(error, DamagedFile) else "it cannot be decoded"
        raise UserError(
            f"{path} is no Magenta bundle, or it is damaged: {reason}; "
            "download or export it again"
        ) from error
    stored.metadata["magenta_config"] = config
    if config in MELODY_RANGES:
        stored.metadata[RANGE_KEY] = list(MELODY_RANGES[config])
    return dataclasses.replace(stored, format=f"Magenta bundle of {config!r}")


def write(
    path: pathlib.Path, model: WritableModel, config: str, description: str
) -> None:
    """Writes a bundle that Magenta's melody_rnn_generate plays.

    Args:
      path: of the file.
      model: a `SequenceRNN` or a `MelodyRNN`.
      config: the Magenta config that it stands in for, e.g. `basic_rnn`.
      description: for users.

    Raises:
      UserError: it cannot be written.
    """
    import tensorflow as tf
    from note_seq.protobuf.generator_pb2 import GeneratorBundle

    from melody_rnn.magenta import graph

    tensors = melody_rnn_tensors(model)
    num_labels = tensors["fully_connected/biases"].size
    bundle = GeneratorBundle()
    bundle.generator_details.id = config
    bundle.generator_details.description = "A recurrent network over melodies."
    bundle.bundle_details.description = description
    bundle.metagraph_file = graph.metagraph(_stack(model), num_labels)
    try:
        with tempfile.TemporaryDirectory() as folder:
            checkpoint = os.path.join(folder, "model.ckpt")
            graph.v1_checkpoint(checkpoint, tensors)
            bundle.checkpoint_file.append(pathlib.Path(checkpoint).read_bytes())
        write_atomically(path, bundle.SerializeToString(deterministic=True))
    except (tf.errors.OpError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"cannot write {path}: {reason}") from error


def _state_width(metagraph: bytes) -> int:
    """Numbers of a state, which the graph of a bundle must tell."""
    from melody_rnn.magenta import graph

    width = graph.state_width(metagraph)
    if width is None:
        raise DamagedFile("its graph does not say how far attention reaches")
    return width


def _stack(model: WritableModel) -> RecurrentStack:
    """The cells of a model."""
    from melody_rnn.networks.melody_rnn import MelodyRNN
    from melody_rnn.networks.recurrent_stack import RecurrentStack

    if isinstance(model, MelodyRNN):
        return model.stack
    sizes = tuple(model.architecture()["layer_sizes"])
    return RecurrentStack(model.num_classes, sizes)
