"""Finds the world that `--task` names: what the binaries need to know of it.

A world is a module that an installed package declares under the entry point group
`rl_tuner.worlds`; it must not import TensorFlow, so that `--help` is quick. A user's
own task needs no world: `--task=some.module:SomeTask`.
"""

from __future__ import annotations

import importlib.metadata
import importlib.resources
import pathlib
from typing import TYPE_CHECKING, Any, Protocol

from rl_tuner import user_code
from rl_tuner.errors import UserError
from rl_tuner.reports.publication import Experiment
from rl_tuner.runs import run_directory

if TYPE_CHECKING:
    from rl_tuner.lines import Lines

ENTRY_POINT_GROUP = "rl_tuner.worlds"
DEFAULT_TASK = "melody"


class World(Protocol):
    """What a world module offers.

    It may also offer `experiment()`: the `experiment.Experiment` that was published of
    it, for rl_tuner_reproduce; `adapt_model(model)`: a `SequenceRNN` of its own
    vocabulary, made of one of another; `write_settings()`: arguments from the generate
    flags for the task's `write_samples`; `lines(task)`: the `lines.Lines` of a task,
    where its sequences have a form of their own as text; `tuning_defaults(argv)`:
    defaults of other flags by name, where they are not those of melodies, for a command
    line that is not parsed yet; `paper_defaults()`: the same for rl_tuner_reproduce;
    `choose_checkpoint()`: another name than `SHIPPED_CHECKPOINT`, from the flags.

    Attributes:
      SHIPPED_CHECKPOINT: the name in `checkpoints/` of the prior that is tuned when
        the user names none; None if there is none.
    """

    SHIPPED_CHECKPOINT: str | None

    def define_task_flags(self) -> None:
        """Defines the absl flags that choose the task's settings."""

    def define_generate_flags(self) -> None:
        """Defines the absl flags of generation."""

    def task_settings(self) -> dict[str, Any]:
        """The task's settings from the flags; JSON-serializable."""

    def make_task(self, settings: dict[str, Any], model: Any) -> Any:
        """The Task of these settings, for this `SequenceRNN` or one of its kind."""

    def read_corpus(self, directory: str) -> list[Any]:
        """The training sequences of a dataset, each [length] integers."""

    def run_label(self, settings: dict[str, Any]) -> str:
        """A word or two for these settings, in titles and names of folders."""

    def primers_from_flags(self, num_outputs: int) -> Any:
        """Primers [N, P] that the generate flags ask for; None if they do not."""


class _OwnTask:
    """The world of a user's own task: a class without settings."""

    SHIPPED_CHECKPOINT: str | None = None

    def __init__(self, path: str):
        self._path = path

    def define_task_flags(self) -> None:
        """Has none."""

    def define_generate_flags(self) -> None:
        """Has none."""

    def task_settings(self) -> dict[str, Any]:
        """Has none; a `UserError` if the module is not there, before all else."""
        user_code.check_module(self._path, "--task")
        return {}

    def make_task(self, settings: dict[str, Any], model: Any = None) -> Any:
        """Imports the class and makes an instance of it."""
        del model
        task_class = user_code.find(self._path, "--task")
        from rl_tuner.task import Task

        if not (isinstance(task_class, type) and issubclass(task_class, Task)):
            raise UserError(
                f"--task={self._path} is not a subclass of rl_tuner.task.Task"
            )
        return task_class(**settings)

    def read_corpus(self, directory: str) -> list[Any]:
        """Knows no format of a corpus."""
        raise UserError(
            f"--task={self._path} cannot read a corpus; leave out --corpus_dir"
        )

    def run_label(self, settings: dict[str, Any]) -> str:
        """The name of the class."""
        return self._path.partition(":")[2]

    def primers_from_flags(self, num_outputs: int) -> None:
        """Leaves priming to the task."""


def find_world(task: str) -> World:
    """The world of a task's name, or of `module:Class`.

    Raises:
      UserError: there is none; lists the names.
    """
    if ":" in task:
        return _OwnTask(task)
    declared = importlib.metadata.entry_points(group=ENTRY_POINT_GROUP)
    for entry_point in declared:
        if entry_point.name == task:
            return entry_point.load()
    names = ", ".join(sorted({entry_point.name for entry_point in declared}))
    raise UserError(
        f"unknown --task={task}; choose one of {names}, or some.module:SomeTask"
    )


def experiment_of(world: World) -> Experiment:
    """What was published of a world; of most, nothing."""
    return world.experiment() if hasattr(world, "experiment") else Experiment()


def write_settings_of(world: World) -> dict[str, Any]:
    """How a world's samples are written; in most there is no choice."""
    return world.write_settings() if hasattr(world, "write_settings") else {}


def lines_of(world: World, task: Any) -> Lines:
    """How a world's sequences are written as text, one a line."""
    from rl_tuner.lines import Lines

    return world.lines(task) if hasattr(world, "lines") else Lines(task)


def paper_defaults_of(world: World) -> dict[str, Any]:
    """Defaults of rl_tuner_reproduce where a world has its own."""
    return world.paper_defaults() if hasattr(world, "paper_defaults") else {}


def tuning_defaults_of(world: World, argv: list[str]) -> dict[str, Any]:
    """Defaults of flags where a world has its own; most have none."""
    return world.tuning_defaults(argv) if hasattr(world, "tuning_defaults") else {}


def task_in(argv: list[str]) -> str:
    """The task of a command line not parsed yet: that of its run, or of `--task`."""
    run_dir = value_in(argv, "run_dir", "")
    if run_dir:
        try:
            return run_directory.read_settings(pathlib.Path(run_dir).expanduser()).task
        except UserError:
            pass  # the binary reads it again, and says what is wrong
    return value_in(argv, "task", DEFAULT_TASK)


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
    name = world.SHIPPED_CHECKPOINT
    if hasattr(world, "choose_checkpoint"):
        name = world.choose_checkpoint()
    if name is None:
        raise UserError("this task ships no model; name one by --checkpoint_dir")
    path = importlib.resources.files("rl_tuner_checkpoints") / name
    return pathlib.Path(str(path))
