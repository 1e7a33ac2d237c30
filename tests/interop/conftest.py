"""Builds the environments of the real Magenta and magenta.js, once.

They are kept in RL_TUNER_INTEROP_CACHE, by default in the user's cache folder, under a
name that changes with what is installed.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import time

import pytest

HERE = pathlib.Path(__file__).parent
MAGENTA = "magenta==2.1.4"


@pytest.fixture(name="magenta_bin", scope="session")
def _magenta_bin():
    """The folder of Magenta's console scripts and its Python."""
    requirements = HERE / "magenta_requirements.txt"
    directory = _cached("magenta", requirements)
    if not _is_complete(directory):
        python = _needed("python3.11")
        _run(python, "-m", "venv", "--clear", directory)
        pip = directory / "bin" / "pip"
        _run(pip, "install", "-r", requirements)
        _run(pip, "install", "--no-deps", MAGENTA)
        _complete(directory)
    return directory / "bin"


@pytest.fixture(name="node_modules", scope="session")
def _node_modules():
    """The folder that holds @magenta/music."""
    directory = _cached("node", HERE / "package.json")
    if not _is_complete(directory):
        npm = _needed("npm")
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        shutil.copy(HERE / "package.json", directory)
        # Builds of native modules would be downloaded, and are not used here.
        _run(
            npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", cwd=directory
        )
        _complete(directory)
    return directory / "node_modules"


def _cached(name, definition):
    default = os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")
    root = os.environ.get("RL_TUNER_INTEROP_CACHE") or f"{default}/rl_tuner_interop"
    digest = hashlib.sha256(definition.read_bytes() + MAGENTA.encode()).hexdigest()
    return pathlib.Path(root).expanduser() / f"{name}-{digest[:12]}"


def _is_complete(directory):
    return (directory / "complete").exists()


def _complete(directory):
    (directory / "complete").write_text(time.strftime("built %Y-%m-%d %H:%M:%S\n"))


def _needed(program):
    path = shutil.which(program)
    if path is None:
        pytest.fail(f"the interop tests need {program} on the PATH")
    return path


def _run(*command, cwd=None):
    command = [str(part) for part in command]
    result = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=1800, check=False
    )
    if result.returncode:
        pytest.fail(f"{' '.join(command)}:\n{(result.stdout + result.stderr)[-4000:]}")
