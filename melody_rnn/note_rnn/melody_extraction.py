"""From a MIDI file to melodies in sixteenths, by Magenta's rules."""

import dataclasses
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from melody_rnn.encoding import MAX_PITCH, MIN_PITCH, STEPS_PER_QUARTER
from melody_rnn.notation import midi_files
from melody_rnn.notation.midi_files import Line, Music

POLYPHONIC = "polyphonic track (--ignore_polyphonic_notes keeps the highest notes)"
_OCTAVE = 12
_FINALS = (0, 9)  # of a major key and of its minor, above the major tonic


@dataclasses.dataclass(frozen=True)
class ExtractionRules:
    """What counts as a melody.

    Attributes:
      ignore_polyphonic_notes: of notes that start together keep the highest; if False,
        a track with such notes is skipped, which is Magenta's default for MIDI.
      min_steps: shorter melodies are skipped.
      min_unique_pitches: melodies of fewer pitches are skipped.
      gap_bars: a silence of so many bars of 16 steps ends a melody; what follows is
        the next one.
    """

    ignore_polyphonic_notes: bool = False
    min_steps: int = 32
    min_unique_pitches: int = 5
    gap_bars: int = 1


@dataclasses.dataclass
class Extraction:
    """The melodies of one MIDI file and what was left out of it.

    Attributes:
      melodies: per melody the events of a note_seq `Melody`, untransposed, starting
        with its first note.
      keys: of each, as far as the file says: the pitch class of the major key whose
        signature it has, 0 for C major, A minor and D dorian, or None.
      skipped: a reason for each track or melody that was left out.
      remarks: what of the file was ignored.
      merged_notes: notes left out because a higher one starts on the same step.
    """

    melodies: list[list[int]] = dataclasses.field(default_factory=list)
    keys: list[int | None] = dataclasses.field(default_factory=list)
    skipped: list[str] = dataclasses.field(default_factory=list)
    remarks: tuple[str, ...] = ()
    merged_notes: int = 0


def extract_melodies(midi: bytes, rules: ExtractionRules) -> Extraction:
    """Extracts the melodies of each line of music that is not drums.

    Time is counted in sixteenths of the file's own beat: tempo changes do not matter,
    nor do time signatures (a bar of 6/8 is twelve steps; bars are not marked).

    Raises:
      MidiError: the file is damaged, or absurdly long.
    """
    music = midi_files.read_midi(midi)
    extraction = Extraction(remarks=music.remarks)
    if not music.lines:
        extraction.skipped.append("no notes")
        return extraction
    quantized = midi_files.note_sequence(music, STEPS_PER_QUARTER)
    for instrument in range(len(music.lines)):
        _extract_line(music, quantized, instrument, rules, extraction)
    return extraction


def transpose_to_c(events: list[int], key: int | None = None) -> tuple[list[int], bool]:
    """Transposes a melody to C major or A minor and into the range of the classes.

    The key is the one that most notes fit, the octave the one that centers the melody;
    single notes that are still out of range are folded by octaves (Magenta's `squash`).
    Of keys that fit equally well, it is the one that the file names, if it is among
    them, else the one whose tonic the melody ends on.

    Args:
      events: of a note_seq `Melody`, with a note at least.
      key: what the file says, as `Extraction.keys`.

    Returns:
      The new events, and whether notes had to be folded.
    """
    from note_seq import melodies_lib

    melody = melodies_lib.Melody(events)
    # To squash to a key, squash finds the key anew, and takes the first that fits.
    wanted = (int(melody.get_major_key()) - _major_key(melody, key)) % _OCTAVE
    amount = melody.squash(MIN_PITCH, MAX_PITCH + 1, transpose_to_key=wanted)
    squashed = [int(event) for event in melody]
    moved = [event + amount if event >= 0 else event for event in events]
    return squashed, squashed != moved


def _major_key(melody: Any, named: int | None) -> int:
    """The pitch class of the major key that a melody most likely has."""
    fits = melody.get_major_key_histogram()
    likeliest = np.flatnonzero(fits == fits.max()).tolist()
    if named is not None and named in likeliest:
        return named
    last = next(event for event in reversed(list(melody)) if event >= 0)
    for final in _FINALS:
        if (last - final) % _OCTAVE in likeliest:
            return (last - final) % _OCTAVE
    return likeliest[0]


def _extract_line(
    music: Music,
    quantized: Any,
    instrument: int,
    rules: ExtractionRules,
    extraction: Extraction,
) -> None:
    from note_seq import melodies_lib

    line = music.lines[instrument]
    if line.is_drums:
        extraction.skipped.append("drums")
        return
    try:
        melodies = list(_melodies(quantized, instrument, rules))
    except melodies_lib.PolyphonicMelodyError:
        extraction.skipped.append(
            "notes faster than a sixteenth" if _takes_turns(music, line) else POLYPHONIC
        )
        return
    kept_notes = sum(event >= 0 for _, melody in melodies for event in melody)
    extraction.merged_notes += len(line.notes) - kept_notes
    for start, events in melodies:
        if len(events) < rules.min_steps:
            extraction.skipped.append(f"shorter than {rules.min_steps} steps")
        elif len({e for e in events if e >= 0}) < rules.min_unique_pitches:
            extraction.skipped.append(f"fewer than {rules.min_unique_pitches} pitches")
        else:
            extraction.melodies.append(events)
            tick = start * music.ticks_per_quarter // STEPS_PER_QUARTER
            extraction.keys.append(music.key(tick))


def _takes_turns(music: Music, line: Line) -> bool:
    """Whether no two notes that start on one step are of a chord."""
    for note, following in itertools.pairwise(line.notes):
        steps = {music.step(n.start, STEPS_PER_QUARTER) for n in (note, following)}
        if len(steps) == 1 and not music.takes_turns(note, following):
            return False
    return True


def _melodies(
    quantized: Any, instrument: int, rules: ExtractionRules
) -> Iterator[tuple[int, list[int]]]:
    """The melodies of one line, split where it rests for `gap_bars` or more.

    Yields:
      The step of the first note, and the events from there.
    """
    from note_seq import melodies_lib

    start = 0
    while True:
        melody = melodies_lib.Melody()
        melody.from_quantized_sequence(
            quantized,
            search_start_step=start,
            instrument=instrument,
            gap_bars=rules.gap_bars,
            ignore_polyphonic_notes=rules.ignore_polyphonic_notes,
        )
        if not len(melody):
            return
        events = [int(event) for event in melody]
        first_note = next(i for i, event in enumerate(events) if event >= 0)
        yield melody.start_step + first_note, events[first_note:]
        bar = melody.steps_per_bar
        start = -(-melody.end_step // bar) * bar  # the next bar line
