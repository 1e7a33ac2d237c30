import contextlib
import dataclasses
import io

import mido
import note_seq
import pretty_midi
import pytest
from note_seq.protobuf import music_pb2

from melody_rnn.notation import abc_notation
from melody_rnn.notation.midi_files import MidiError
from melody_rnn.note_rnn.melody_extraction import (
    POLYPHONIC,
    ExtractionRules,
    extract_melodies,
    transpose_to_c,
)

_RULES = ExtractionRules(min_steps=4, min_unique_pitches=2)
_SCALE = [60, -2, 62, -2, 64, -2, -1, -2, 65, -2, 67, -2, -2, -2, 69, 71]


def _midi(sequence: music_pb2.NoteSequence) -> bytes:
    buffer = io.BytesIO()
    note_seq.note_sequence_to_pretty_midi(sequence).write(buffer)
    return buffer.getvalue()


def _notes(*notes, qpm=120.0) -> music_pb2.NoteSequence:
    """Notes as (pitch, start step, end step, instrument)."""
    sequence = music_pb2.NoteSequence(ticks_per_quarter=220)
    sequence.tempos.add().qpm = qpm
    step = 60 / qpm / 4
    for pitch, start, end, instrument in notes:
        note = sequence.notes.add(pitch=pitch, velocity=80, instrument=instrument)
        note.start_time, note.end_time = start * step, end * step
    sequence.total_time = max(note.end_time for note in sequence.notes)
    return sequence


@pytest.mark.parametrize("qpm", [37.0, 120.0, 211.0])
def test_a_melody_written_by_note_seq_is_read_back(qpm):
    midi = _midi(note_seq.Melody(_SCALE).to_sequence(qpm=qpm))
    assert extract_melodies(midi, _RULES).melodies == [_SCALE]


def test_tempo_and_meter_changes_do_not_matter():
    midi = pretty_midi.PrettyMIDI(
        io.BytesIO(_midi(note_seq.Melody(_SCALE).to_sequence(qpm=120)))
    )
    midi._tick_scales.append((440, midi._tick_scales[0][1] * 2.7))
    midi.time_signature_changes = [
        pretty_midi.TimeSignature(6, 8, 0),
        pretty_midi.TimeSignature(5, 4, 1),
    ]
    buffer = io.BytesIO()
    midi.write(buffer)
    assert extract_melodies(buffer.getvalue(), _RULES).melodies == [_SCALE]


def test_each_track_is_a_melody_and_drums_are_none():
    sequence = _notes(
        (60, 0, 2, 0), (64, 2, 4, 0), (67, 0, 2, 1), (71, 2, 4, 1), (36, 0, 4, 2)
    )
    for note in sequence.notes:
        note.is_drum = note.instrument == 2
        note.program = note.instrument
    extraction = extract_melodies(_midi(sequence), _RULES)
    assert extraction.melodies == [[60, -2, 64, -2], [67, -2, 71, -2]]
    assert extraction.skipped == ["drums"]


def test_polyphony_skips_the_track_or_keeps_the_highest():
    midi = _midi(_notes((60, 0, 2, 0), (67, 0, 2, 0), (64, 2, 4, 0)))
    assert extract_melodies(midi, _RULES).skipped == [POLYPHONIC]
    rules = dataclasses.replace(_RULES, ignore_polyphonic_notes=True)
    extraction = extract_melodies(midi, rules)
    assert extraction.melodies == [[67, -2, 64, -2]]
    assert extraction.merged_notes == 1


def test_a_bar_of_silence_parts_two_melodies():
    midi = _midi(_notes((60, 3, 5, 0), (64, 5, 8, 0), (60, 40, 42, 0), (65, 42, 44, 0)))
    melodies = extract_melodies(midi, _RULES).melodies
    assert melodies == [[60, -2, 64, -2, -2], [60, -2, 65, -2]]


def test_what_is_no_melody_is_left_out_with_a_reason():
    midi = _midi(_notes((60, 0, 2, 0), (62, 2, 5, 0)))
    for rules, reason in (
        (dataclasses.replace(_RULES, min_steps=6), "shorter than 6 steps"),
        (dataclasses.replace(_RULES, min_unique_pitches=3), "fewer than 3 pitches"),
    ):
        extraction = extract_melodies(midi, rules)
        assert (extraction.melodies, extraction.skipped) == ([], [reason])
    buffer = io.BytesIO()
    pretty_midi.PrettyMIDI().write(buffer)
    assert extract_melodies(buffer.getvalue(), _RULES).skipped == ["no notes"]


@pytest.mark.parametrize("size", [0, 3, 13, 30, 60, -20, -1])
def test_a_truncated_file_is_an_error(size):
    midi = _midi(note_seq.Melody(_SCALE).to_sequence())
    with pytest.raises(MidiError, match="damaged MIDI"):
        extract_melodies(midi[:size], _RULES)


def test_every_single_byte_may_be_damaged():
    midi = bytearray(_midi(note_seq.Melody(_SCALE).to_sequence()))
    for place in range(len(midi)):
        damaged = midi.copy()
        damaged[place] ^= 0xFF
        with contextlib.suppress(MidiError):
            extract_melodies(bytes(damaged), _RULES)


@pytest.mark.parametrize("ticks", [9_000_000, 0x0FFFFFFF])
def test_a_file_of_absurd_length_is_an_error(ticks):
    file = mido.MidiFile(ticks_per_beat=220)
    file.add_track().extend(
        [
            mido.Message("note_on", note=60, time=0),
            mido.Message("note_off", note=60, time=ticks),
        ]
    )
    buffer = io.BytesIO()
    file.save(file=buffer)
    with pytest.raises(MidiError, match=r"lasts over 25000 quarters"):
        extract_melodies(buffer.getvalue(), _RULES)


@pytest.mark.parametrize(
    ("pitches", "expected"),
    [
        ([62, 64, 66, 67, 69, 71, 73, 74], [60, 62, 64, 65, 67, 69, 71, 72]),  # D major
        ([64, 66, 67, 69, 71, 72, 74], [69, 71, 72, 74, 76, 77, 79]),  # E minor
        ([36, 38, 40, 41, 43], [60, 62, 64, 65, 67]),  # from the bass
    ],
)
def test_transposition_is_to_c_major_or_a_minor(pitches, expected):
    events, folded = transpose_to_c(pitches)
    assert [event - expected[0] for event in events] == [
        event - expected[0] + (events[0] - expected[0]) for event in expected
    ]
    assert (events[0] - expected[0]) % 12 == 0
    assert not folded
    assert all(48 <= event <= 83 for event in events)


def test_a_melody_wider_than_the_range_is_folded_and_said_so():
    events, folded = transpose_to_c([36, -2, 100, -1])
    assert folded
    assert [event for event in events if event < 0] == [-2, -1]
    assert all(48 <= event <= 83 for event in events if event >= 0)


_HEXATONIC = "C2EC G2EC|FEFG A2G2|C2EC G2EG|F2D2 C4|G2AG ECEG|A2GF E2D2|C2CD C4|]"
_IN_G = "G2BG d2BG|cBcd e2d2|G2BG d2Bd|c2A2 G4|d2ed BGBd|e2dc B2A2|G2GA G4|]"


def test_a_tune_without_a_seventh_is_one_tune_in_any_key():
    rules = ExtractionRules()
    in_c = []
    for key, music in (("C", _HEXATONIC), ("G", _IN_G)):
        text = f"X:1\nM:4/4\nL:1/8\nK:{key}\n{music}\n"
        (tune,) = abc_notation.split_tunes(text.encode())
        extraction = extract_melodies(abc_notation.tune_to_midi(tune), rules)
        assert extraction.keys == [0 if key == "C" else 7]
        for named in (extraction.keys[0], None):  # by the file, and by the last note
            in_c.append(transpose_to_c(extraction.melodies[0], named)[0])
    assert in_c == [in_c[0]] * 4
    assert in_c[0][0] % 12 == 0


def test_a_key_that_does_not_fit_is_not_believed():
    d_major = [62, 64, 66, 67, 69, 71, 73, 74]
    assert transpose_to_c(d_major, 0) == transpose_to_c(d_major)
