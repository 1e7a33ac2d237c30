"""What a world knows of the published experiment that `rl_tuner_reproduce` repeats."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np


class Judgement(NamedTuple):
    """What generated sequences come to under a task.

    Attributes:
      metrics: by name.
      standard_errors: of those that have one, in the same units.
      counts: JSON-serializable; what the metrics were computed from.
    """

    metrics: dict[str, float]
    standard_errors: dict[str, float]
    counts: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """What was measured of one model.

    Attributes:
      num_sequences: that it was measured on.
      seed: that they were sampled with.
      metrics: as `evaluation.evaluate_policy` returns them.
      standard_errors: of those that have one, taking sequences as independent.
      counts: what the task's metrics were computed from.
    """

    num_sequences: int
    seed: int
    metrics: dict[str, float]
    standard_errors: dict[str, float]
    counts: dict[str, Any]


class Experiment:
    """The experiment of a task of which nothing was published.

    A world whose experiment was published offers `experiment()`, which returns a
    subclass. Models go by the names in `grid.MODEL_LABELS`.

    Attributes:
      prior_label: what the untuned model is called.
      published: the published figures, by model and name of the metric.
    """

    prior_label: str = "untuned"
    published: Mapping[str, Mapping[str, float]] = {}

    def judge(self, task: Any, sequences: np.ndarray) -> Judgement:
        """Judges sequences [N, T] of a `Task`."""
        return Judgement(task.metrics(sequences), {}, {})

    def remarks(self, task_settings: Mapping[str, Any]) -> list[str]:
        """Sentences that a reader of the table must know."""
        del task_settings
        return []

    def token_labels(self, num_classes: int) -> list[str]:
        """What the tokens are called in figures."""
        return [str(token) for token in range(num_classes)]

    def write_audio(self, sequences: np.ndarray, directory: pathlib.Path) -> None:
        """Writes a few of the sequences [N, T] as WAV files, if they can be heard."""
