"""What is measured of sequences, and how a measure is shown; imports no TensorFlow."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple


class MetricRow(NamedTuple):
    """How a metric is shown.

    Attributes:
      name: as in a dictionary of metrics.
      label: as users read it.
      unit: printed behind the number, e.g. "%".
      better: "lower", "near zero" or "higher"; empty where neither is.
    """

    name: str
    label: str
    unit: str = ""
    better: str = ""


class Judgement(NamedTuple):
    """Measures of generated sequences under a task.

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
      metrics: as `generation.evaluation.evaluate_policy` says.
      standard_errors: of those that have one, taking sequences as independent.
      counts: what the task's metrics were computed from.
    """

    num_sequences: int
    seed: int
    metrics: dict[str, float]
    standard_errors: dict[str, float]
    counts: dict[str, Any]
