"""How much memory and disk there is, asked before much of it is taken."""

from __future__ import annotations

import os
import pathlib
import shutil

from rl_tuner.errors import UserError

_GIB = 1 << 30
# Of a process with TensorFlow that has compiled a training loop, beside its replay.
_OVERHEAD = _GIB // 2


def check_replay(num_bytes: int, capacity: int, advice: str = "") -> None:
    """Proves that a replay memory fits into what memory is free.

    Args:
      num_bytes: what its transitions take.
      capacity: how many they are.
      advice: what else can be done, where something can.

    Raises:
      UserError: it does not fit; says how many would.
    """
    needed = num_bytes * 4 // 3  # a save copies one field at a time, about a third
    free = available_bytes()
    if needed + _OVERHEAD <= free:
        return
    fitting = max(0, free - _OVERHEAD) * capacity // needed
    raise UserError(
        f"replay_capacity is {capacity}, which takes {_gib(needed)} of memory with its "
        f"saves, but {_gib(free)} are free, {_gib(_OVERHEAD)} of which the training "
        f"itself takes; lower replay_capacity to {fitting} or less{advice}"
    )


def check_disk(directory: pathlib.Path, num_bytes: int, used: int = 0) -> None:
    """Proves that the saves of a run fit onto the disk.

    Args:
      directory: where they will be written; it exists.
      num_bytes: what all that are kept at a time take, at the most.
      used: what earlier saves of the run take there, which will be replaced.

    Raises:
      UserError: they do not fit.
    """
    free = shutil.disk_usage(directory).free + used
    if num_bytes > free:
        raise UserError(
            f"the saves of this run take up to {_gib(num_bytes)}, but {_gib(free)} are "
            f"free in {directory}; make room there, lower --replay_capacity, or switch "
            "the saves off by --save_every_secs=inf"
        )


def available_bytes() -> int:
    """Memory that this process can still take without swapping.

    The least of what the machine has and of what its control groups leave (as in a
    container).
    """
    found = [_of_machine()]
    found += _of_control_groups(pathlib.Path("/"))
    return max(0, min(found))


def _of_machine() -> int:
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            for line in file:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass  # not Linux: all that is installed, which is better than nothing
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _of_control_groups(root: pathlib.Path) -> list[int]:
    """What is left in each control group, of version 1 or 2, that has a limit."""
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="ascii").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            mount, limit, usage = "sys/fs/cgroup", "memory.max", "memory.current"
        elif "memory" in controllers.split(","):
            mount, limit = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
            usage = "memory.usage_in_bytes"
        else:
            continue
        group = pathlib.PurePosixPath(path.lstrip("/"))
        for folder in [group, *group.parents]:  # a limit holds for all within
            left = _left_in(root / mount / folder, limit, usage)
            if left is not None:
                found.append(left)
    return found


def _left_in(folder: pathlib.Path, limit: str, usage: str) -> int | None:
    try:
        most = int((folder / limit).read_text())
        used = int((folder / usage).read_text())
        lines = (folder / "memory.stat").read_text().splitlines()
        stat = dict(line.split(" ", 1) for line in lines)
        # A cache of files, which is given up when memory is short.
        cached = int(stat.get("total_inactive_file", stat.get("inactive_file", 0)))
    except (OSError, ValueError):  # not there, or "max"
        return None
    return most - (used - cached)


def _gib(num_bytes: int) -> str:
    return f"{num_bytes / _GIB:.2f} GiB"
