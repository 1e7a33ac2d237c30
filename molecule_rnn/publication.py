"""The experiment of Jaques et al. 2017, section 6, for rl_tuner_reproduce."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from molecule_rnn.smiles_rnn.config import RANDOM_TOKEN, START_TOKEN
from molecule_rnn.table2 import (
    PAPER_TABLE2,
    table2_metrics,
    table2_standard_errors,
)
from rl_tuner.reports.publication import Evaluation, Experiment, Judgement, Picture

if TYPE_CHECKING:
    from molecule_rnn.task import MoleculeTask

_PROTOCOLS = {
    RANDOM_TOKEN: "Few of the untuned model's strings are valid, here as in the paper, "
    "because the random token that it reads first is not part of the molecule.",
    START_TOKEN: "These models begin molecules with a start token, which the paper's "
    "did not: it read a random token that is not part of the molecule, and the share "
    "of valid molecules is low in its column because of that.",
}


class MoleculeExperiment(Experiment):
    """Table 2 and its errors, and how the properties of molecules are distributed."""

    prior_label = "SMILES RNN"
    published = {  # noqa: RUF012
        "untuned": PAPER_TABLE2["SMILES RNN"],
        "psi": PAPER_TABLE2["Psi"],
    }
    table_title = "Table 2"
    curves_title = "Curves"
    next_token_title = "Next tokens"

    def judge(
        self,
        task: MoleculeTask,
        sequences: np.ndarray,
        corpus: Sequence[Sequence[int]] | None = None,
    ) -> Judgement:
        """Table 2 of sequences [N, T], its errors, and the counts behind it."""
        from molecule_rnn.scoring import molecule_statistics

        smiles = task.vocabulary.decode(sequences)
        known = [task.vocabulary.decode([row])[0] for row in corpus or ()]
        workers = molecule_statistics.profile_workers(len(smiles) + len(known))
        try:
            training_set = None
            if corpus is not None:
                training_set = molecule_statistics.canonical_smiles(known, workers)
            stats = molecule_statistics.molecule_stats(smiles, workers, training_set)
        finally:
            workers.close()
        return Judgement(table2_metrics(stats), table2_standard_errors(stats), stats)

    def remarks(self, task: MoleculeTask) -> list[str]:
        """What is odd about the paper's table, and not like it in ours."""
        return [
            "Means are over valid molecules; the SA penalty is minus the SA score.",
            "The header of the paper's table says Q, but its text says that Psi is "
            "what it reports; its figures stand beside Psi here.",
            _PROTOCOLS[task.protocol],
        ]

    def token_labels(self, task: MoleculeTask) -> list[str]:
        """The end, and the texts of the tokens."""
        return ["end", *task.vocabulary.tokens]

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
