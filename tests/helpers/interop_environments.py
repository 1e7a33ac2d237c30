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

_DEFINITIONS = pathlib.Path(__file__).parents[1] / "interop"
_MAGENTA = "magenta==2.1.4"


def magenta_bin():
    """The folder of Magenta's console scripts and its Python."""
    requirements = _DEFINITIONS / "magenta_requirements.txt"
    directory = _cached("magenta", requirements)
    if not _is_complete(directory):
        python = _needed("python3.11")
        _run(python, "-m", "venv", "--clear", directory)
        pip = directory / "bin" / "pip"
        _run(pip, "install", "-r", requirements)
        _run(pip, "install", "--no-deps", _MAGENTA)
        _complete(directory)
    return directory / "bin"


def node_modules():
    """The folder that holds @magenta/music."""
    package = _DEFINITIONS / "package.json"
    directory = _cached("node", package)
    if not _is_complete(directory):
        npm = _needed("npm")
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        shutil.copy(package, directory)
        # Builds of native modules would be downloaded, and are not used here.
        _run(
            npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", cwd=directory
        )
        _complete(directory)
    return directory / "node_modules"


def clean_environment():
    """The environment variables that a program of another environment may have."""
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment.pop("PYTHONPATH", None)
    return environment


def _cached(name, definition):
    default = os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")
    root = os.environ.get("RL_TUNER_INTEROP_CACHE") or f"{default}/rl_tuner_interop"
    digest = hashlib.sha256(definition.read_bytes() + _MAGENTA.encode()).hexdigest()
    return pathlib.Path(root).expanduser() / f"{name}-{digest[:12]}"


def _is_complete(directory):
    return (directory / "complete").exists()


def _complete(directory):
    (directory / "complete").write_text(time.strftime("built %Y-%m-%d %H:%M:%S\n"))


def _needed(program):
    path = shutil.which(program)
    if path is None:
        raise RuntimeError(f"{program} is needed on the PATH")
    return path


def _run(*command, cwd=None):
    command = [str(part) for part in command]
    result = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=1800, check=False
    )
    if result.returncode:
        output = (result.stdout + result.stderr)[-4000:]
        raise RuntimeError(f"{' '.join(command)}:\n{output}")
