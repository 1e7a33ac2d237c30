"""Melodies from MIDI files and typed primers, and MIDI files from melodies."""

import ast
import io
import itertools
import os
import pathlib
import warnings
from collections.abc import Iterable
from typing import Any

from melody_rnn import encoding
from melody_rnn.notation import midi_files
from rl_tuner.errors import UserError
from rl_tuner.system import whole_files
from rl_tuner.system.whole_files import read_whole

_DEFAULT_VELOCITY = 100
_MAX_PRIMER_STEPS = 4096
# MIDI writes a tempo as the microseconds of a quarter, in 24 bits.
_MIN_QPM, _MAX_QPM = 60e6 / (2**24 - 1), 60e6


def classes_to_note_sequence(
    classes: Iterable[int],
    velocity: int = _DEFAULT_VELOCITY,
    qpm: float = encoding.QUARTERS_PER_MINUTE,
    notes: encoding.NoteRange = encoding.OUR_NOTES,
) -> Any:
    """Turns a melody into notes, one class a sixteenth.

    A note sounds until the next note, a note off or the end of the melody.

    Args:
      classes: T ints, 0..37 for our notes.
      velocity: MIDI velocity of every note, 1 to 127.
      qpm: quarter notes a minute.
      notes: that the classes stand for.

    Returns:
      A `note_seq.NoteSequence`.

    Raises:
      UserError: the velocity or tempo is out of range.
      ValueError: an entry is not a class.
    """
    import note_seq  # a second to import: only for those who need it

    if not 1 <= velocity <= 127:
        raise UserError(f"velocity {velocity} is not in 1..127")
    check_tempo(qpm, "tempo ")
    melody = note_seq.Melody(
        encoding.classes_to_melody_events(classes, notes),
        steps_per_quarter=encoding.STEPS_PER_QUARTER,
    )
    return melody.to_sequence(velocity=velocity, qpm=qpm)


def check_tempo(qpm: float, name: str) -> None:
    """Proves that MIDI can hold a tempo; a `UserError` begins with its name."""
    if not _MIN_QPM <= qpm <= _MAX_QPM:
        raise UserError(
            f"{name}{qpm:g} is no number of quarters a minute that MIDI can hold; "
            f"give one from {_MIN_QPM:.3f} to {_MAX_QPM:.0f}, such as 80"
        )


def write_midi(
    classes: Iterable[int],
    path: str | os.PathLike,
    velocity: int = _DEFAULT_VELOCITY,
    qpm: float = encoding.QUARTERS_PER_MINUTE,
    notes: encoding.NoteRange = encoding.OUR_NOTES,
) -> None:
    """Writes a melody to a MIDI file; arguments as `classes_to_note_sequence`.

    Raises:
      UserError: the file cannot be written.
    """
    import note_seq

    sequence = classes_to_note_sequence(classes, velocity, qpm, notes)
    data = io.BytesIO()
    note_seq.note_sequence_to_pretty_midi(sequence).write(data)
    try:
        whole_files.write_atomically(pathlib.Path(path), data.getvalue())
    except OSError as error:
        raise UserError(f"cannot write MIDI file {path}: {error.strerror}") from error


def read_primer_midi(
    path: str | os.PathLike, notes: encoding.NoteRange = encoding.OUR_NOTES
) -> list[int]:
    """Reads the melody of a monophonic MIDI file, quantized to sixteenths.

    The melody starts with the bar of its first note and ends with its last note.
    Drums are not part of it. What of the file is ignored is printed.

    Args:
      path: of the file.
      notes: that classes stand for.

    Returns:
      Classes; at least one is a note.

    Raises:
      UserError: in one line, what is wrong with the file: it cannot be read, is not
        whole or not MIDI, has no notes, several at a time or in several instruments,
        notes faster than a sixteenth, a meter that changes, or other pitches.
    """
    import note_seq

    music = _read(path)
    for remark in music.remarks:
        print(f"MIDI file {path}: {remark}")
    instrument = _only_line(music, path)
    line = music.lines[instrument]
    quantized = midi_files.note_sequence(music, encoding.STEPS_PER_QUARTER)
    if quantized.total_quantized_steps > _MAX_PRIMER_STEPS:
        raise UserError(
            f"MIDI file {path} lasts {quantized.total_quantized_steps} sixteenths; "
            f"a primer may have at most {_MAX_PRIMER_STEPS}"
        )
    _check_monophonic(music, line, path)
    meters = {meter[1:] for meter in music.meters}
    for numerator, denominator in meters:
        quantized.time_signatures[0].numerator = numerator
        quantized.time_signatures[0].denominator = denominator
    melody = note_seq.Melody()
    try:
        if len(meters) > 1:
            raise note_seq.MultipleTimeSignatureError
        melody.from_quantized_sequence(
            quantized, instrument=instrument, gap_bars=float("inf")
        )
    except (
        note_seq.MultipleTimeSignatureError,
        note_seq.NonIntegerStepsPerBarError,
    ) as error:
        raise UserError(
            f"MIDI file {path} has a meter that changes or that sixteenths do not fit; "
            "use one meter such as 4/4"
        ) from error
    return _classes(list(melody), f"MIDI file {path}", notes)


def read_tempo(path: str | os.PathLike) -> float:
    """The quarters a minute at the first note of what `read_primer_midi` takes."""
    music = _read(path)
    return music.qpm(music.lines[_only_line(music, path)].notes[0].start)


def parse_primer_melody(
    text: str, notes: encoding.NoteRange = encoding.OUR_NOTES
) -> list[int]:
    """Reads a melody written as a Python list, in Magenta's `--primer_melody` format.

    Args:
      text: a list of one number a sixteenth, such as "[60, -2, 64, -1]": a MIDI
        pitch, -2 for no event, -1 for note off.
      notes: that classes stand for.

    Returns:
      Classes.

    Raises:
      UserError: not such a list, empty, or a number out of range.
    """
    try:
        with warnings.catch_warnings():  # of what Python reads, but would not write
            warnings.simplefilter("ignore")
            events = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        events = None
    is_list = isinstance(events, list | tuple) and len(events) > 0
    if not is_list or not all(type(event) is int for event in events):
        shown = text if len(text) <= 40 else f"{text[:40]}..."
        raise UserError(
            f"primer melody {shown!r} is not a list of whole numbers; "
            'write for example "[60, -2, 64, -2]" '
            "(MIDI pitches, -2 no event, -1 note off)"
        )
    return _classes(list(events), "primer melody", notes)


def _read(path: str | os.PathLike) -> midi_files.Music:
    """The music of a MIDI file; a `UserError` says why it cannot be read."""
    try:
        return midi_files.read_midi(read_whole(path))
    except OSError as error:
        raise UserError(f"cannot read MIDI file {path}: {error.strerror}") from error
    except midi_files.MidiError as error:
        raise UserError(
            f"cannot read MIDI file {path}: {error}; "
            "export it again from the program it came from"
        ) from error


def _only_line(music: midi_files.Music, path: str | os.PathLike) -> int:
    """The number of the one line of music that is no drums."""
    lines = [i for i, line in enumerate(music.lines) if not line.is_drums]
    if not lines:
        raise UserError(f"MIDI file {path} has no notes; use one with a melody")
    if len(lines) > 1:
        raise UserError(
            f"MIDI file {path} has notes in {len(lines)} instruments; "
            "a primer must be one melody line"
        )
    return lines[0]


def _check_monophonic(
    music: midi_files.Music, line: midi_files.Line, path: str | os.PathLike
) -> None:
    """Lets notes overlap by one sixteenth, as in legato playing, but not by more."""
    for note, following in itertools.pairwise(line.notes):
        begin, end, next_begin = (
            music.step(tick, encoding.STEPS_PER_QUARTER)
            for tick in (note.start, note.end, following.start)
        )
        when = f"the first at {music.seconds(following.start):.2f} seconds"
        if begin == next_begin and music.takes_turns(note, following):
            raise UserError(
                f"MIDI file {path} has notes faster than a sixteenth, {when}; a primer "
                "can have none"
            )
        if begin == next_begin or next_begin < end - 1:
            raise UserError(
                f"MIDI file {path} has several notes at a time, {when}; "
                "a primer must be one melody line"
            )


def _classes(events: list[int], source: str, notes: encoding.NoteRange) -> list[int]:
    low, high = notes.min_note, notes.max_note
    for event in events:
        is_special = event in (encoding.MELODY_NO_EVENT, encoding.MELODY_NOTE_OFF)
        if not is_special and not low <= event <= high:
            of = "the model's range" if notes != encoding.ALL_NOTES else "MIDI's range"
            named = " (C3 to B5)" if notes == encoding.OUR_NOTES else ""
            raise UserError(
                f"{source} has pitch {event}, out of {of} {low} to {high}{named}; "
                "transpose it"
            )
    return encoding.melody_events_to_classes(events, notes)
