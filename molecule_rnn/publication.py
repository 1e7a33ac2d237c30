"""What Jaques et al. 2017, section 6, published, for rl_tuner_reproduce."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping, Sequence

from molecule_rnn.table2 import PAPER_TABLE2
from rl_tuner.metrics import Evaluation
from rl_tuner.reports.publication import Picture, Publication


class MoleculePublication(Publication):
    """The columns of Table 2, and how the properties of molecules are distributed."""

    prior_label = "SMILES RNN"
    published = {  # noqa: RUF012
        "untuned": PAPER_TABLE2["SMILES RNN"],
        "psi": PAPER_TABLE2["Psi"],
    }
    table_title = "Table 2"
    curves_title = "Curves"
    next_token_title = "Next tokens"

    def draw_more(
        self,
        evaluations: Mapping[str, Sequence[Evaluation]],
        directory: pathlib.Path,
        suffix: str,
    ) -> list[Picture]:
        """Histograms of logP, QED, SA score and length."""
        from molecule_rnn.property_figure import plot_properties

        path = directory / f"properties{suffix}.png"
        stats = {
            label: [run.counts for run in runs] for label, runs in evaluations.items()
        }
        plot_properties(stats, path)
        described = "how logP, QED, SA score and length of valid molecules are spread"
        return [Picture("Properties of valid molecules", path, described)]
