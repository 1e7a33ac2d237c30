"""Reads a sequence RNN from any of the formats that users have."""

from __future__ import annotations

import os
import pathlib

from melody_rnn.magenta import bundles, checkpoints
from rl_tuner.formats import npz_checkpoint
from rl_tuner.formats.stored_model import StoredModel


def read(path: str | os.PathLike) -> StoredModel:
    """Reads a model.

    Args:
      path: a directory that `SequenceRNN.save` wrote, a Magenta bundle `*.mag`, a
        TensorFlow 1 checkpoint, or a directory that holds one.

    Raises:
      UserError: nothing is there, or it is damaged or no sequence RNN.
    """
    path = pathlib.Path(path).expanduser()
    if npz_checkpoint.is_checkpoint(path):
        stored = npz_checkpoint.read_model(path)
    elif path.suffix == bundles.SUFFIX and not path.is_dir():
        stored = bundles.read(path)
    else:
        stored = checkpoints.read(path)
    return stored
