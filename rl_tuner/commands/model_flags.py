"""Flags that name a model: an untuned one in any format, a tuned run, or neither."""

from __future__ import annotations

import dataclasses
import pathlib
from typing import TYPE_CHECKING

from absl import flags

from rl_tuner import worlds
from rl_tuner.errors import UserError
from rl_tuner.runs import run_directory

if TYPE_CHECKING:
    from rl_tuner.generation.policy import Policy
    from rl_tuner.networks.network import Network
    from rl_tuner.world import World

FLAGS = flags.FLAGS
NAMES = ("note_rnn_checkpoint_dir", "note_rnn_checkpoint_file", "bundle_file")

flags.DEFINE_string(
    "note_rnn_checkpoint_dir",
    "",
    "Folder of an untuned model: what note_rnn_train or smiles_rnn_train wrote, or the "
    "newest checkpoint in a training directory of Magenta's.",
)
flags.DEFINE_alias("checkpoint_dir", "note_rnn_checkpoint_dir")
flags.DEFINE_string(
    "note_rnn_checkpoint_file", "", "The same, but a TensorFlow 1 checkpoint file."
)
flags.DEFINE_alias("checkpoint_file", "note_rnn_checkpoint_file")
flags.DEFINE_string("bundle_file", "", "The same, but a Magenta bundle, *.mag.")


@dataclasses.dataclass(frozen=True)
class NamedModel:
    """The one model that the flags name.

    Attributes:
      path: the folder of a run, or where an untuned model lies.
      task: the run's, or that of `--task`.
      world: of that task.
      run: the run's settings; None for an untuned model.
    """

    path: pathlib.Path
    task: str
    world: World
    run: run_directory.RunSettings | None

    @property
    def reward_scaler(self) -> float | None:
        """1/c of a tuned model; None of an untuned one, which has none."""
        if self.run is None:
            return None
        return run_directory.final_scaler(self.path, self.run)

    def policy(self) -> Policy:
        """Loads the tuned policy, or the untuned model as one of its world.

        Raises:
          UserError: it is missing or damaged, or does not suit the world.
        """
        from rl_tuner.generation.policy import Policy

        if self.run:
            return run_directory.load_policy(self.path, self.run)
        return Policy.of_prior(load(self.path, self.world))


def define_run_flags(task_help: str) -> None:
    """Defines `--task` and `--run_dir`, for commands that take tuned models too."""
    flags.DEFINE_string("task", worlds.default_task(), task_help)
    flags.DEFINE_string("run_dir", "", "What rl_tuner_train wrote, or a run of a grid.")


def named_model() -> NamedModel:
    """The run of `--run_dir`, the untuned model that is named, or the shipped one.

    Raises:
      UserError: several are named, or there is no such run.
    """
    untuned = path()
    if FLAGS.run_dir:
        if untuned:
            raise UserError(
                "name one model: --run_dir of a tuned one, or "
                f"{', '.join(f'--{name}' for name in NAMES)} of an untuned one"
            )
        source = pathlib.Path(FLAGS.run_dir).expanduser()
        run = run_directory.read_settings(source)
        return NamedModel(source, run.task, worlds.find_world(run.task), run)
    world = worlds.find_world(FLAGS.task)
    return NamedModel(untuned or shipped(world), FLAGS.task, world, None)


def untuned_path(world: World) -> pathlib.Path:
    """Where the untuned model lies: the flags', or the shipped one of the world."""
    return path() or shipped(world)


def shipped(world: World) -> pathlib.Path:
    """Where the shipped model of a world lies; prints that it is taken.

    Raises:
      UserError: the world ships none.
    """
    found = worlds.shipped_checkpoint(world)
    print(f"no model is named: taking {found}, which comes with --task={world.name}")
    return found


def path() -> pathlib.Path | None:
    """Where the untuned model lies that the flags name; None if they name none.

    Raises:
      UserError: they name several, or --bundle_file is no bundle.
    """
    given = [name for name in NAMES if FLAGS[name].value]
    if len(given) > 1:
        raise UserError(f"give --{given[0]} or --{given[1]}, not both")
    if not given:
        return None
    named = pathlib.Path(str(FLAGS[given[0]].value)).expanduser()
    if given == ["bundle_file"] and named.suffix != ".mag":
        raise UserError(
            f"--bundle_file={named} is not called *.mag; name a checkpoint by "
            "--note_rnn_checkpoint_file"
        )
    return named


def load(source: pathlib.Path, world: World) -> Network:
    """Loads a model, and prints one line of what was read.

    Args:
      source: where it lies.
      world: what it shall be used for; its flags tell what the file does not.

    Raises:
      UserError: it cannot be loaded, or does not suit the flags or the world.
    """
    from rl_tuner.networks.network import Network

    model = Network.load(source)
    world.apply_model_flags(model)
    print(model.read_from, flush=True)
    return model
