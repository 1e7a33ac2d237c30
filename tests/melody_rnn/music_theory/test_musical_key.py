import pytest

from melody_rnn import encoding
from melody_rnn.music_theory.musical_key import parse_key
from rl_tuner.errors import UserError


def pitch_classes(key):
    notes = [c for c in key.classes if c >= encoding.FIRST_NOTE]
    return {encoding.class_to_pitch(note) % 12 for note in notes}


def test_c_major():
    key = parse_key("C major")
    assert key.tonic_class == 14
    assert (key.third, key.fifth) == (4, 7)
    assert pitch_classes(key) == {0, 2, 4, 5, 7, 9, 11}
    assert key.classes[:3] == (0, 1, 2)
    scale = (2, 4, 6, 7, 9, 11, 13, 14, 16, 18, 19, 21, 23, 25, 26)
    assert key.two_octave_scale == scale


@pytest.mark.parametrize(
    ("name", "tonic_pitch", "scale"),
    [
        ("A minor", 69, {9, 11, 0, 2, 4, 5, 7}),
        ("F# major", 66, {6, 8, 10, 11, 1, 3, 5}),
        ("Bb minor", 70, {10, 0, 1, 3, 5, 6, 8}),
        ("Cb major", 71, {11, 1, 3, 4, 6, 8, 10}),
        (" b♭  MINOR ", 70, {10, 0, 1, 3, 5, 6, 8}),
        ("Am", 69, {9, 11, 0, 2, 4, 5, 7}),
        ("Bmin", 71, {11, 1, 2, 4, 6, 7, 9}),
        ("D dorian", 62, {0, 2, 4, 5, 7, 9, 11}),
        ("Amix", 69, {9, 11, 1, 2, 4, 6, 7}),
    ],
)
def test_other_keys(name, tonic_pitch, scale):
    key = parse_key(name)
    assert encoding.class_to_pitch(key.tonic_class) == tonic_pitch
    assert pitch_classes(key) == scale


@pytest.mark.parametrize("letter", "CDEFGAB")
@pytest.mark.parametrize(
    "mode", ["major", "minor", "dorian", "phrygian", "lydian", "mixolydian", "locrian"]
)
def test_agrees_with_music21(letter, mode):
    music21 = pytest.importorskip("music21")
    for accidental in ("", "#", "b"):
        key = parse_key(f"{letter}{accidental} {mode}")
        name = f"{letter}{accidental.replace('b', '-')}"
        pitches = music21.key.Key(name, mode).getScale().getPitches()
        assert pitch_classes(key) == {pitch.pitchClass for pitch in pitches}
        assert len(key.classes) == 23
        assert key.degree(key.tonic_class) == 0


@pytest.mark.parametrize(
    "name", ["", "C", "H major", "C dori an", "Cm7", "C ma", "C## major", "major"]
)
def test_unknown_keys(name):
    with pytest.raises(UserError, match=r"unknown key .*C major"):
        parse_key(name)
