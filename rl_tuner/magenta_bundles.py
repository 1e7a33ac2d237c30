"""Magenta's bundles, `*.mag`: a checkpoint and the graph that it belongs to."""

from __future__ import annotations

import dataclasses
import io
import os
import pathlib

from rl_tuner.errors import UserError
from rl_tuner.magenta_checkpoints import from_checkpoint
from rl_tuner.magenta_configs import MELODY_RANGES, RANGE_KEY
from rl_tuner.stored_model import StoredModel
from rl_tuner.tensor_checkpoints import V1Checkpoint
from rl_tuner.tensor_table import DamagedFile

SUFFIX = ".mag"


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
