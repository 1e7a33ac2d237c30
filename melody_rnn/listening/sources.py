"""The models that `--models` names; imports no TensorFlow."""

from __future__ import annotations

import dataclasses
import hashlib
import pathlib
import re
from typing import Any

from melody_rnn.world import MelodyWorld
from rl_tuner.errors import UserError
from rl_tuner.formats import npz_checkpoint
from rl_tuner.runs import run_directory
from rl_tuner.system.whole_files import read_whole

# Names become parts of file names and of spreadsheets: no separators, no leading signs.
_NAME = re.compile(r"\w[\w .+-]{0,31}")


@dataclasses.dataclass(frozen=True)
class ModelSource:
    """A model under the name that listeners see in the results.

    Attributes:
      name: 1 to 32 letters, digits, spaces or `_.+-`.
      directory: a run of rl_tuner_train, or an untuned model's checkpoint.
    """

    name: str
    directory: pathlib.Path

    @property
    def is_run(self) -> bool:
        """Whether the model is tuned."""
        return run_directory.holds_run(self.directory)


@dataclasses.dataclass(frozen=True)
class Judge:
    """The task that rewards a model's melodies.

    Attributes:
      task: as in `--task`.
      settings: what the world makes the task of.
    """

    task: str
    settings: dict[str, Any]


def parse_models(text: str) -> list[ModelSource]:
    """Reads models written as "mle=checkpoints/note_rnn,q=my_run".

    Raises:
      UserError: not of that form, a bad or repeated name, or nothing is there.
    """
    sources: dict[str, ModelSource] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, directory = (piece.strip() for piece in part.partition("="))
        if not equals or not directory:
            raise UserError(
                f"--models has {part!r:.60}; write name=directory, with commas between"
            )
        if not _NAME.fullmatch(name):
            raise UserError(
                f"--models has the name {name!r:.60}; use 1 to 32 letters, digits, "
                "spaces or _.+- and start with a letter or a digit"
            )
        if name in sources:
            raise UserError(f"--models has two models named {name!r}; rename one")
        sources[name] = ModelSource(name, pathlib.Path(directory).expanduser())
        # Refuse what is not there or damaged.
        fingerprint(sources[name])
        judge_of(sources[name], [])
    return list(sources.values())


def fingerprint(source: ModelSource) -> str:
    """A digest that two models share only if they are the same.

    Raises:
      UserError: nothing is there, or it cannot be read.
    """
    digest = hashlib.sha256()
    for path in _telling_files(source):
        try:
            content = read_whole(path, 1 << 33)
        except OSError as error:
            raise UserError(
                f"cannot read {path} of the model {source.name!r}: {error.strerror}"
            ) from error
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(content).digest())
    return digest.hexdigest()


def judge_of(source: ModelSource, others: list[ModelSource]) -> Judge:
    """By whose rules the model's melodies are judged.

    A run has its own. An untuned model is judged by those of the first run among the
    others, so that the two compare; without one, by the papers'.

    Raises:
      UserError: a run's settings are damaged.
    """
    runs = [each for each in [source, *others] if each.is_run]
    if not runs:
        return Judge(MelodyWorld.name, {})
    settings = run_directory.read_settings(runs[0].directory)
    return Judge(settings.task, settings.task_settings)


def _telling_files(source: ModelSource) -> list[pathlib.Path]:
    """The files that make the model what it is, by name."""
    directory = source.directory
    if source.is_run:
        networks = (run_directory.Q_NETWORK_NAME, run_directory.REWARD_RNN_NAME)
        # A config holds the checksum of its weights.
        return [
            directory / run_directory.SETTINGS_NAME,
            *(directory / name / npz_checkpoint.CONFIG_NAME for name in networks),
        ]
    if npz_checkpoint.is_checkpoint(directory):
        return [directory / npz_checkpoint.CONFIG_NAME]
    if directory.is_dir():
        files = [path for path in directory.iterdir() if path.is_file()]
    else:  # the file or the prefix of a TensorFlow checkpoint
        files = [
            path
            for path in directory.parent.glob("*")
            if path.is_file() and path.name.startswith(directory.name)
        ]
    if not files:
        raise UserError(
            f"no model {source.name!r} at {directory}; name what rl_tuner_train wrote, "
            "or the checkpoint of an untuned model"
        )
    return sorted(files)
