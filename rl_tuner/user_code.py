"""Finds a user's own code, which flags name as `module:name`."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from rl_tuner.errors import UserError


def find(path: str, what: str) -> Any:
    """Imports what `path` names: binaries look in the folder they run in, too.

    Args:
      path: `some.module:some_name`.
      what: it is meant to be, for the messages, such as `--task`.

    Raises:
      UserError: it is not of that form, cannot be imported, or is not there.
    """
    module, name = _split(path, what)
    try:
        return getattr(importlib.import_module(module), name)
    except Exception as error:  # a user's module may fail in any way
        raise _not_importable(path, what, error) from error


def check_module(path: str, what: str) -> None:
    """Checks that the module of `path` is there, without importing it.

    Raises:
      UserError: it is not, or `path` is not of the form that `find` takes.
    """
    module, _ = _split(path, what)
    try:
        if importlib.util.find_spec(module) is None:
            raise ModuleNotFoundError(f"No module named {module!r}")
    except Exception as error:  # of the packages it lies in, which are imported
        raise _not_importable(path, what, error) from error


def _split(path: str, what: str) -> tuple[str, str]:
    module, _, name = path.partition(":")
    if not (module and name):
        raise UserError(f"{what}={path} is not of the form my_module:my_name")
    return module, name


def _not_importable(path: str, what: str, error: Exception) -> UserError:
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return UserError(
        f"{what}={path} cannot be imported ({reason}); {path.partition(':')[0]} must "
        "lie in the folder that this runs in, or on the PYTHONPATH"
    )
