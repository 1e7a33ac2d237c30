import subprocess

import pytest

from melody_rnn.notation import abc_notation
from melody_rnn.note_rnn.melody_extraction import ExtractionRules, extract_melodies

_RULES = ExtractionRules(
    ignore_polyphonic_notes=True, min_steps=1, min_unique_pitches=1
)


def _play(body: str, key: str = "C", length: str = "1/16") -> list[int]:
    """The events of a tune: pitches, -1 for note off, -2 for no event."""
    text = f"X:1\nT:tune\nM:4/4\nL:{length}\nK:{key}\n{body}\n"
    (tune,) = abc_notation.split_tunes(text.encode())
    (events,) = extract_melodies(abc_notation.tune_to_midi(tune), _RULES).melodies
    return events


@pytest.mark.parametrize(
    ("body", "events"),
    [
        ("C D E F", [60, 62, 64, 65]),
        ("c2 C,1", [72, -2, 48]),
        ("C z2 D", [60, -1, -2, 62]),  # a rest ends the note
        ("C2-C2 C", [60, -2, -2, -2, 60]),  # a tie holds, a new note strikes
        ("C2- | C2 D", [60, -2, -2, -2, 62]),
        ("C2-D2", [60, -2, 62, -2]),  # a tie written for a slur
        ("^F F | F =F", [66, 66, 65, 65]),  # an accidental lasts for its bar
        ("C2>D2", [60, -2, -2, 62]),  # broken rhythm is 3:1
        ("(3C2D2E2 F", [60, 62, -2, 64, 65]),  # a triplet, rounded to sixteenths
        ("[CEG]2 D", [67, -2, 62]),  # a chord gives its highest note
        ('{gf}C !trill!D ~E .F TG "Am"A', [60, 62, 64, 65, 67, 69]),  # no ornaments
        ("HC uD vE", [60, 62, 64]),  # no fermata, no bowing
        ("C``D", [60, 62]),
        ("|: C D :|", [60, 62, 60, 62]),
        ("C D :: E F :|", [60, 62, 60, 62, 64, 65, 64, 65]),
        ("|: C |1 D :|2 E |]", [60, 62, 60, 64]),
        ("|: C |[1 D :|[2 E |]", [60, 62, 60, 64]),
        ("C D [K:D] F", [60, 62, 66]),
        ("C [L:1/8] D E", [60, 62, -2, 64, -2]),
    ],
)
def test_notes_of_a_hand_written_tune(body, events):
    played = _play(body)
    assert played[: len(events)] == events
    assert all(event == -2 for event in played[len(events) :])


@pytest.mark.parametrize(
    ("key", "pitches"),
    [
        ("D", [66, 71, 73]),
        ("Bb", [65, 70, 72]),
        ("Ador", [66, 71, 72]),
        ("A Mixolydian", [66, 71, 73]),
        ("Em", [66, 71, 72]),
        ("Fmin", [65, 70, 72]),
    ],
)
def test_key_signatures(key, pitches):
    assert _play("F B c", key)[:3] == pitches


def test_hornpipes_are_not_swung():
    text = b"X:1\nT:t\nR:hornpipe\nM:4/4\nL:1/8\nK:C\nCDEF CDEF\n"
    (tune,) = abc_notation.split_tunes(text)
    (events,) = extract_melodies(abc_notation.tune_to_midi(tune), _RULES).melodies
    assert events == [60, -2, 62, -2, 64, -2, 65, -2] * 2


def test_a_book_is_split_into_tunes():
    book = """% a book
M:6/8
L:1/8

X: 1 % first
T:One
T:Also one
K:G
B:|

free text: C D E

X:2
T:Two
L:1/16
K:D
F
w:words
X:3
K:C
d:|
""".replace("\n", "\r\n")
    tunes = abc_notation.split_tunes(book.encode())
    assert [(tune.number, tune.title) for tune in tunes] == [
        ("1", "One"),
        ("2", "Two"),
        ("3", ""),
    ]
    assert tunes[0].text == "X:1\nM:6/8\nL:1/8\nK:G\nB:|"
    assert tunes[1].text == "X:2\nM:6/8\nL:1/8\nL:1/16\nK:D\nF"
    assert tunes[2].text.endswith("K:C\nd:|")


@pytest.mark.parametrize("data", [b"", b"\x00\xff\xfe garbage", b"T:no number\nK:C\nC"])
def test_a_file_without_tunes_is_empty(data):
    assert abc_notation.split_tunes(data) == []


def test_latin_1_and_byte_order_marks_are_read():
    (tune,) = abc_notation.split_tunes("X:1\nT:Slán\nK:C\nC".encode("latin-1"))
    assert tune.title == "Slán"
    (tune,) = abc_notation.split_tunes("\ufeffX:1\nT:Slán\nK:C\nC".encode())
    assert (tune.number, tune.title) == ("1", "Slán")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("X:1\nT:t\nC D E", "no key"),
        ("X:1\nT:t\nK:C\nC D =\nE", "wrong notation"),
        ("X:1\nT:t\nK:Cnonsense\nC D", "wrong notation: Unknown mode"),
    ],
)
def test_a_malformed_tune_is_refused_with_a_reason(text, reason):
    (tune,) = abc_notation.split_tunes(text.encode())
    with pytest.raises(abc_notation.AbcError, match=reason):
        abc_notation.tune_to_midi(tune)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("#!/bin/sh\nkill -SEGV $$\n", "crashed with signal 11"),
        ("#!/bin/sh\nexec sleep 60\n", "hangs"),
        ("#!/bin/sh\nexit 0\n", "wrote no MIDI"),
    ],
)
def test_a_reader_that_crashes_or_hangs_costs_one_tune(
    tmp_path, monkeypatch, script, reason
):
    program = tmp_path / "abc2midi"
    program.write_text(script)
    program.chmod(0o755)
    monkeypatch.setattr(abc_notation, "_abc2midi", lambda: str(program))
    (tune,) = abc_notation.split_tunes(b"X:1\nK:C\nC")
    with pytest.raises(abc_notation.AbcError, match=reason):
        abc_notation.tune_to_midi(tune, timeout_s=0.5)


def test_the_note_reader_is_installed():
    done = subprocess.run(
        [abc_notation._abc2midi(), "-ver"], capture_output=True, text=True, check=False
    )
    assert "abc2midi" in done.stdout
