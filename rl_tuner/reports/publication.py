"""Publication: what is known of the paper that `rl_tuner_reproduce` repeats."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rl_tuner.metrics import Evaluation


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


class Publication:
    """That of a world of which nothing was published.

    A world whose experiment was published returns a subclass from
    `World.publication`. Models go by the names of `reports.models`.

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

    def draw_more(
        self,
        evaluations: Mapping[str, Sequence[Evaluation]],
        directory: pathlib.Path,
        suffix: str,
    ) -> list[Picture]:
        """Draws what only this publication has, if anything.

        Args:
          evaluations: what was measured of each model's runs, by what it is called; of
            the training data too, where these are known.
          directory: where to.
          suffix: of the names of the files, before their ending.
        """
        del evaluations, directory, suffix
        return []
