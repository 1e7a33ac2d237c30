"""Pictures of melodies."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence

import numpy as np

from melody_rnn.encoding import OUR_NOTES, NoteRange
from melody_rnn.notation.midi import classes_to_note_sequence
from rl_tuner.reports import drawing

_STEPS_PER_BAR = 16
_STEPS_WITH_QUARTERS = 512
_NAMES = ("C", "", "D", "", "E", "F", "", "G", "", "A", "", "B")


def plot_piano_rolls(
    melodies: Sequence[Iterable[int]] | np.ndarray,
    title: str,
    path: str | os.PathLike,
    notes: NoteRange = OUR_NOTES,
) -> None:
    """Draws melodies one below another, time in sixteenths against pitch.

    Args:
      melodies: each T ints, 0..37 for our notes.
      title: of the figure.
      path: of the PNG file to write.
      notes: that the classes stand for.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.collections import PolyCollection
    from matplotlib.figure import Figure

    height = 1.7 * len(melodies) + 0.6
    figure = Figure(figsize=(9, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(melodies), 1, squeeze=False, sharex=True)[:, 0]
    longest = max((len(list(melody)) for melody in melodies), default=1)
    # Between lines: more than these would be one grey, and take minutes to draw.
    apart = 4 * math.ceil(max(longest, 1) / _STEPS_WITH_QUARTERS)
    # One quarter a second: an end time is then in quarters.
    notes_of = [
        classes_to_note_sequence(melody, qpm=60.0, notes=notes).notes
        for melody in melodies
    ]
    pitches = [note.pitch for played in notes_of for note in played]
    low = max(notes.min_note, min(pitches, default=60) - 2)
    high = min(notes.max_note, max(pitches, default=72) + 2)
    for axis, played in zip(axes, notes_of, strict=True):
        bars = [
            (4 * note.start_time, 4 * note.end_time, note.pitch - 0.45)
            for note in played
        ]
        # One for all: each that is added makes the axes look through the others.
        axis.add_collection(
            PolyCollection(
                [
                    [(a, bottom), (a, bottom + 0.9), (b, bottom + 0.9), (b, bottom)]
                    for a, b, bottom in bars
                ],
                facecolors="#2a6f97",
                edgecolors="white",
                linewidth=0.8,
            ),
            autolim=False,
        )
        for step in range(0, longest + 1, apart):
            is_bar = step % _STEPS_PER_BAR == 0
            axis.axvline(step, color="#999", linewidth=1.0 if is_bar else 0.3, zorder=0)
        axis.set_ylim(low - 0.5, high + 0.5)
        axis.set_xlim(0, longest)
        ticks = [p for p in range(low, high + 1) if p % 12 in (0, 7)]
        names = [f"{_NAMES[p % 12]}{p // 12 - 1}" for p in ticks]
        axis.set_yticks(ticks, names, fontsize=8)
        axis.set_xticks(range(0, longest + 1, apart))
        axis.tick_params(labelsize=8)
    axes[-1].set_xlabel("sixteenths", fontsize=9)
    figure.suptitle(drawing.literal(title), fontsize=11)
    drawing.write(figure, path, dpi=120)
