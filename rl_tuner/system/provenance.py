"""Where results come from: the command, the machine, the versions."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shlex
import sys

from rl_tuner.version import __version__

# What results can depend on.
_PACKAGES = (
    "tensorflow",
    "keras",
    "tensorflow-probability",
    "numpy",
    "scipy",
    "note-seq",
    "pretty_midi",
    "matplotlib",
    "rdkit",
)


def command_line() -> str:
    """The command that this process was started by, to be typed again."""
    return shlex.join([os.path.basename(sys.argv[0]), *sys.argv[1:]])


def available_cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def versions() -> dict[str, str]:
    """Of this package, Python, the libraries that matter, and the machine."""
    found = {"rl-tuner": __version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found | {"machine": f"{platform.platform()}, {available_cores()} cores"}
