"""FinishedGrid: a grid whose runs are all trained and measured."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rl_tuner.reports import models
from rl_tuner.reports.publication import Publication
from rl_tuner.runs import grid

if TYPE_CHECKING:
    from rl_tuner.networks.network import Network
    from rl_tuner.task import Task


@dataclasses.dataclass(frozen=True)
class FinishedGrid:
    """What is kept of a grid, and what it was made of.

    Attributes:
      directory: where it is kept.
      task: the task.
      task_settings: what the world made it of.
      publication: what was published of the world.
      prior: the untuned model.
      runs: of the grid.
      log: every setting, seed and version.
    """

    directory: pathlib.Path
    task: Task
    task_settings: dict[str, Any]
    publication: Publication
    prior: Network
    runs: Sequence[grid.GridRun]
    log: dict[str, Any]

    @property
    def untuned_directory(self) -> pathlib.Path:
        """Where the untuned model's evaluation and samples are."""
        return self.directory / models.UNTUNED

    def label(self, model: str) -> str:
        """What a model is called."""
        return models.label(model, self.publication.prior_label)
