"""MIDI files as people have them: odd, damaged, wrapped, and what they are read as."""

import io
import itertools

import mido
import pytest

from melody_rnn.notation import midi, midi_files, midi_repair
from melody_rnn.notation.midi_files import MidiError
from melody_rnn.note_rnn.melody_extraction import ExtractionRules, extract_melodies

_RULES = ExtractionRules(min_steps=2, min_unique_pitches=1)
_PITCHES = [60, 62, 64, 65, 67, 69, 71, 72, 71, 69, 67, 65, 64, 62, 60, 67]
_EVENTS = [event for pitch in _PITCHES for event in (pitch, -2)]
_END = b"\0\xff\x2f\0"


def _delta(ticks: int) -> bytes:
    digits = [ticks & 0x7F]
    while ticks := ticks >> 7:
        digits.append(ticks & 0x7F | 0x80)
    return bytes(reversed(digits))


def _notes(pitches=_PITCHES, ticks=240, channel=0) -> bytes:
    return b"".join(
        bytes([0, 0x90 | channel, p, 90])
        + _delta(ticks)
        + bytes([0x80 | channel, p, 0])
        for p in pitches
    )


def _chunk(content: bytes, name=b"MTrk", length=None) -> bytes:
    length = len(content) if length is None else length
    return name + length.to_bytes(4, "big") + content


def _file(*chunks: bytes, tracks=None, division=480) -> bytes:
    tracks = len(chunks) if tracks is None else tracks
    numbers = (n.to_bytes(2, "big") for n in (1, tracks, division))
    return b"MThd\0\0\0\6" + b"".join([*numbers, *chunks])


def _with(event: bytes) -> bytes:
    """An event before the notes, in a track of its own and in theirs."""
    return _file(_chunk(b"\0" + event + _END), _chunk(b"\0" + event + _notes() + _END))


_WHOLE = _chunk(_notes() + _END)


@pytest.mark.parametrize(
    ("data", "remark"),
    [
        (_with(b"\xff\x59\x02\xf8\0"), "2 key signatures"),
        (_with(b"\xff\x59\0"), "2 key signatures"),
        (_with(b"\xff\x59\x02\xfe\xff"), "2 key signatures"),
        (_with(b"\xff\x58\x02\x04\x02"), "2 meters"),
        (_with(b"\xff\x51\0"), "2 tempos"),
        (_with(b"\xff\x51\x03\0\0\0"), "2 tempos"),
        (_with(b"\xff\x54\x05\xff\0\0\0\0"), "2 SMPTE offsets"),
        (_with(b"\xff\x20\0"), "2 channel prefixes"),
        (_with(b"\xf0\x08\x50\x53\0\0\xff\4\1\xf7"), "2 system exclusive messages"),
        (_with(b"\xf8"), "2 system messages"),
        (_with(b"\xb0\x07\xff"), "2 controllers"),
        (_with(b"\xc0\xff"), "2 programs"),
        (_with(b"\xe0\xff\x01"), "2 pitch bends"),
        (_file(_chunk(b"abcd", b"XFIH"), _WHOLE, tracks=1), None),
        (_file(_WHOLE, b"\0\0\0", tracks=1), None),  # filled up with zeros
        (_file(_WHOLE, b"\1\2\3\4\5", tracks=1), "5 bytes that belong to no track"),
        (_file(_WHOLE, tracks=3), "it has 3 tracks, not 1"),
        (_file(_chunk(_END), _WHOLE, tracks=1), "it has 1 tracks, not 2"),
        (_file(_chunk(_notes() + _END, length=len(_notes()) + 7)), "not as long"),
        (_file(_chunk(_notes() + _END, length=len(_notes()) + 1)), "not as long"),
        (_file(_chunk(_END, length=8), _WHOLE), "track 1 is not as long"),
        (_file(_chunk(_notes()[:-1]), _WHOLE), "track 1 breaks off and is left out"),
        (_file(_chunk(_notes())), None),  # without the mark of the end
        (b"\0" * 128 + _file(_WHOLE), None),  # of a Macintosh
        (_chunk(b"RMIDdata\0\0\0\xaa" + _file(_WHOLE), b"RIFF"), None),
        (
            _file(_chunk(b"\0\xc0\0" + _notes()[:64] + b"\0\xc0\x28" + _notes()[64:])),
            None,
        ),
        (_file(_chunk(_notes(_PITCHES[:8]) + _notes(_PITCHES[8:], channel=1))), None),
        (_file(_chunk(_notes(ticks=9600)), division=19200), None),
        (_file(_chunk(_notes(ticks=16383)), division=32767), None),
    ],
)
def test_damage_beside_the_notes_costs_none(data, remark):
    extraction = extract_melodies(data, _RULES)
    assert extraction.melodies == [_EVENTS]
    told = " ".join(extraction.remarks)
    assert remark in told if remark else not told


def test_what_is_repaired_is_read_by_others_as_well():
    data = _with(b"\xff\x59\0")
    repaired = midi_repair.repair(data).data
    played = [
        m.note for m in mido.MidiFile(file=io.BytesIO(repaired)) if m.type == "note_on"
    ]
    assert played == _PITCHES
    assert midi_repair.repair(repaired).data == repaired


def test_long_files_of_fine_ticks_are_no_long_files():
    data = _file(_chunk(_notes(_PITCHES * 35, ticks=19200)), division=19200)
    (melody,) = extract_melodies(data, _RULES).melodies
    assert len(melody) == 140 * 16


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no bytes in it"),
        (_file(_WHOLE, division=0), "divides a quarter into 0 ticks"),
        (_file(_WHOLE, division=0xE728), "SMPTE frames, 25 a second"),
        (_file(), "no tracks"),
        (_file(_chunk(_END), _chunk(_notes() + _END, length=0)), "track 2 is empty"),
        (_file(_chunk(_END), tracks=2), "1 tracks are missing"),
        (_file(_chunk(_notes()[:-1])), "track 1 breaks off"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "not a MIDI file"),
    ],
)
def test_what_cannot_be_read_is_told_in_words(data, reason):
    with pytest.raises(MidiError, match=reason):
        extract_melodies(data, _RULES)


@pytest.mark.parametrize(
    ("data", "reasons"),
    [
        (_file(_chunk(_notes([60, 62, 64] * 2, ticks=80) + _notes([65]))), "faster"),
        (_file(_chunk(b"\0\x90\x30\x40" + _notes())), "polyphonic track"),
        (_file(_chunk(_END)), "no notes"),
    ],
)
def test_what_is_no_melody_is_told_in_words(data, reasons):
    (skipped,) = extract_melodies(data, _RULES).skipped
    assert reasons in skipped


@pytest.mark.parametrize(
    ("content", "notes"),
    [
        # Struck again before it ends, the end of the first one left out or not.
        (b"\0\x90\x3c\x40\x60\x90\x3c\x40\x60\x80\x3c\0", [(0, 96, 60), (96, 192, 60)]),
        (
            b"\0\x90\x3c\x40\x60\x90\x3c\x40\0\x80\x3c\0\x60\x80\x3c\0",
            [(0, 96, 60), (96, 192, 60)],
        ),
        (b"\0\x90\x3c\x40\0\x90\x3c\x40\x60\x80\x3c\0", [(0, 96, 60)]),  # twice
        (b"\0\x90\x3c\x40\x60\xff\x2f\0", [(0, 96, 60)]),  # without an end
        (b"\0\x90\x3c\x40\x60\xb0\x7b\0", [(0, 96, 60)]),  # all notes off
        (b"\0\x90\x3c\xff\x60\x3c\0", [(0, 96, 60)]),  # as loud as can be
        (b"\0\x90\x3c\x40\0\x3c\0\0\x3e\x40\x60\x3e\0", [(0, 96, 62)]),  # of no length
    ],
)
def test_notes_have_ends(content, notes):
    (line,) = midi_files.read_midi(_file(_chunk(content))).lines
    assert [(n.start, n.end, n.pitch) for n in line.notes] == notes


def test_channels_that_sound_together_are_lines_of_their_own():
    pairs = zip(_PITCHES, [p - 12 for p in _PITCHES], strict=True)
    both = b"".join(
        bytes([0, 0x90, a, 90, 0, 0x91, b, 90, 0x60, 0x80, a, 0, 0, 0x81, b, 0])
        for a, b in itertools.islice(pairs, 4)
    )
    lines = midi_files.read_midi(_file(_chunk(both))).lines
    assert [[note.pitch for note in line.notes] for line in lines] == [
        _PITCHES[:4],
        [p - 12 for p in _PITCHES[:4]],
    ]


def test_a_primers_tempo_may_stand_on_any_track(tmp_path, capsys):
    path = tmp_path / "a.mid"
    tempo = b"\0\xff\x51\x03\x0f\x42\x40"
    path.write_bytes(_file(_chunk(_END), _chunk(tempo + _notes() + _END)))
    assert midi.read_tempo(path) == pytest.approx(60)
    assert len(midi.read_primer_midi(path)) == 32
    path.write_bytes(_with(b"\xff\x51\0"))
    assert midi.read_tempo(path) == 120
    midi.read_primer_midi(path)
    assert "ignored 2 tempos" in capsys.readouterr().out


def test_a_primer_says_that_its_notes_are_too_fast(tmp_path):
    path = tmp_path / "a.mid"
    path.write_bytes(_file(_chunk(_notes([60, 62, 64], ticks=80))))
    with pytest.raises(
        Exception, match=r"faster than a sixteenth, .* at 0\.17 seconds"
    ):
        midi.read_primer_midi(path)
