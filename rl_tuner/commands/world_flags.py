"""Finds the world of a command line that is not parsed yet, and defines its flags."""

from __future__ import annotations

import pathlib

from rl_tuner import user_code, worlds
from rl_tuner.commands import cli
from rl_tuner.errors import UserError
from rl_tuner.runs import run_directory
from rl_tuner.world import World


def world_in(argv: list[str]) -> World:
    """The world of a command line; a user's own is imported, with TensorFlow first.

    Raises:
      UserError: there is no such world.
    """
    task = task_in(argv)
    if ":" in task:
        user_code.check_module(task, "--task")
        cli.load_tensorflow()  # quietly, as the user's module would not
    return worlds.find_world(task)


def task_in(argv: list[str]) -> str:
    """The task of a command line: that of its run, or of `--task`."""
    run_dir = worlds.value_in(argv, "run_dir", "")
    if run_dir:
        try:
            return run_directory.read_settings(pathlib.Path(run_dir).expanduser()).task
        except UserError:
            pass  # the command reads it again, and says what is wrong
    return worlds.value_in(argv, "task", worlds.default_task())


def define_task_flags(argv: list[str]) -> World:
    """Defines the flags of the world's models and tasks; returns the world."""
    world = world_in(argv)
    world.define_model_flags()
    world.define_task_flags()
    return world


def define_generate_flags(argv: list[str]) -> None:
    """Defines the flags of the world's models and of generation."""
    world = world_in(argv)
    world.define_model_flags()
    world.define_generate_flags()


def define_score_flags(argv: list[str]) -> None:
    """Defines the flags of the world's models and of scoring."""
    world = world_in(argv)
    world.define_model_flags()
    world.define_score_flags()


def define_model_flags(argv: list[str]) -> None:
    """Defines the flags of the world's models."""
    world_in(argv).define_model_flags()
