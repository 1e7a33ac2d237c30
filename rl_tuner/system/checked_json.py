"""JSON files that know their own checksum, so that damage is found and not believed."""

from __future__ import annotations

import hashlib
import json
import pathlib
from collections.abc import Mapping
from typing import Any

from rl_tuner.system.whole_files import read_whole, write_atomically

_CHECKSUM = "sha256"


def write(path: pathlib.Path, record: Mapping[str, Any]) -> None:
    """Writes a record and its checksum, whole or not at all."""
    text = json.dumps({**record, _CHECKSUM: _checksum(record)}, indent=2) + "\n"
    write_atomically(path, text.encode())


def read(path: pathlib.Path, is_checksum_needed: bool = True) -> dict[str, Any]:
    """Reads what `write` wrote.

    Args:
      path: of the file.
      is_checksum_needed: False also believes files that never had one.

    Raises:
      OSError: it cannot be read.
      ValueError: it is no such file, or not what was written.
    """
    try:
        record = json.loads(read_whole(path).decode("utf-8"))
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(record, dict):
        raise ValueError("it holds no object")
    checksum = record.pop(_CHECKSUM, None)
    if checksum is None and is_checksum_needed:
        raise ValueError("it has no checksum")
    if checksum not in (None, _checksum(record)):
        raise ValueError("its checksum is not that of what it says")
    return record


def _checksum(record: Mapping[str, Any]) -> str:
    """That of the record as it comes back from a file, in whatever layout."""
    text = json.dumps(json.loads(json.dumps(record)), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
