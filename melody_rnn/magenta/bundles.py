"""Magenta's bundles, `*.mag`: a checkpoint and the graph that it belongs to."""

from __future__ import annotations

import dataclasses
import io
import os
import pathlib
import tempfile
from collections.abc import Mapping

import numpy as np

from melody_rnn.magenta.checkpoints import from_checkpoint
from melody_rnn.magenta.configurations import MELODY_RANGES, RANGE_KEY
from melody_rnn.magenta.weights import MELODY_RNN_NAMES, to_magenta
from rl_tuner.errors import UserError
from rl_tuner.formats.stored_model import StoredModel
from rl_tuner.formats.tf1_checkpoints import V1Checkpoint
from rl_tuner.formats.tf1_tables import DamagedFile
from rl_tuner.system.whole_files import write_atomically


def read(path: str | os.PathLike) -> StoredModel:
    """Reads the sequence RNN of a bundle; the graph in it is not looked at.

    The melody's range is that of the Magenta config which the bundle names.

    Raises:
      UserError: it cannot be read, is no bundle, or holds no sequence RNN.
    """
    from google.protobuf.message import DecodeError
    from note_seq.protobuf.generator_pb2 import GeneratorBundle

    try:
        bundle = GeneratorBundle.FromString(pathlib.Path(path).read_bytes())
        if len(bundle.checkpoint_file) != 1:
            raise DamagedFile(f"it holds {len(bundle.checkpoint_file)} checkpoints")
        checkpoint = V1Checkpoint(io.BytesIO(bundle.checkpoint_file[0]))
        config = bundle.generator_details.id
        del bundle
        stored = from_checkpoint(str(path), checkpoint)
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
    path: pathlib.Path,
    weights: Mapping[str, np.ndarray],
    config: str,
    description: str,
) -> None:
    """Writes a bundle that Magenta's melody_rnn_generate plays.

    Args:
      path: of the file.
      weights: by the names of `SequenceRNN.named_weights`.
      config: the Magenta config that it stands in for, e.g. `basic_rnn`.
      description: for users.

    Raises:
      UserError: it cannot be written.
    """
    import tensorflow as tf
    from note_seq.protobuf.generator_pb2 import GeneratorBundle

    from melody_rnn.magenta import graph

    tensors = to_magenta(weights, MELODY_RNN_NAMES)
    layer_sizes = [
        value.shape[0]
        for name, value in weights.items()
        if name.endswith("/recurrent_kernel")
    ]
    bundle = GeneratorBundle()
    bundle.generator_details.id = config
    bundle.generator_details.description = "An RNN over one-hot melodies."
    bundle.bundle_details.description = description
    bundle.metagraph_file = graph.metagraph(weights["logits/bias"].size, layer_sizes)
    try:
        with tempfile.TemporaryDirectory() as folder:
            checkpoint = os.path.join(folder, "model.ckpt")
            graph.v1_checkpoint(checkpoint, tensors)
            bundle.checkpoint_file.append(pathlib.Path(checkpoint).read_bytes())
        write_atomically(path, bundle.SerializeToString(deterministic=True))
    except (tf.errors.OpError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"cannot write {path}: {reason}") from error
