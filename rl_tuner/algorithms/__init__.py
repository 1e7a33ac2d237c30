"""Algorithms by name. Names come without TensorFlow, so that `--help` is quick."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rl_tuner import user_code
from rl_tuner.config import ALGORITHMS
from rl_tuner.errors import UserError

if TYPE_CHECKING:
    from rl_tuner.algorithms.algorithm import Algorithm


def get_algorithm(name: str) -> Algorithm:
    """The algorithm of a name in the table, or of `module:Class` of a user's own.

    Raises:
      UserError: there is none; lists the names.
    """
    if name not in ALGORITHMS and ":" not in name:
        raise UserError(
            f"unknown algorithm {name!r}; choose one of {', '.join(ALGORITHMS)}, or "
            "some_module:SomeAlgorithm"
        )
    from rl_tuner.algorithms.algorithm import Algorithm

    found = user_code.find(ALGORITHMS.get(name, name), "--algorithm")
    if not (isinstance(found, type) and issubclass(found, Algorithm)):
        raise UserError(
            f"--algorithm={name} is not a subclass of "
            "rl_tuner.algorithms.algorithm.Algorithm"
        )
    return found()
