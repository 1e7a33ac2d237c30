"""Opens MIDI files, which may be damaged, or claim to last for years."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import mido

_MAX_TICKS = 10_000_000  # pretty_midi holds an array of all of them


class MidiError(Exception):
    """A MIDI file cannot be read; the message says why."""


def open_midi(data: bytes) -> mido.MidiFile:
    """Reads the messages of a MIDI file.

    Raises:
      MidiError: it is no MIDI file, damaged, or too long.
    """
    import mido

    if not b"MThd".startswith(data[:4]):
        raise MidiError("not a MIDI file")
    try:
        file = mido.MidiFile(file=io.BytesIO(data))
    except Exception as error:  # damage shows as any exception in these libraries
        raise _damaged(error) from error
    for track in file.tracks:
        if sum(message.time for message in track) > _MAX_TICKS:
            raise MidiError(f"lasts over {_MAX_TICKS} ticks")
    return file


def to_note_sequence(file: mido.MidiFile) -> Any:
    """The `note_seq.NoteSequence` of what `open_midi` read.

    Raises:
      MidiError: it is damaged.
    """
    import pretty_midi
    from note_seq import midi_io

    try:
        with warnings.catch_warnings():  # of tempo and meter changes in odd places
            warnings.simplefilter("ignore")
            parsed = pretty_midi.PrettyMIDI(mido_object=file)
        return midi_io.midi_to_note_sequence(parsed)
    except Exception as error:
        raise _damaged(error) from error


def _damaged(error: Exception) -> MidiError:
    what = " ".join(str(error).split()) or "ends early"
    return MidiError(f"damaged MIDI: {type(error).__name__}: {what}")
