"""What people write in ABC beside notes, line by line; a tune each, and its notes."""

import pytest

from melody_rnn.notation import abc_lines, abc_notation
from melody_rnn.note_rnn.melody_extraction import ExtractionRules, extract_melodies

_RULES = ExtractionRules(
    ignore_polyphonic_notes=True, min_steps=1, min_unique_pitches=1
)
_HEAD = "X:1\nT:t\nM:4/4\nL:1/8\nK:C\n"
_UP, _DOWN = "CDEF GABc|", "cBAG FEDC|]"
_SCALE = [60, 62, 64, 65, 67, 69, 71, 72]
_BOTH = [event for pitch in _SCALE + _SCALE[::-1] for event in (pitch, -2)]


def _played(data) -> list[int]:
    data = data.encode() if isinstance(data, str) else data
    (tune,) = abc_notation.split_tunes(data)
    (events,) = extract_melodies(abc_notation.tune_to_midi(tune), _RULES).melodies
    return events


@pytest.mark.parametrize(
    "text",
    [
        # A line that holds no note is no blank line.
        f'{_HEAD}{_UP}\n"^Second part"\n{_DOWN}\n',
        f"{_HEAD}{_UP}\n!segno!\n{_DOWN}\n",
        f"{_HEAD}{_UP}\n{{gf}}\n.\n{_DOWN}\n",
        f"X:1\nH:first line\nthou\nM:4/4\nL:1/8\nK:C\n{_UP}\n{_DOWN}\n",
        f"X:1\nN:a note\nA face faded,\n+: and so on\nK:C\nL:1/8\n{_UP}{_DOWN}\n",
        # Text and PostScript, also with empty lines and X: in them, and unfinished.
        f"{_HEAD}{_UP}\n%%begintext\nA cabbage faded\n%%endtext\n{_DOWN}\n",
        f"{_HEAD}{_UP}\n%% begintext\nA face\n\nX:2\n%% endtext x\n{_DOWN}\n",
        f"{_HEAD}{_UP}\n%%beginps\n/dlw{{0.7 SLW}}!\ngsave\n%%endps\n{_DOWN}\n",
        f"{_HEAD}{_UP}{_DOWN}\n%%begintext\nDancing: face and fade\n%%endtext\n",
        f"%%beginsvg\nX:7\n%%endsvg\n{_HEAD}{_UP}\n%%beginps\n{_DOWN}\n",
        # Lyrics that go on.
        f"{_HEAD}{_UP}\nw: do re mi\n+: fa dab\n{_DOWN}\n",
        # Decorations are matched from the left, whatever they hold.
        f"{_HEAD}CDEF GABc|!D.C. al fine!cBAG!fermata!FEDC|]\n",
        f"{_HEAD}!ped!CDEF!ped-up!GABc|!^!cBAG !//!FE!-(!D!~)!C|\n",
        f"{_HEAD}+trill+CDEF GAB+D.C.+c|{_DOWN}\n",
        # Exclamation marks of old software that end lines, even within one.
        f"{_HEAD}CDEF GABc|!cBAG FEDC|!\n",
        f"{_HEAD}CDEF!GABc|cBAG!\nFEDC|\n",
        # Fields within a line that decide no note.
        f"{_HEAD}CDEF [N:slow]GABc|\n[R:reel]{_DOWN}\n",
        f'{_HEAD}{_UP}[Q:"rit."]cBAG [r:remark]FEDC|]\n',
        f"{_HEAD}{_UP}[U:T=!trill!]cBAG FEDC|[I:MIDI program 20]\n",
        # Keys without a key, clefs, accidentals.
        f"X:1\nM:4/4\nL:1/8\nK:\n{_UP}{_DOWN}\n",
        f"X:1\nM:4/4\nL:1/8\nK:clef=treble\n{_UP}\nK:treble\n{_DOWN}\n",
        f"X:1\nM:\nL:1/8\nK:none\n{_UP}{_DOWN}\n",
        # Spaces and quotes of word processors, marks of byte order, control characters.
        f"\ufeff{_HEAD}CDEF\u00a0GABc|\u2028“Am”cBAG\x0cFEDC|]\n",
        f"{_HEAD}{_UP}\n% softly\u0085A bad cab\nw: do\u2028 fade bag\n{_DOWN}\n",
        # Line ends.
        f"{_HEAD}{_UP}\n{_DOWN}\n".replace("\n", "\r"),
        f"{_HEAD}{_UP}\n{_DOWN}\n".replace("\n", "\r\r\n"),
        # Encodings.
        f"{_HEAD}{_UP}\n% softly…A bad cab\nw: do… fade\n{_DOWN}\n".encode("cp1252"),
        f"{_HEAD}{_UP}\n{_DOWN}\n".encode("utf-16"),
        f"{_HEAD}{_UP}\n{_DOWN}\n".encode("utf-16-be"),
    ],
)
def test_only_notes_are_played_and_all_of_them(text):
    assert _played(text) == _BOTH


@pytest.mark.parametrize(
    ("text", "events"),
    [
        ("L:1\nK:C\nC/4D/4", [60, -2, -2, -2, 62, -2, -2, -2]),
        ("L: 1 / 16\nK:C\nC [L:1] D/16", [60, 62]),
        ("L:1/16\nK:C\nC'c,C'', c'D", [72, 60, 72, 84, 62]),
        ("L:1/16\nK:C\n!^!C2D2!^!E2F2", [60, -2, 62, -2, 64, -2, 65, -2]),
        ("L:1/16\nK:C\n+CE+ D", [64, 62]),  # a chord of old
        ("L:1/16\nK:^f^c\nFcB", [66, 73, 71]),
        ("L:1/16\nK:D\nF[K:bass]F[K:]F", [66, 66, 65]),
        ("L:1/16\nK:A♭\nAB", [68, 70]),
        ("L:1/16\nK:D\nF=3DF |=20\nc=3D=\nc |=20", [66, 65, 73, 72]),  # of mail
        ("L:1/16\nK:D\nF=F2 |=A2", [66, 65, -2, 69, -2]),
        ("L:1/16\nK:C\n|:: C D ::|E", [60, 62] * 3 + [64]),
        ("L:1/16\nK:C\n|:: C\nD ::|\n|::: E :::|", [60, 62] * 3 + [64] * 4),
        ("L:1/16\nK:C\n|: C :: D :|", [60, 60, 62, 62]),
        ("L:1/16\nK:C\n|: C |1 D :|2 E :|3 F |]", [60, 62, 60, 64, 60, 65]),
    ],
)
def test_what_abc_allows_is_played_as_written(text, events):
    assert _played(f"X:1\nM:4/4\n{text}\n") == events


def test_titles_of_windows_are_read():
    (tune,) = abc_notation.split_tunes("X:1\nT:Fiddler’s…\nK:C\nC".encode("cp1252"))
    assert tune.title == "Fiddler’s…"


def test_bytes_of_no_encoding_are_read_all_the_same():
    assert abc_lines.decode(b"X:1\nT:\x81") == "X:1\nT:\x81"
