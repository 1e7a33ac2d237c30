"""Files that are written, and read, whole or not at all."""

from __future__ import annotations

import errno
import json
import math
import os
import pathlib
import stat
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


def read_whole(path: str | os.PathLike, most: int = 1 << 28) -> bytes:
    """Reads a file that has an end, and fits into memory.

    What is no regular file, such as /dev/zero or a pipe, may never end, or never begin.

    Args:
      path: of the file.
      most: bytes that it may have.

    Raises:
      OSError: it cannot be read, or is larger, or no regular file.
    """
    with open(path, "rb", opener=open_regular) as file:
        if os.fstat(file.fileno()).st_size > most:
            raise OSError(errno.EFBIG, f"larger than {most >> 20} MiB", str(path))
        return file.read()


def open_regular(path: str, flags: int) -> int:
    """An opener for `open`, which waits for no one at the other end of a pipe.

    Raises:
      OSError: it cannot be opened, or is no regular file.
    """
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return descriptor
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    raise OSError(errno.EINVAL, "it is a device or a pipe, not a file", path)


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
