"""Models for magenta.js: the folder that `MusicRNN` of @magenta/music loads."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Mapping

import numpy as np

from melody_rnn.magenta.weights import MELODY_RNN_NAMES, to_magenta
from rl_tuner.errors import UserError
from rl_tuner.system.whole_files import write_atomically

_SHARD = "group1-shard1of1"


def write(
    directory: pathlib.Path,
    weights: Mapping[str, np.ndarray],
    melody_range: tuple[int, int],
) -> None:
    """Writes `config.json`, `weights_manifest.json` and one shard of weights.

    Args:
      directory: where to; it exists.
      weights: by the names of `SequenceRNN.named_weights`.
      melody_range: the lowest and the highest MIDI pitch, both included.

    Raises:
      UserError: it cannot be written.
    """
    tensors = to_magenta(weights, MELODY_RNN_NAMES)
    config = {
        "type": "MusicRNN",
        "dataConverter": {
            "type": "MelodyConverter",
            "args": {"minPitch": melody_range[0], "maxPitch": melody_range[1]},
        },
    }
    manifest = [
        {
            "paths": [_SHARD],
            "weights": [
                {"name": name, "shape": list(value.shape), "dtype": "float32"}
                for name, value in tensors.items()
            ],
        }
    ]
    shard = b"".join(value.astype("<f4").tobytes() for value in tensors.values())
    try:
        write_atomically(directory / _SHARD, shard)
        for name, content in (
            ("weights_manifest.json", manifest),
            ("config.json", config),
        ):
            text = json.dumps(content, indent=2) + "\n"
            write_atomically(directory / name, text.encode())
    except OSError as error:
        raise UserError(f"cannot write to {directory}: {error.strerror}") from error
