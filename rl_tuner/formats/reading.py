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
    npz_checkpoint.check_shapes(
        stored.source,
        stored.weights,
        weight_shapes(stored.num_classes, stored.layer_sizes),
    )
    return stored


def weight_shapes(
    num_classes: int, layer_sizes: tuple[int, ...]
) -> dict[str, tuple[int, ...]]:
    """The shapes of `SequenceRNN.named_weights`, by name."""
    shapes: dict[str, tuple[int, ...]] = {}
    width = num_classes
    for index, size in enumerate(layer_sizes):
        shapes[f"lstm_{index}/kernel"] = (width, 4 * size)
        shapes[f"lstm_{index}/recurrent_kernel"] = (size, 4 * size)
        shapes[f"lstm_{index}/bias"] = (4 * size,)
        width = size
    return shapes | {
        "logits/kernel": (width, num_classes),
        "logits/bias": (num_classes,),
    }
