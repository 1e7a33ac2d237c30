import numpy as np
import pretty_midi
import pytest

from melody_rnn.notation import midi
from rl_tuner.errors import UserError

# Held notes, rests, repeats and both ends of the range.
MELODY = [14, 0, 0, 0, 16, 0, 1, 0, 2, 0, 37, 1, 0, 0, 18, 18]


def write_notes(path, *instruments, tempo=80.0):
    """Each instrument a list of (pitch, first sixteenth, end sixteenth)."""
    song = pretty_midi.PrettyMIDI(initial_tempo=tempo)
    for notes in instruments:
        song.instruments.append(pretty_midi.Instrument(0))
        step = 60 / tempo / 4
        song.instruments[-1].notes = [
            pretty_midi.Note(90, pitch, start * step, end * step)
            for pitch, start, end in notes
        ]
    song.write(str(path))
    return path


def test_class_2_sounds_as_midi_48_at_80_quarters_a_minute(tmp_path):
    midi.write_midi([2, 0, 0, 1, 14], tmp_path / "a.mid", velocity=77)
    song = pretty_midi.PrettyMIDI(str(tmp_path / "a.mid"))
    low, middle = song.instruments[0].notes
    assert (low.pitch, middle.pitch) == (48, 60)
    assert (low.velocity, middle.velocity) == (77, 77)
    sixteenth = 60 / 80 / 4
    assert (low.start, low.end) == pytest.approx((0, 3 * sixteenth))
    assert (middle.start, middle.end) == pytest.approx((4 * sixteenth, 5 * sixteenth))
    assert song.get_tempo_changes()[1] == pytest.approx([80])


def test_round_trip(tmp_path):
    midi.write_midi(MELODY, tmp_path / "a.mid")
    assert midi.read_primer_midi(tmp_path / "a.mid") == MELODY


def test_round_trip_of_random_melodies(tmp_path):
    random = np.random.default_rng(0)
    for _ in range(20):
        melody = [14, *random.integers(0, 38, 30).tolist(), 2]
        midi.write_midi(melody, tmp_path / "a.mid")
        back = midi.read_primer_midi(tmp_path / "a.mid")
        # A note off in silence cannot be heard, so it does not come back.
        sounding, heard = True, []
        for event in melody:
            heard.append(0 if event == 1 and not sounding else event)
            sounding = event >= 2 or (event == 0 and sounding)
        assert back == heard


def test_note_sequence_agrees_with_note_seq():
    import note_seq

    sequence = midi.classes_to_note_sequence(MELODY, velocity=60)
    quantized = note_seq.quantize_note_sequence(sequence, 4)
    melody = note_seq.Melody()
    melody.from_quantized_sequence(quantized)
    encoder = note_seq.MelodyOneHotEncoding(48, 84)
    assert [encoder.encode_event(event) for event in melody] == MELODY


def test_quantizes_another_tempo_and_keeps_the_bar(tmp_path):
    path = write_notes(tmp_path / "a.mid", [(60, 18, 20), (62, 20, 24)], tempo=132)
    # The first note lies two sixteenths into the second bar of 4/4.
    assert midi.read_primer_midi(path) == [0, 0, 14, 0, 16, 0, 0, 0]


def test_a_long_rest_does_not_end_the_melody(tmp_path):
    path = write_notes(tmp_path / "a.mid", [(60, 0, 1), (62, 40, 41)])
    assert midi.read_primer_midi(path) == [14, 1, *[0] * 38, 16]


def test_drums_are_no_melody(tmp_path):
    song = pretty_midi.PrettyMIDI(str(write_notes(tmp_path / "a.mid", [(60, 0, 2)])))
    song.instruments.append(pretty_midi.Instrument(0, is_drum=True))
    song.instruments[-1].notes = [pretty_midi.Note(90, 36, 0, 1)]
    song.write(str(tmp_path / "b.mid"))
    assert midi.read_primer_midi(tmp_path / "b.mid") == [14, 0]


def test_legato_overlap_is_no_polyphony(tmp_path):
    path = write_notes(tmp_path / "a.mid", [(60, 0, 5), (62, 4, 8)])
    assert midi.read_primer_midi(path) == [14, 0, 0, 0, 16, 0, 0, 0]


def refuse(path, reason):
    with pytest.raises(UserError, match=reason) as caught:
        midi.read_primer_midi(path)
    assert path.name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_truncation_is_refused(tmp_path):
    midi.write_midi(MELODY, tmp_path / "whole.mid")
    data = (tmp_path / "whole.mid").read_bytes()
    for length in range(len(data)):
        (tmp_path / "cut.mid").write_bytes(data[:length])
        refuse(tmp_path / "cut.mid", "cut.mid: damaged MIDI")


def test_files_that_are_no_primer_are_refused(tmp_path):
    (tmp_path / "noise.mid").write_bytes(b"MThd\x00\x00\x00\x06 this is not music")
    refuse(tmp_path / "noise.mid", "noise.mid: damaged MIDI")
    (tmp_path / "song.wav").write_bytes(b"RIFF\x24\x00\x00\x00WAVEfmt ")
    refuse(tmp_path / "song.wav", "song.wav: not a MIDI file; export it again")
    refuse(tmp_path / "missing.mid", "No such file")
    refuse(write_notes(tmp_path / "empty.mid"), "has no notes")
    chord = write_notes(tmp_path / "chord.mid", [(60, 0, 4), (64, 0, 4)])
    refuse(chord, "several notes at a time")
    pedal = write_notes(tmp_path / "pedal.mid", [(48, 0, 16), (64, 4, 8), (65, 8, 12)])
    refuse(pedal, r"several notes at a time.* at 0\.75 seconds")
    duet = write_notes(tmp_path / "duet.mid", [(60, 0, 4)], [(64, 4, 8)])
    refuse(duet, "2 instruments")
    refuse(write_notes(tmp_path / "low.mid", [(47, 0, 4)]), r"pitch 47.*48 to 83")
    song = pretty_midi.PrettyMIDI(str(write_notes(tmp_path / "m.mid", [(60, 0, 64)])))
    song.time_signature_changes = [
        pretty_midi.TimeSignature(4, 4, 0),
        pretty_midi.TimeSignature(3, 4, 3),
    ]
    song.write(str(tmp_path / "meters.mid"))
    refuse(tmp_path / "meters.mid", "meter that changes")


def test_unwritable_file(tmp_path):
    with pytest.raises(UserError, match="cannot write MIDI file"):
        midi.write_midi(MELODY, tmp_path / "nowhere" / "a.mid")


@pytest.mark.parametrize("velocity", [0, 128])
def test_velocity_out_of_range(velocity):
    with pytest.raises(UserError, match=r"velocity .* 1\.\.127"):
        midi.classes_to_note_sequence(MELODY, velocity=velocity)


def test_primer_melody():
    assert midi.parse_primer_melody("[60, -2, 64, -1]") == [14, 0, 18, 1]
    assert midi.parse_primer_melody(" (48,83) ") == [2, 37]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not a list"),
        ("[]", "not a list"),
        ("60", "not a list"),
        ("[60, 62.5]", "whole numbers"),
        ("[True]", "whole numbers"),
        ("[60, 'C']", "whole numbers"),
        ("[60", "not a list"),
        ("__import__('os')", "not a list"),
        ("[" * 5000, "not a list"),
        ("[84]", "pitch 84.*48 to 83"),
        ("[60, -3]", "pitch -3.*48 to 83"),
    ],
)
def test_bad_primer_melodies(text, reason):
    with pytest.raises(UserError, match=reason) as caught:
        midi.parse_primer_melody(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("qpm", [3.58, 80, 60e6])
def test_any_tempo_that_midi_can_hold_is_read_back(tmp_path, qpm):
    midi.write_midi(MELODY, tmp_path / "a.mid", qpm=qpm)
    assert midi.read_tempo(tmp_path / "a.mid") == pytest.approx(qpm, rel=1e-6)
    assert midi.read_primer_midi(tmp_path / "a.mid") == MELODY


@pytest.mark.parametrize("qpm", [3, 0, -1, 1e9, float("nan"), float("inf")])
def test_a_tempo_that_midi_cannot_hold_leaves_files_as_they_are(tmp_path, qpm):
    (tmp_path / "a.mid").write_text("a tune")
    with pytest.raises(UserError, match=r"3\.576 to 60000000"):
        midi.write_midi(MELODY, tmp_path / "a.mid", qpm=qpm)
    assert (tmp_path / "a.mid").read_text() == "a tune"


def test_what_is_there_stays_until_the_new_file_is_whole(tmp_path, monkeypatch):
    (tmp_path / "a.mid").write_text("a tune")
    monkeypatch.setattr(pretty_midi.PrettyMIDI, "write", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        midi.write_midi(MELODY, tmp_path / "a.mid")
    assert (tmp_path / "a.mid").read_text() == "a tune"
