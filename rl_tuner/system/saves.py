"""Saves of a run that may be cut anywhere: whole, checked, the last two kept."""

from __future__ import annotations

import hashlib
import os
import pathlib
import re
import shutil
import zipfile
from collections.abc import Callable, Mapping
from typing import IO, Any, NamedTuple

import numpy as np

from rl_tuner.errors import UserError
from rl_tuner.system import checked_json, free_space
from rl_tuner.system.whole_files import sync_directory

ARRAYS_NAME = "arrays.npz"
MANIFEST_NAME = "manifest.json"
KEPT = 2
_CHUNK = 1 << 22
_UNFINISHED = ".unfinished"


class SavedState(NamedTuple):
    """What a save holds.

    Attributes:
      step: environment steps at that time.
      arrays: every variable of the run, by name; read when they are asked for.
      record: JSON-serializable; what is no array, as the points of the curves.
    """

    step: int
    arrays: Mapping[str, np.ndarray]
    record: dict[str, Any]


def save(
    directory: pathlib.Path,
    step: int,
    arrays: Mapping[str, np.ndarray],
    record: Mapping[str, Any],
) -> None:
    """Writes a save beside the others, then gives it its name; keeps the last two.

    A cut leaves the saves that were there, and at the most a folder that has no name
    of a save. An `OSError`, as from a full disk, leaves the same. Saves of later steps
    are deleted: they are damaged, since the run resumed from an earlier one.
    """
    directory.mkdir(parents=True, exist_ok=True)
    beside = directory / _UNFINISHED
    shutil.rmtree(beside, ignore_errors=True)
    try:
        beside.mkdir()
        with open(beside / ARRAYS_NAME, "wb") as file:
            _write_arrays(file, arrays)
            file.flush()
            os.fsync(file.fileno())
        manifest = {
            "step": step,
            "record": dict(record),
            "arrays_sha256": _sha256(beside / ARRAYS_NAME),
        }
        checked_json.write(beside / MANIFEST_NAME, manifest)
        sync_directory(beside)
        final = directory / _name(step)
        shutil.rmtree(final, ignore_errors=True)
        os.rename(beside, final)
        sync_directory(directory)  # before the old ones go
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    kept = [path for path in _saves(directory) if path <= final][:KEPT]
    for path in set(_saves(directory)).difference(kept):
        shutil.rmtree(path, ignore_errors=True)


def try_to_save(
    directory: pathlib.Path,
    step: int,
    arrays: Mapping[str, np.ndarray],
    record: Mapping[str, Any],
    warn: Callable[[str], None],
) -> bool:
    """Saves; where that fails, as with a full disk, says so and returns False."""
    try:
        save(directory, step, arrays, record)
    except OSError as error:
        warn(
            f"cannot save step {step} in {directory}: {error.strerror or error}; "
            "training continues, the last save stays, and saving is tried again later"
        )
        return False
    return True


def load_latest(
    directory: pathlib.Path,
    warn: Callable[[str], None] = print,
    last_step: int | None = None,
) -> SavedState | None:
    """Reads the newest save that is whole; None if none was ever made.

    Args:
      directory: where `save` wrote.
      warn: called with a line on each damaged save that is passed over.
      last_step: passes over saves of later steps too.

    Raises:
      UserError: there are saves, but all are damaged.
    """
    saves = _saves(directory)
    if last_step is not None:
        saves = [path for path in saves if path.name <= _name(last_step)]
    for path in saves:
        try:
            return _load(path)
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            warn(f"the save {path} is damaged ({reason}) and skipped")
    if saves:
        raise UserError(
            f"every save in {directory} is damaged; start over with --restart, which "
            "keeps them under another name"
        )
    return None


def check_disk(directory: pathlib.Path, num_bytes: int) -> None:
    """Proves that there is room for the saves of a run: those kept, and one beside.

    Args:
      directory: where `save` will write.
      num_bytes: that a save takes.

    Raises:
      UserError: there is not.
    """
    directory.mkdir(parents=True, exist_ok=True)
    files = [path for path in directory.rglob("*") if path.is_file()]
    used = sum(path.stat().st_size for path in files)  # they will be replaced
    free_space.check_disk(directory, (KEPT + 1) * num_bytes, used)


def latest(directory: pathlib.Path) -> pathlib.Path | None:
    """Where the newest save lies, be it whole or not; None if there is none."""
    return next(iter(_saves(directory)), None)


def _load(path: pathlib.Path) -> SavedState:
    manifest = checked_json.read(path / MANIFEST_NAME)
    if _sha256(path / ARRAYS_NAME) != manifest["arrays_sha256"]:
        raise ValueError(f"{ARRAYS_NAME} has another checksum")
    if path.name != _name(manifest["step"]):
        raise ValueError(f"it is of step {manifest['step']}")
    arrays = np.load(path / ARRAYS_NAME, allow_pickle=False)
    return SavedState(manifest["step"], arrays, manifest["record"])


def _write_arrays(file: IO[bytes], arrays: Mapping[str, np.ndarray]) -> None:
    """Writes what `np.load` reads; holds one array at a time, unlike `np.savez`."""
    with zipfile.ZipFile(file, "w") as archive:
        for name in arrays:
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                # Not kept under a name, which would hold it while the next is made.
                np.lib.format.write_array(
                    member, np.asanyarray(arrays[name]), allow_pickle=False
                )


def _saves(directory: pathlib.Path) -> list[pathlib.Path]:
    """The folders of saves, the newest first."""
    found = [p for p in directory.glob("step_*") if re.fullmatch(r"step_\d+", p.name)]
    return sorted(found, reverse=True)


def _name(step: int) -> str:
    return f"step_{step:012}"


def _sha256(path: pathlib.Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(_CHUNK):
            digest.update(block)
    return digest.hexdigest()
