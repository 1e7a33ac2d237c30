"""The worlds that installed packages declare: entry points of `rl_tuner.worlds`.

They are found by their name here, so that what lies below them in the house can ask
them for what it lacks, as formats of models, without importing any.
"""

from __future__ import annotations

import importlib.metadata

ENTRY_POINT_GROUP = "rl_tuner.worlds"


def declared_worlds() -> dict[str, importlib.metadata.EntryPoint]:
    """The entry points by the names that `--task` takes; each loads a World class."""
    declared = importlib.metadata.entry_points(group=ENTRY_POINT_GROUP)
    return {entry_point.name: entry_point for entry_point in declared}
