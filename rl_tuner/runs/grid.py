"""A grid of tuning runs: algorithms, values of c and seeds, each run in a folder."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import itertools
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rl_tuner.config import RLTunerConfig
from rl_tuner.errors import UserError
from rl_tuner.reports.models import REFERENCE_ALGORITHM, REFERENCE_G, in_order, label
from rl_tuner.runs import run_directory
from rl_tuner.runs.run_directory import CURVES_NAME, RunSettings
from rl_tuner.system import checked_json

TRAINED_NAME = "training.json"
# Steps of training that take as long as a sequence of the evaluation, about.
STEPS_PER_EVALUATED = 3


@dataclasses.dataclass(frozen=True)
class GridRun:
    """A run of the grid.

    Attributes:
      directory: where it is kept.
      model: an algorithm's name, or `REFERENCE_G`.
      c: weighs the prior against the task's reward.
      settings: what it is made of.
      prior: a copy of the model that is tuned, as `SequenceRNN.save` writes it.
      curve_every: environment steps between points of the curves.
      num_samples: sequences that are written.
      num_evaluated: sequences that it is measured on.
      save_every: seconds between saves that it resumes from when it was cut.
    """

    directory: pathlib.Path
    model: str
    c: float
    settings: RunSettings
    prior: pathlib.Path
    curve_every: int
    num_samples: int
    num_evaluated: int
    save_every: float

    @property
    def seed(self) -> int:
        """Of its randomness."""
        return self.settings.config["seed"]

    @property
    def name(self) -> str:
        """That of its folder."""
        return self.directory.name

    @property
    def title(self) -> str:
        """That of its figures."""
        return f"{label(self.model)}, c={self.c:g}, seed {self.seed}"

    @property
    def is_trained(self) -> bool:
        """Whether its networks and curves are there."""
        return (self.directory / TRAINED_NAME).is_file()

    @property
    def is_complete(self) -> bool:
        """Whether it is trained, and measured on as many sequences as are wanted."""
        if not self.is_trained:
            return False
        evaluation = run_directory.read_evaluation(self.directory)
        return evaluation is not None and (
            evaluation.num_sequences == self.num_evaluated
        )

    @property
    def work(self) -> int:
        """What is left to do, in steps of training."""
        if self.is_complete:
            return 0
        evaluating = STEPS_PER_EVALUATED * self.num_evaluated
        return evaluating + (0 if self.is_trained else self.settings.training_steps)

    def record(self) -> dict[str, Any]:
        """For the log: what it is, and how long its training took since a cut."""
        record = {
            "name": self.name,
            "model": self.model,
            "c": self.c,
            "config": self.settings.config,
        }
        if self.is_trained:
            record["training_seconds"] = _read_trained(self)["seconds"]
        return record


def grid_configs(
    algorithms: Sequence[str],
    constants: Sequence[float],
    seeds: Sequence[int],
    base: Callable[[str], Mapping[str, Any]],
    reference_g_update: bool = False,
) -> dict[tuple[str, float, int], RLTunerConfig]:
    """The config of each run by (model, c, seed), seeds first to come.

    Args:
      algorithms: their names, as `algorithms.get_algorithm` takes them.
      constants: values of c.
      seeds: of the runs.
      base: the other fields of `RLTunerConfig`, of an algorithm.
      reference_g_update: adds a model, `g_reference`: G as the reference updated it.

    Raises:
      UserError: an algorithm is unknown or a value makes no sense.
    """
    models = in_order([*algorithms, *([REFERENCE_G] if reference_g_update else [])])
    algorithms_of = {model: model for model in models} | {
        REFERENCE_G: REFERENCE_ALGORITHM
    }
    return {
        (model, c, seed): RLTunerConfig(
            **{
                **base(algorithms_of[model]),
                "algorithm": algorithms_of[model],
                "reference_g_update": model == REFERENCE_G,
                "reward_scaler": 1.0 / c,
                "seed": seed,
            }
        )
        for seed, c, model in itertools.product(seeds, constants, models)
    }


def run_name(model: str, c: float, seed: int) -> str:
    """The name of a run's folder."""
    return f"{model.replace(':', '_')}_c{c:g}_seed{seed}"


def mark_as_trained(run: GridRun, seconds: float) -> None:
    """Writes that a run is trained, and the checksum of its curves.

    Args:
      run: whose networks and curves are there.
      seconds: that the training took since it was last cut.
    """
    record = {
        "steps": run.settings.training_steps,
        "seconds": seconds,
        "curves_sha256": _sha256(run.directory / CURVES_NAME),
    }
    checked_json.write(run.directory / TRAINED_NAME, record)


def read_curves(run: GridRun) -> list[dict[str, float]]:
    """The points of a run's curves, as `training_run` measured them.

    Raises:
      UserError: they are damaged.
    """
    path = run.directory / CURVES_NAME
    try:
        checksum = _read_trained(run).get("curves_sha256")
        if checksum not in (None, _sha256(path)):
            raise ValueError("it has another checksum")
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return [{name: float(text) for name, text in row.items()} for row in rows]
    except (OSError, ValueError, TypeError) as error:
        raise UserError(
            f"{path} is damaged: {error}; delete {run.directory} to train it again"
        ) from error


def _read_trained(run: GridRun) -> dict[str, Any]:
    path = run.directory / TRAINED_NAME
    try:
        return checked_json.read(path, is_checksum_needed=False)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path} is damaged: {error}; delete {run.directory} to train it again"
        ) from error


def _sha256(path: pathlib.Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
