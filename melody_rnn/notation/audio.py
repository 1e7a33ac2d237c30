"""Melodies as sound."""

import io
import os
import pathlib
import wave
from collections.abc import Iterable

import numpy as np

from melody_rnn.encoding import OUR_NOTES, NoteRange
from melody_rnn.notation.midi import classes_to_note_sequence
from rl_tuner.system import whole_files

# Enough for the highest note and its overtones, in half the bytes of speech.
SAMPLE_RATE = 8_000


def write_wav(
    classes: Iterable[int],
    path: str | os.PathLike,
    sample_rate: int = SAMPLE_RATE,
    notes: NoteRange = OUR_NOTES,
) -> None:
    """Writes a melody as sine tones to a WAV file, 16 bits, one channel.

    Args:
      classes: T ints, 0..37 for our notes.
      path: where to.
      sample_rate: samples a second.
      notes: that the classes stand for.
    """
    from note_seq import midi_synth

    sequence = classes_to_note_sequence(classes, notes=notes)
    # Of no notes at all, the synthesizer divides nothing by nothing.
    samples = np.zeros(1)
    if sequence.notes:
        samples = midi_synth.synthesize(sequence, sample_rate)
    loudest = np.max(np.abs(samples), initial=1e-9)
    quantized = np.round(samples / loudest * 0.8 * 32767).astype("<i2")
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(quantized.tobytes())
    whole_files.write_atomically(pathlib.Path(path), data.getvalue())
