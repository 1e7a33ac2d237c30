"""What a world knows of the published experiment that `rl_tuner_reproduce` repeats."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from rl_tuner.task import Task


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


class Picture(NamedTuple):
    """A figure that was written.

    Attributes:
      title: its heading.
      path: of the PNG file.
      description: for those who cannot see it.
    """

    title: str
    path: pathlib.Path
    description: str


class Experiment:
    """The experiment of a task of which nothing was published.

    A world whose experiment was published offers `experiment()`, which returns a
    subclass. Models go by the names of `reports.models`.

    Attributes:
      prior_label: what the untuned model is called.
      published: the published figures, by model and name of the metric.
      table_title: what the table of models is called, and its files.
      curves_title: what the figure of measures along training is called.
      next_token_title: what the figure of probabilities along a sequence is called.
    """

    prior_label: str = "untuned"
    published: Mapping[str, Mapping[str, float]] = {}
    table_title: str = "Table 1"
    curves_title: str = "Figure 2"
    next_token_title: str = "Figure 4"

    def judge(
        self,
        task: Task,
        sequences: np.ndarray,
        corpus: Sequence[Sequence[int]] | None = None,
    ) -> Judgement:
        """Judges sequences [N, T] of a `Task`.

        With the corpus that the prior was trained on they may be compared with it.
        """
        del corpus
        return Judgement(task.metrics(sequences), {}, {})

    def remarks(self, task: Task) -> list[str]:
        """Sentences that a reader of the table must know."""
        del task
        return []

    def token_labels(self, task: Task) -> list[str]:
        """What the tokens of a task are called in figures."""
        return [str(token) for token in range(task.num_classes)]

    def write_audio(self, sequences: np.ndarray, directory: pathlib.Path) -> None:
        """Writes a few of the sequences [N, T] as WAV files, if they can be heard."""

    def draw_more(
        self,
        evaluations: Mapping[str, Sequence[Evaluation]],
        directory: pathlib.Path,
        suffix: str,
    ) -> list[Picture]:
        """Draws what only this experiment has, if anything.

        Args:
          evaluations: what was measured of each model's runs, by what it is called; of
            the training data too, where these are known.
          directory: where to.
          suffix: of the names of the files, before their ending.
        """
        del evaluations, directory, suffix
        return []
