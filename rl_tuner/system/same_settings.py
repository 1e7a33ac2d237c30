"""Whether a folder's work would be resumed with the settings that it was begun with."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from rl_tuner.errors import UserError
from rl_tuner.system import checked_json
from rl_tuner.system.whole_files import write_json


class Change(NamedTuple):
    """A setting that is another now."""

    name: str
    before: Any
    now: Any


def first_change(
    before: Mapping[str, Any], now: Mapping[str, Any], free: Collection[str] = ()
) -> Change | None:
    """The first setting that differs, compared as they come back from a JSON file.

    Args:
      before: the settings that the work was begun with.
      now: those that it would be resumed with.
      free: names of settings that may differ.
    """
    before, now = (json.loads(json.dumps(dict(some))) for some in (before, now))
    for name in {**now, **before}:
        if name not in free and before.get(name) != now.get(name):
            return Change(name, before.get(name), now.get(name))
    return None


def claim(
    path: pathlib.Path,
    settings: Mapping[str, Any],
    free: Collection[str] = (),
    has_checksum: bool = True,
    newer: Collection[str] = (),
) -> None:
    """Writes the settings of a folder's work, or proves that they are those already.

    What an earlier version kept besides is not compared.

    Args:
      path: of the file of the settings, in that folder.
      settings: JSON-serializable.
      free: names of settings that may differ; the file then has the last ones.
      has_checksum: whether the file is written with its own checksum.
      newer: names of settings that earlier versions did not keep; where one is not
        kept, it is not compared.

    Raises:
      UserError: the folder holds work of other settings, or the file is damaged.
    """
    if path.exists():
        try:
            kept = checked_json.read(path, is_checksum_needed=False)
        except (OSError, ValueError) as error:
            raise UserError(f"{path} is damaged: {error}") from error
        unknown = {name: settings[name] for name in newer if name not in kept}
        kept = unknown | {name: kept[name] for name in settings if name in kept}
        change = first_change(kept, settings, free)
        if change:
            raise UserError(
                f"{path.parent} holds runs of other settings, listed in {path.name}: "
                f"{change.name} is {change.before}, not {change.now}; "
                "choose another --output_dir"
            )
        if not first_change(kept, settings):
            return
    if has_checksum:
        checked_json.write(path, settings)
    else:
        write_json(path, settings)
