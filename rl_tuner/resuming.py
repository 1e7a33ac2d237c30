"""May a run go on in a directory? One process at a time, and with the same settings."""

from __future__ import annotations

import dataclasses
import fcntl
import itertools
import pathlib
from typing import IO, Any

from rl_tuner.errors import UserError
from rl_tuner.run_directory import RunSettings

LOCK_NAME = ".lock"


def lock(directory: pathlib.Path) -> IO[Any]:
    """Makes the directory this process' own, until the returned file is closed.

    The system drops the lock when the process ends, however it ends.

    Raises:
      UserError: another process has it.
    """
    file = open(directory / LOCK_NAME, "w")  # noqa: SIM115 - kept open, it is the lock
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise UserError(
            f"another process is training in {directory}; wait for it, or choose "
            "another --output_dir"
        ) from error
    return file


def refuse_changes(begun: RunSettings, asked: RunSettings) -> None:
    """Proves that a run would go on with the settings that it was begun with.

    Raises:
      UserError: names a flag that has changed, with its two values.
    """
    before, now = _flat(begun), _flat(asked)
    for name in [*now, *before]:
        if before.get(name) != now.get(name):
            raise UserError(
                f"--{name} is {now.get(name)}, but the run was begun with "
                f"{before.get(name)}; go on with that, choose another --output_dir, or "
                "start over with --restart"
            )


def set_aside(directory: pathlib.Path) -> pathlib.Path:
    """Renames a run's directory, to begin anew under its name; returns the new name."""
    for number in itertools.count(1):
        aside = directory.with_name(f"{directory.name}.set_aside_{number:03}")
        if not aside.exists():
            directory.rename(aside)
            return aside
    raise AssertionError("unreachable")


def _flat(settings: RunSettings) -> dict[str, Any]:
    """All settings by the names of their flags."""
    flat = dataclasses.asdict(settings)
    flat["note_rnn_checkpoint_dir"] = flat.pop("prior")
    for name in ("task_settings", "config", "outputs"):
        flat.update(flat.pop(name))
    return flat
