"""Our checkpoint of a network: a folder with config.json and weights.npz."""

from __future__ import annotations

import hashlib
import io
import math
import os
import pathlib
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from rl_tuner.errors import UserError
from rl_tuner.formats.stored_model import StoredModel
from rl_tuner.system import checked_json
from rl_tuner.system.whole_files import read_whole, write_atomically

CONFIG_NAME = "config.json"
WEIGHTS_NAME = "weights.npz"
VERSION = 1
_MOST_BYTES = 1 << 33
# What config.json says of the file, and not of the model.
_OF_FILE = ("version", "weights_sha256")


def is_checkpoint(path: str | os.PathLike) -> bool:
    """Whether `path` is a folder that claims to be a checkpoint of ours."""
    return (pathlib.Path(path) / CONFIG_NAME).is_file()


def write(
    directory: str | os.PathLike,
    network: str,
    config: Mapping[str, Any],
    weights: Mapping[str, np.ndarray],
) -> None:
    """Writes a checkpoint; a cut leaves the old one or one that `read` refuses.

    Args:
      directory: where to; created if need be.
      network: its kind, which `config.json` calls its format.
      config: JSON-serializable; `metadata`, and the rest the architecture.
      weights: arrays by name.

    Raises:
      UserError: the directory cannot be written.
    """
    buffer = io.BytesIO()
    # No options: NumPy before 2.2 would store `allow_pickle` as an array.
    arrays: dict[str, Any] = dict(weights)
    np.savez(buffer, **arrays)
    data = buffer.getvalue()
    config = {
        "format": network,
        "version": VERSION,
        **config,
        "weights_sha256": hashlib.sha256(data).hexdigest(),
    }
    directory = pathlib.Path(directory)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        write_atomically(directory / WEIGHTS_NAME, data)
        checked_json.write(directory / CONFIG_NAME, config)
    except OSError as error:
        raise UserError(
            f"cannot write the checkpoint {directory}: {error.strerror}; "
            "choose a directory that may be written to and has room"
        ) from error


def read_model(directory: str | os.PathLike) -> StoredModel:
    """Reads what `write` wrote.

    Raises:
      UserError: a file is missing, damaged, or of another format.
    """
    directory = pathlib.Path(directory)
    config = _read_config(directory / CONFIG_NAME)
    path = directory / WEIGHTS_NAME
    try:
        data = read_whole(path, _MOST_BYTES)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    if hashlib.sha256(data).hexdigest() != config["weights_sha256"]:
        raise UserError(
            f"{path} is damaged: its checksum is not the one in {CONFIG_NAME}; "
            "restore it from a copy or train again"
        )
    try:
        weights = _read_arrays(data)
    except (
        ValueError,
        OSError,
        EOFError,
        RuntimeError,  # encrypted, or a compression that Python does not know
        zipfile.BadZipFile,
    ) as error:
        reason = str(error).splitlines()[0] if str(error) else "it is cut short"
        raise UserError(f"{path} is not an archive of arrays: {reason}") from error
    return StoredModel(
        source=str(directory),
        format="RL Tuner checkpoint",
        network=config.pop("format"),
        metadata=config.pop("metadata"),
        architecture={k: v for k, v in config.items() if k not in _OF_FILE},
        weights=weights,
        variables=tuple(weights),
    )


def _read_arrays(data: bytes) -> dict[str, np.ndarray]:
    """The arrays of an archive that `np.savez` wrote.

    Its members are read by name and in memory, none is unpickled, and none is larger
    than the archive: `np.load` would believe any size that one claims.
    """
    arrays = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        left = len(data)
        for member in archive.infolist():
            if member.compress_type != zipfile.ZIP_STORED:
                raise ValueError(f"{member.filename} is compressed")
            left -= member.file_size
            if left < 0:
                raise ValueError("its members are larger than itself")
            content = io.BytesIO(archive.read(member))
            if np.lib.format.read_magic(content) != (1, 0):
                raise ValueError(f"{member.filename} is of another version")
            shape, _, dtype = np.lib.format.read_array_header_1_0(content)
            size = member.file_size - content.tell()
            if dtype.kind != "f":
                raise ValueError(f"{member.filename} holds {dtype}, not floats")
            if math.prod(shape) * dtype.itemsize != size:
                raise ValueError(f"{member.filename} has not the size it claims")
            content.seek(0)
            array = np.lib.format.read_array(content, allow_pickle=False)
            arrays[member.filename.removesuffix(".npy")] = array
    return arrays


def check_shapes(
    path: str | os.PathLike,
    weights: Mapping[str, np.ndarray],
    shapes: Mapping[str, tuple[int, ...]],
) -> None:
    """Proves that `weights` are just the variables that a model needs.

    Raises:
      UserError: names what is missing, too many, of a wrong shape or not finite.
    """
    for name, shape in shapes.items():
        if name not in weights:
            held = ", ".join(weights) or "nothing"
            raise UserError(f"{path} lacks {name}; it holds {held}")
        if weights[name].shape != shape:
            raise UserError(
                f"{path}: {name} is {list(weights[name].shape)}, "
                f"but the model needs {list(shape)}"
            )
        if not np.isfinite(weights[name].astype(np.float32)).all():
            raise UserError(f"{path}: {name} holds a value that is not finite")
    extra = sorted(set(weights) - set(shapes))
    if extra:
        raise UserError(f"{path} holds {extra[0]}, which the model does not have")


def _read_config(path: pathlib.Path) -> dict[str, Any]:
    try:
        config = checked_json.read(path, is_checksum_needed=False)
        if not isinstance(config["format"], str) or config["version"] != VERSION:
            raise ValueError(f"format is not that of a network, version {VERSION}")
        if not isinstance(config["metadata"], dict):
            raise ValueError("metadata must be an object")
        if not isinstance(config["weights_sha256"], str):
            raise ValueError("weights_sha256 must be a string")
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    except KeyError as error:
        raise UserError(f"{path} lacks {error}; is it another file?") from error
    except (ValueError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{path} is not a checkpoint's config: {reason}") from error
    return config
