"""Files that are written whole or not at all."""

from __future__ import annotations

import json
import math
import os
import pathlib
from collections.abc import Mapping
from typing import Any


def write_atomically(path: pathlib.Path, data: bytes) -> None:
    """Writes `data` beside `path` and renames it, so that no half file is ever seen."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(beside, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def write_json(path: pathlib.Path, value: Any) -> None:
    """Writes JSON, whole or not at all; as of `without_nan`."""
    text = json.dumps(without_nan(value), indent=2, allow_nan=False)
    write_atomically(path, f"{text}\n".encode())


def without_nan(value: Any) -> Any:
    """A value for JSON, which knows no NaN and no infinity: they become None."""
    if isinstance(value, Mapping):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def sync_directory(directory: pathlib.Path) -> None:
    """Waits until what was created and renamed in a directory is on the disk."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
