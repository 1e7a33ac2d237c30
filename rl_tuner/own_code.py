"""Finds a user's own code, which flags name as `module:name`."""

from __future__ import annotations

import importlib
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
    module, colon, name = path.partition(":")
    if not (module and colon and name):
        raise UserError(f"{what}={path} is not of the form my_module:my_name")
    try:
        return getattr(importlib.import_module(module), name)
    except Exception as error:  # a user's module may fail in any way
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise UserError(
            f"{what}={path} cannot be imported ({reason}); {module} must lie in the "
            "folder that this runs in, or on the PYTHONPATH"
        ) from error
