"""Finds the world that `--task` names: one that is declared, or a user's own."""

from __future__ import annotations

import functools
import importlib.resources
import pathlib
from typing import TYPE_CHECKING, Any

from rl_tuner import user_code
from rl_tuner.errors import UserError
from rl_tuner.system.declared_worlds import declared_worlds
from rl_tuner.world import World

if TYPE_CHECKING:
    from rl_tuner.task import Task


class TaskWorld(World):
    """The world of a user's own task: one class, whose arguments are its settings."""

    def __init__(self, task_class: type[Task]):
        self.name = task_class.__name__
        self._task_class = task_class

    def make_task(self, settings: dict[str, Any], model: Any = None) -> Task:
        """An instance of the class, for any model."""
        del model
        try:
            return self._task_class(**settings)
        except Exception as error:  # a user's class may fail in any way
            raise UserError(
                f"--task: {self.name} cannot be made ({user_code.gist(error)})"
            ) from error


def find_world(task: str) -> World:
    """The world of a declared name, or of `module:Class`, a Task or World of a user's.

    The user's module is imported, and with it, mostly, TensorFlow.

    Raises:
      UserError: there is none; lists the names.
    """
    if ":" in task:
        return _own_world(task)
    declared = declared_worlds()
    if task in declared:
        return declared[task].load()()
    raise UserError(
        f"unknown --task={task}; choose one of {', '.join(sorted(declared))}, or "
        "some.module:SomeTask"
    )


@functools.cache
def default_task() -> str:
    """The name of the declared world that is the default; empty if none is."""
    for name, entry_point in declared_worlds().items():
        if entry_point.load().is_default:
            return name
    return ""


def _own_world(path: str) -> World:
    found = user_code.find(path, "--task")
    if isinstance(found, type) and issubclass(found, World):
        return found()
    from rl_tuner.task import Task

    if isinstance(found, type) and issubclass(found, Task):
        return TaskWorld(found)
    raise UserError(
        f"--task={path} is not a subclass of rl_tuner.task.Task or rl_tuner.world.World"
    )


def value_in(argv: list[str], flag: str, default: str) -> str:
    """The value of a flag on a command line that is not parsed yet."""
    for index, argument in enumerate(argv):
        name, equals, value = argument.lstrip("-").partition("=")
        if argument.startswith("-") and name == flag:
            if equals:
                return value
            return argv[index + 1] if index + 1 < len(argv) else ""
    return default


def shipped_checkpoint(world: World) -> pathlib.Path:
    """Where the prior lies that comes with the package.

    Raises:
      UserError: the world ships none.
    """
    name = world.checkpoint_from_flags()
    if name is None:
        raise UserError("this task ships no model; name one by --checkpoint_dir")
    path = importlib.resources.files("rl_tuner_checkpoints") / name
    return pathlib.Path(str(path))
