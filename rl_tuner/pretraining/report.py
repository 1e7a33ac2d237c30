"""What became of a pre-training run: scores beside those of n-gram models."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from typing import Any

from rl_tuner.pretraining.ngrams import Score
from rl_tuner.system.whole_files import write_json

REPORT_FILE = "evaluation.json"


def make_report(
    scores: Mapping[str, Score], training_steps: int, unit: str, **more: Any
) -> dict[str, Any]:
    """The content of `evaluation.json`.

    Args:
      scores: by the name of the model; all on the same predictions.
      training_steps: how many were done.
      unit: of the scores, and what they were taken on.
      **more: JSON-serializable: further figures.
    """
    return {
        "split": "eval",
        "unit": unit,
        "scores": {name: score.as_dict() for name, score in scores.items()},
        "training_steps": training_steps,
        **more,
    }


def write(directory: pathlib.Path, report: Mapping[str, Any]) -> None:
    """Writes a report beside the model that it is of."""
    write_json(directory / REPORT_FILE, report)


def report_text(report: Mapping[str, Any], title: str) -> str:
    """The scores as a small table."""
    lines = [f"{title:20}accuracy  log perplexity  perplexity"]
    for name, score in report["scores"].items():
        lines.append(
            f"{name:20}{score['accuracy']:8.1%}  {score['log_perplexity']:14.4f}  "
            f"{score['perplexity']:10.3f}"
        )
    return "\n".join(lines)
