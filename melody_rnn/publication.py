"""The experiment of Jaques et al. 2016, for rl_tuner_reproduce."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from melody_rnn.encoding import FIRST_NOTE, class_to_pitch
from melody_rnn.table1 import PAPER_TABLE1, table1_metrics, table1_standard_errors
from rl_tuner.reports.publication import Experiment, Judgement

# Melodies of each model that can be heard.
NUM_AUDIBLE = 3
_PITCHES = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"]
_READINGS = {
    "paper": "the papers' (class 0 a rest, class 1 a hold)",
    "corrected": "corrected (class 0 no event, class 1 note off); the paper's columns, "
    "which are printed for comparison, were counted under the other",
}


class MelodyExperiment(Experiment):
    """Table 1 and its errors, the names of classes, and melodies to listen to."""

    prior_label = "Note RNN"
    published = {  # noqa: RUF012
        "untuned": PAPER_TABLE1["Note RNN"],
        "q": PAPER_TABLE1["Q"],
        "psi": PAPER_TABLE1["Psi"],
        "g": PAPER_TABLE1["G"],
        "g_reference": PAPER_TABLE1["G"],
    }

    def judge(
        self,
        task: Any,
        sequences: np.ndarray,
        corpus: Sequence[Sequence[int]] | None = None,
    ) -> Judgement:
        """Table 1 of melodies [N, T], with standard errors and the counts behind it."""
        del corpus
        from melody_rnn.music_theory.statistics import composition_stats

        settings = task.settings
        stats = composition_stats(sequences, rules=settings.rules, key=settings.key)
        return Judgement(table1_metrics(stats), table1_standard_errors(stats), stats)

    def remarks(self, task: Any) -> list[str]:
        """How the rules were read, and what is wrong in the paper's table."""
        reading = _READINGS[task.settings.rules]
        return [
            f"The rules' reading of classes 0 and 1 is {reading}.",
            "In its Note RNN column the paper has two entries swapped, notes not in "
            "key and melodies starting with the tonic: its own checkpoint plays about "
            ".9% out of key. They stand here as they are printed there.",
        ]

    def token_labels(self, task: Any) -> list[str]:
        """The two special events, and pitches such as C4."""
        classes = range(FIRST_NOTE, task.num_classes)
        pitches = [class_to_pitch(token) for token in classes]
        notes = [f"{_PITCHES[pitch % 12]}{pitch // 12 - 1}" for pitch in pitches]
        return ["no event", "note off", *notes]

    def write_audio(self, sequences: np.ndarray, directory: pathlib.Path) -> None:
        """Writes the first melodies as WAV files beside their MIDI files."""
        from melody_rnn.notation.audio import write_wav

        for index, melody in enumerate(sequences[:NUM_AUDIBLE]):
            write_wav(melody, directory / f"melody_{index + 1:02}.wav")
