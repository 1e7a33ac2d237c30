"""Files that are written whole or not at all."""

from __future__ import annotations

import json
import os
import pathlib
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
    """Writes JSON, whole or not at all."""
    write_atomically(path, (json.dumps(value, indent=2) + "\n").encode())


def sync_directory(directory: pathlib.Path) -> None:
    """Waits until what was created and renamed in a directory is on the disk."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
