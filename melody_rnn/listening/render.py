"""A melody as notes, as MIDI and as sound; each is made once and kept."""

from __future__ import annotations

import dataclasses
import io
import wave
from collections.abc import Sequence
from typing import Any

import numpy as np

from melody_rnn import encoding
from melody_rnn.notation.midi import classes_to_note_sequence
from rl_tuner.errors import UserError

SAMPLE_RATE = 22_050
# Plays on after the last sixteenth, so that no note is cut.
TAIL_SECONDS = 0.75
SECONDS_PER_STEP = 60.0 / encoding.QUARTERS_PER_MINUTE / encoding.STEPS_PER_QUARTER

FLUIDSYNTH, SYNTHESIS = "FluidSynth", "synthesis"
SOUNDS = (FLUIDSYNTH, SYNTHESIS)


@dataclasses.dataclass(frozen=True)
class Rendering:
    """What a melody looks and sounds like.

    Attributes:
      notes: (start, end, pitch) of each; times in sixteenths, MIDI pitches.
      midi: a MIDI file.
      audio: a WAV file, mono. Melodies of as many steps are as long, however they end.
    """

    notes: list[tuple[int, int, int]]
    midi: bytes
    audio: bytes


def available_sound() -> str:
    """FluidSynth where it and its Python package are installed, else synthesis."""
    try:
        import fluidsynth  # noqa: F401
    except (ImportError, OSError):
        return SYNTHESIS
    return FLUIDSYNTH


def render(classes: Sequence[int], sound: str) -> Rendering:
    """Renders a melody at 80 quarters a minute.

    Args:
      classes: T ints in 0..37.
      sound: one of `SOUNDS`.

    Raises:
      UserError: the sound needs what is not installed.
    """
    import note_seq  # a second to import: only for those who need it

    sequence = classes_to_note_sequence(classes)
    notes = [
        (
            round(note.start_time / SECONDS_PER_STEP),
            round(note.end_time / SECONDS_PER_STEP),
            note.pitch,
        )
        for note in sequence.notes
    ]
    midi = io.BytesIO()
    note_seq.note_sequence_to_pretty_midi(sequence).write(midi)
    duration = len(classes) * SECONDS_PER_STEP + TAIL_SECONDS
    samples = np.zeros(int(duration * SAMPLE_RATE))
    if notes:
        played = _play(sequence, sound)[: len(samples)]
        samples[: len(played)] = played
    return Rendering(notes, midi.getvalue(), _wav(samples))


def _play(sequence: Any, sound: str) -> np.ndarray:
    """Samples in -1..1 from the start of the melody."""
    import note_seq

    if sound != FLUIDSYNTH:
        return note_seq.synthesize(sequence, SAMPLE_RATE, _reed)
    if available_sound() != FLUIDSYNTH:
        raise UserError(
            "this study is played by FluidSynth, which is not installed here; install "
            "FluidSynth and pyfluidsynth, or begin another --study"
        )
    return note_seq.fluidsynth(sequence, SAMPLE_RATE)


def _reed(phases: np.ndarray) -> np.ndarray:
    """A softer timbre than a bare sine: four harmonics, each half the last."""
    return sum(np.sin(n * phases) / 2 ** (n - 1) for n in range(1, 5))


def _wav(samples: np.ndarray) -> bytes:
    """A mono WAV file of 16 bits, a little below full scale."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(SAMPLE_RATE)
        writer.writeframes(np.round(samples * 0.8 * 32767).astype("<i2").tobytes())
    return file.getvalue()
