"""From a MIDI file to melodies in sixteenths, by Magenta's rules."""

import dataclasses
from collections.abc import Iterator
from typing import Any

from melody_rnn.encoding import MAX_PITCH, MIN_PITCH, STEPS_PER_QUARTER
from melody_rnn.notation.midi_files import MidiError, open_midi, to_note_sequence

_BEAT_QPM = 120  # any constant tempo serves: only the time in quarters counts
_MAX_STEPS = 100_000  # a longer one is a broken file, not a melody


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
      skipped: a reason for each track or melody that was left out.
      merged_notes: notes left out because a higher one starts on the same step.
    """

    melodies: list[list[int]] = dataclasses.field(default_factory=list)
    skipped: list[str] = dataclasses.field(default_factory=list)
    merged_notes: int = 0


def extract_melodies(midi: bytes, rules: ExtractionRules) -> Extraction:
    """Extracts the melodies of each track that is not drums.

    Time is counted in sixteenths of the file's own beat: tempo changes do not matter,
    nor do time signatures (a bar of 6/8 is twelve steps; bars are not marked).

    Raises:
      MidiError: the file is damaged.
    """
    from note_seq import sequences_lib

    extraction = Extraction()
    sequence = _read_in_beats(midi)
    if not sequence.notes:
        extraction.skipped.append("no notes")
        return extraction
    if sequence.total_time * 2 * STEPS_PER_QUARTER > _MAX_STEPS:
        raise MidiError(f"lasts over {_MAX_STEPS} steps")
    quantized = sequences_lib.quantize_note_sequence(sequence, STEPS_PER_QUARTER)
    for instrument in sorted({note.instrument for note in quantized.notes}):
        _extract_track(quantized, instrument, rules, extraction)
    return extraction


def transpose_to_c(events: list[int]) -> tuple[list[int], bool]:
    """Transposes a melody to C major or A minor and into the range of the classes.

    The key is the one that most notes fit, the octave the one that centers the melody;
    single notes that are still out of range are folded by octaves (Magenta's `squash`).

    Returns:
      The new events, and whether notes had to be folded.
    """
    from note_seq import melodies_lib

    melody = melodies_lib.Melody(events)
    amount = melody.squash(MIN_PITCH, MAX_PITCH + 1, transpose_to_key=0)
    squashed = [int(event) for event in melody]
    moved = [event + amount if event >= 0 else event for event in events]
    return squashed, squashed != moved


def _extract_track(
    quantized: Any, instrument: int, rules: ExtractionRules, extraction: Extraction
) -> None:
    from note_seq import melodies_lib

    notes = [note for note in quantized.notes if note.instrument == instrument]
    if all(note.is_drum for note in notes):
        extraction.skipped.append("drums")
        return
    try:
        melodies = list(_melodies(quantized, instrument, rules))
    except melodies_lib.PolyphonicMelodyError:
        extraction.skipped.append("polyphonic track")
        return
    kept_notes = sum(event >= 0 for melody in melodies for event in melody)
    extraction.merged_notes += len(notes) - kept_notes
    for events in melodies:
        if len(events) < rules.min_steps:
            extraction.skipped.append(f"shorter than {rules.min_steps} steps")
        elif len({e for e in events if e >= 0}) < rules.min_unique_pitches:
            extraction.skipped.append(f"fewer than {rules.min_unique_pitches} pitches")
        else:
            extraction.melodies.append(events)


def _melodies(
    quantized: Any, instrument: int, rules: ExtractionRules
) -> Iterator[list[int]]:
    """The melodies of one track, split where it rests for `gap_bars` or more."""
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
        yield events[first_note:]
        bar = melody.steps_per_bar
        start = -(-melody.end_step // bar) * bar  # the next bar line


def _read_in_beats(midi: bytes) -> Any:
    """Reads a MIDI file as a NoteSequence at one constant tempo and in 4/4."""
    import mido

    file = open_midi(midi)
    for message in (message for track in file.tracks for message in track):
        if message.type == "set_tempo":
            message.tempo = mido.bpm2tempo(_BEAT_QPM)
        elif message.type == "time_signature":
            message.numerator = message.denominator = 4
    return to_note_sequence(file)
