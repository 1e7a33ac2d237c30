"""Resuming: one process at a time in a directory, and with the same settings."""

from __future__ import annotations

import dataclasses
import fcntl
import itertools
import os
import pathlib
from collections.abc import Mapping
from typing import IO, Any

from rl_tuner.errors import UserError
from rl_tuner.runs import run_directory
from rl_tuner.runs.run_directory import RunSettings
from rl_tuner.system import same_settings
from rl_tuner.system.whole_files import open_regular

LOCK_NAME = ".lock"


def lock(directory: pathlib.Path) -> IO[Any]:
    """Makes the directory this process' own, until the returned file is closed.

    The system drops the lock when the process ends, however it ends.

    Raises:
      UserError: another process has it.
    """
    path = directory / LOCK_NAME
    try:
        file = open(path, "w", opener=open_regular)  # noqa: SIM115 - it is the lock
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Meanwhile another process may have set the directory aside, lock and all.
        if not os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
            raise BlockingIOError
    except BlockingIOError as error:
        file.close()
        raise UserError(
            f"another process is training in {directory}; wait for it, or choose "
            "another --output_dir"
        ) from error
    except OSError as error:
        raise UserError(
            f"cannot lock {path}: {error.strerror}; choose an --output_dir on a file "
            "system that you may write to and that knows locks"
        ) from error
    return file


def begin_or_go_on(
    directory: pathlib.Path,
    settings: RunSettings,
    defaults: Mapping[str, Any],
    is_restart: bool = False,
) -> IO[Any]:
    """Locks a directory, and makes sure that the run in it, if any, is this one.

    A run that has saved nothing has nothing to resume, and begins anew.

    Args:
      directory: where the run is, or is to begin; it exists.
      settings: of the run.
      defaults: as in `refuse_changes`.
      is_restart: begins anew where there is a run, which gets another name.

    Returns:
      the lock, to be closed when the run ends.

    Raises:
      UserError: it holds a finished run, or one of other settings, or is in use, or
        its settings are damaged.
    """
    held = lock(directory)
    if not run_directory.holds_progress(directory):
        run_directory.write_settings(directory, settings)
    elif is_restart:
        print(f"the run that was there is now {set_aside(directory)}")
        held.close()
        directory.mkdir(exist_ok=True)
        return begin_or_go_on(directory, settings, defaults)
    elif (directory / run_directory.METRICS_NAME).exists():
        raise UserError(
            f"{directory} holds a finished run; choose another --output_dir, or start "
            "over with --restart"
        )
    else:
        refuse_changes(run_directory.read_settings(directory), settings, defaults)
    return held


def refuse_changes(
    begun: RunSettings, asked: RunSettings, defaults: Mapping[str, Any]
) -> None:
    """Checks that a run would resume with the settings that it was begun with.

    Args:
      begun: what the run was begun with, maybe by an earlier version.
      asked: what it would resume with.
      defaults: of the flags by name; what a run has that was begun before there was
        such a flag.

    Raises:
      UserError: names a flag that has changed, with its two values.
    """
    old, new = _flat(begun), _flat(asked)
    old = {name: defaults[name] for name in new if name in defaults} | old
    change = same_settings.first_change(old, new)
    if change:
        now, before = (
            "none" if value in (None, "", [], {}) else value
            for value in (change.now, change.before)
        )
        raise UserError(
            f"--{change.name} is {now}, but the run was begun with {before}; resume it "
            "with that, choose another --output_dir, or start over with --restart"
        )
    if begun.prior_sha256 and begun.prior_sha256 != asked.prior_sha256:
        raise UserError(
            f"the model {asked.prior} has changed since the run was begun (its weights "
            f"had the checksum {begun.prior_sha256[:12]}, now {asked.prior_sha256[:12]}"
            "); restore it, choose another --output_dir, or start over with --restart"
        )
    refuse_changed_contents(begun, asked)


def refuse_changed_contents(begun: RunSettings, asked: RunSettings) -> None:
    """Checks that what a run depends on holds what it held when the run was begun.

    Raises:
      UserError: names what has changed, with both fingerprints.
    """
    for name in begun.contents.keys() & asked.contents.keys():
        before, now = begun.contents[name], asked.contents[name]
        if before != now:
            raise UserError(
                f"{name} has changed since the run was begun (its fingerprint was "
                f"{before[:12]}, now {now[:12]}); restore it, choose another "
                "--output_dir, or start over with --restart"
            )


def set_aside(directory: pathlib.Path) -> pathlib.Path:
    """Renames a run's directory, to begin anew under its name; returns the new name."""
    for number in itertools.count(1):
        aside = directory.with_name(f"{directory.name}.set_aside_{number:03}")
        if aside.exists():
            continue
        try:
            return directory.rename(aside)
        except OSError as error:
            raise UserError(
                f"cannot rename {directory} to {aside}: {error.strerror}; choose "
                "another --output_dir"
            ) from error
    raise AssertionError("unreachable")


def _flat(settings: RunSettings) -> dict[str, Any]:
    """All settings by the names of their flags."""
    flat = dataclasses.asdict(settings)
    flat["note_rnn_checkpoint_dir"] = flat.pop("prior")
    del flat["prior_sha256"], flat["contents"]
    for name in ("task_settings", "config", "outputs"):
        flat.update(flat.pop(name))
    return flat
