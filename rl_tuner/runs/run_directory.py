"""The folder of a tuning run: its settings, its networks, and what became of it."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import itertools
import math
import os
import pathlib
import re
from collections.abc import Callable
from typing import Any

from rl_tuner.config import RLTunerConfig
from rl_tuner.errors import UserError
from rl_tuner.metrics import Evaluation
from rl_tuner.system import checked_json, saves, whole_files
from rl_tuner.version import __version__

SETTINGS_NAME = "settings.json"
EVALUATION_NAME = "evaluation.json"
METRICS_NAME = "metrics.json"  # written last: the run is finished
Q_NETWORK_NAME = "q_network"
REWARD_RNN_NAME = "reward_rnn"
SAVES_NAME = "saves"
CURVES_NAME = "curves.csv"


@dataclasses.dataclass(frozen=True)
class RunSettings:
    """What makes a run.

    Attributes:
      task: as in `--task`.
      task_settings: what the world makes the task of.
      prior: where the prior was loaded from.
      training_steps: environment steps.
      config: the fields of `RLTunerConfig`.
      outputs: what is measured and written, by the names of the flags.
      prior_sha256: the `fingerprint` of the prior; empty if it was not taken.
      contents: the fingerprints of what else a run depends on, by what it is: see
        `dependencies`.
    """

    task: str
    task_settings: dict[str, Any]
    prior: str
    training_steps: int
    config: dict[str, Any]
    outputs: dict[str, Any] = dataclasses.field(default_factory=dict)
    prior_sha256: str = ""
    contents: dict[str, str] = dataclasses.field(default_factory=dict)


_EXAMPLE = RunSettings("", {}, "", 0, {})


def new_folder(parent: str, label: str) -> pathlib.Path:
    """Makes a folder that no other run has, not even one that begins at this moment."""
    for number in itertools.count(1):
        name = re.sub(r"[ :]", "_", f"{label} {number:03}")
        path = pathlib.Path(parent) / name
        with contextlib.suppress(FileExistsError):
            path.mkdir(parents=True)
            return path
    raise AssertionError("unreachable")


def holds_run(directory: str | os.PathLike) -> bool:
    """Whether a run was begun in `directory`."""
    return (pathlib.Path(directory) / SETTINGS_NAME).is_file()


def holds_saves(directory: str | os.PathLike) -> bool:
    """Whether `directory` holds saves of a run."""
    return saves.latest(pathlib.Path(directory) / SAVES_NAME) is not None


def holds_progress(directory: str | os.PathLike) -> bool:
    """Whether `directory` holds saves or results of a run."""
    directory = pathlib.Path(directory)
    return holds_saves(directory) or any(
        (directory / name).exists() for name in (METRICS_NAME, Q_NETWORK_NAME)
    )


def write_settings(directory: str | os.PathLike, settings: RunSettings) -> None:
    """Writes the settings and the versions that they were run with."""
    record = {"version": __version__, **dataclasses.asdict(settings)}
    checked_json.write(pathlib.Path(directory) / SETTINGS_NAME, record)


def read_settings(directory: str | os.PathLike) -> RunSettings:
    """Reads what `write_settings` wrote, in this version or an earlier one.

    Fields of `RLTunerConfig` that the run did not know yet have their defaults.

    Raises:
      UserError: there is no run, or its settings are damaged.
    """
    path = pathlib.Path(directory) / SETTINGS_NAME
    try:
        record = checked_json.read(path, is_checksum_needed=False)
        record.pop("version", None)
        settings = RunSettings(**record)
        for field in dataclasses.fields(RunSettings):
            value = getattr(settings, field.name)
            if type(value) is not type(getattr(_EXAMPLE, field.name)):
                raise ValueError(f"{field.name} is {value!r}")
        fields = {field.name for field in dataclasses.fields(RLTunerConfig)}
        unknown = sorted(settings.config.keys() - fields)
        if unknown:
            raise ValueError(f"unknown {unknown[0]!r}, or it is of a later version")
        config = dataclasses.asdict(RLTunerConfig(**settings.config))
        return dataclasses.replace(settings, config=config)
    except OSError as error:
        if holds_progress(directory):
            raise UserError(
                f"cannot read {path}: {error.strerror}, though there is a run; restore "
                "it from a copy, or train again (--restart)"
            ) from error
        raise UserError(
            f"no run in {directory}: cannot read {path}: {error.strerror}; name what "
            "rl_tuner_train --output_dir wrote"
        ) from error
    except (ValueError, TypeError, UserError) as error:
        raise UserError(
            f"{path} is damaged: {error}; restore it from a copy, or train again "
            "(--restart)"
        ) from error


def write_evaluation(directory: pathlib.Path, evaluation: Evaluation) -> None:
    """Writes what was measured of a model; what is not known as null."""
    record = whole_files.without_nan(dataclasses.asdict(evaluation))
    checked_json.write(directory / EVALUATION_NAME, record)


def read_evaluation(directory: pathlib.Path) -> Evaluation | None:
    """Reads what `write_evaluation` wrote; None if nothing was measured.

    Raises:
      UserError: it is damaged.
    """
    path = directory / EVALUATION_NAME
    if not path.is_file():
        return None
    try:
        record = checked_json.read(path, is_checksum_needed=False)
        for name in ("metrics", "standard_errors"):
            known = record[name].items()
            record[name] = {k: math.nan if v is None else v for k, v in known}
        return Evaluation(**record)
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise UserError(
            f"{path} is damaged: {error}; delete it to measure again"
        ) from error


def needed_evaluation(directory: pathlib.Path) -> Evaluation:
    """What `read_evaluation` reads where something was measured.

    Raises:
      UserError: nothing was, or it is damaged.
    """
    evaluation = read_evaluation(directory)
    if evaluation is None:
        raise UserError(
            f"{directory / EVALUATION_NAME} is missing; give the same command again to "
            "measure"
        )
    return evaluation


def final_scaler(directory: str | os.PathLike, settings: RunSettings) -> float:
    """1/c at the end of a run, which a target KL has moved.

    Raises:
      UserError: the run's curves, which know it, are missing or damaged.
    """
    if settings.config["target_kl"] is None:
        return float(settings.config["reward_scaler"])
    path = pathlib.Path(directory) / CURVES_NAME
    try:
        with open(path, newline="", encoding="utf-8") as file:
            *_, last = csv.DictReader(file)
        return float(last["reward_scaler"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path} does not say to which 1/c the target KL has come: {error}; "
            "restore it from a copy, or train again (--restart)"
        ) from error


def watch(directory: pathlib.Path) -> Callable[[], None]:
    """What proves that the folder of a run is still where it is now.

    Else a run whose folder was moved would go on in a new one that lacks its settings.

    Returns:
      a function that raises a `UserError` once it is not.
    """
    path = directory / SETTINGS_NAME
    was_there = path.exists()

    def check() -> None:
        if was_there and not path.exists():
            raise UserError(
                f"{directory} was moved or deleted while it was written; name the "
                "place that it has now as --output_dir: the same command resumes there"
            )

    return check


def save_networks(directory: str | os.PathLike, tuner: Any) -> None:
    """Writes the Q network and the Reward RNN of an `RLTuner`."""
    tuner.q_network.save(pathlib.Path(directory) / Q_NETWORK_NAME)
    tuner.reward_rnn.save(pathlib.Path(directory) / REWARD_RNN_NAME)


def load_policy(directory: str | os.PathLike, settings: RunSettings) -> Any:
    """The tuned `Policy` of a run.

    Raises:
      UserError: a network is missing or damaged.
    """
    from rl_tuner.algorithms import get_algorithm
    from rl_tuner.generation.policy import Policy
    from rl_tuner.networks.network import Network

    return Policy(
        Network.load(pathlib.Path(directory) / Q_NETWORK_NAME),
        Network.load(pathlib.Path(directory) / REWARD_RNN_NAME),
        get_algorithm(settings.config["algorithm"]),
    )
