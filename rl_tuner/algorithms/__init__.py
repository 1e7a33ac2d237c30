"""Algorithms by name. Names come without TensorFlow, so that `--help` is quick."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rl_tuner import user_code
from rl_tuner.errors import UserError

if TYPE_CHECKING:
    from rl_tuner.algorithms.algorithm import Algorithm

# In the order of tables and legends.
ALGORITHMS = {
    "q": "rl_tuner.algorithms.value_learning:QLearning",
    "psi": "rl_tuner.algorithms.value_learning:PsiLearning",
    "g": "rl_tuner.algorithms.value_learning:GLearning",
    "pure_rl": "rl_tuner.algorithms.value_learning:RewardsOnly",
}


def is_known(name: str) -> bool:
    """Whether `name` is in the table, or names a class of a user's own."""
    return name in ALGORITHMS or ":" in name


def get_algorithm(name: str) -> Algorithm:
    """The algorithm of a name in the table, or of `module:Class` of a user's own.

    Raises:
      UserError: there is none; lists the names.
    """
    if not is_known(name):
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
