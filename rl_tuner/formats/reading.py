"""Reads a network from any of the formats that users have."""

from __future__ import annotations

import os
import pathlib

from rl_tuner.errors import UserError
from rl_tuner.formats import npz_checkpoint
from rl_tuner.formats.model_format import ModelFormat, formats_of_worlds
from rl_tuner.formats.stored_model import StoredModel


def read(path: str | os.PathLike) -> StoredModel:
    """Reads a model.

    Args:
      path: a directory that `Network.save` wrote, or what a format of a declared
        world recognises: of Magenta a bundle `*.mag`, a TensorFlow 1 checkpoint, or a
        directory that holds one.

    Raises:
      UserError: nothing is there, or it is damaged or no network.
    """
    path = pathlib.Path(path).expanduser()
    if npz_checkpoint.is_checkpoint(path):
        stored = npz_checkpoint.read_model(path)
    else:
        stored = _format_of(path).read(path)
    return stored


def _format_of(path: pathlib.Path) -> ModelFormat:
    """The format of a file or folder that is not ours; a `UserError` if none is."""
    formats = formats_of_worlds()
    for each in formats:
        if each.recognises(path):
            return each
    ours = f"a folder with {npz_checkpoint.CONFIG_NAME} and weights.npz"
    expected = ", or ".join([ours, *(f.looks_like for f in formats if f.looks_like)])
    if not path.is_dir():
        raise UserError(f"no checkpoint at {path}: expected {expected}")
    names = sorted(file.name for file in path.iterdir())
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    held = (", ".join(names[:10]) or "nothing") + more
    raise UserError(f"no checkpoint in {path}: expected {expected}; it holds {held}")
