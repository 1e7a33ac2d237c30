"""A folder of odd files, written by a model of MIDI and ABC: what was written is read.

Each file holds one melody and, at random, what the formats allow or people write beside
notes; the model knows the melody, and nothing of how files are read.
"""

import random

import pytest

from melody_rnn.note_rnn import tune_reader
from melody_rnn.note_rnn.melody_extraction import ExtractionRules

_RULES = ExtractionRules(min_steps=2, min_unique_pitches=1)
_LETTERS = dict(zip("CDEFGABcdefgab", (0, 2, 4, 5, 7, 9, 11) * 2, strict=True))


def _melody(rng):
    """(pitch of the C major scale from C4 to B5, or None for a rest; sixteenths)."""
    letters = list(_LETTERS)
    notes = [(rng.choice(letters), rng.choice([1, 2, 2, 3, 4])) for _ in range(24)]
    rests = rng.sample(range(1, 23), 3)
    return [(None if i in rests else x, n) for i, (x, n) in enumerate(notes)]


def _events(melody):
    """As note_seq has them."""
    events, sounding = [], False
    for letter, steps in melody:
        first = -2
        if letter:
            first = 60 + _LETTERS[letter] + 12 * letter.islower()
        elif sounding:
            first = -1
        sounding = bool(letter)
        events += [first] + [-2] * (steps - 1)
    return events


def _length(ticks):
    digits = [ticks & 0x7F]
    while ticks := ticks >> 7:
        digits.append(ticks & 0x7F | 0x80)
    return bytes(reversed(digits))


# Events that decide no note: what MIDI allows, and what it does not.
_BESIDE = [
    b"\xff\x01\x03abc",
    b"\xff\x51\x03\x05\x00\x00",
    b"\xff\x51\x00",
    b"\xff\x58\x04\x03\x03\x18\x08",
    b"\xff\x58\x01\x04",
    b"\xff\x59\x02\xfd\x00",
    b"\xff\x59\x02\x08\x07",
    b"\xff\x54\x05\xff\xff\xff\xff\xff",
    b"\xff\x7f\x02\x00\xff",
    b"\xff\x20\x00",
    b"\xf0\x03\x41\xff\xf7",
    b"\xf7\x02\xf8\xff",
]


def _midi(rng, melody):
    ticks = rng.choice([4, 24, 96, 480, 960, 19200, 32764])
    channels = rng.sample([0, 1, 2, 5, 15], rng.choice([1, 1, 2]))
    uses_running, strikes_off = rng.random() < 0.5, rng.random() < 0.5
    content, waiting, running = b"", 0, -1

    def add(data):
        nonlocal content, waiting, running
        if data[0] < 0xF0:
            if uses_running and data[0] == running:
                data = data[1:]
            else:
                running = data[0]
        content += _length(waiting) + data
        waiting = 0

    for letter, steps in melody:
        channel = rng.choice(channels)
        if rng.random() < 0.2:
            add(rng.choice(_BESIDE))
            running = -1
        if rng.random() < 0.2:
            odd = [b"\x07\xff", b"\x40\x7f", b"\x01\x80"]
            add(bytes([0xB0 | channel]) + rng.choice(odd))
        if rng.random() < 0.2:
            running = -1  # a program over 127 would be a status
            add(bytes([0xC0 | channel, rng.randrange(256)]))
        if letter is None:
            waiting += steps * ticks // 4
            continue
        pitch = 60 + _LETTERS[letter] + 12 * letter.islower()
        add(bytes([0x90 | channel, pitch, rng.randrange(1, 256)]))
        waiting += steps * ticks // 4
        off = 0x90 if strikes_off else 0x80
        add(bytes([off | channel, pitch, 0]))
    if rng.random() < 0.8:
        content += b"\0\xff\x2f\0"
        length = len(content) + rng.choice([0, 0, 0, 3, -2])
    else:
        length = len(content)
    tracks = [b"MTrk" + length.to_bytes(4, "big") + content]
    if rng.random() < 0.5:
        tracks.insert(0, b"MTrk\0\0\0\4\0\xff\x2f\0")
    if rng.random() < 0.3:
        tracks.insert(0, b"XFIH\0\0\0\5hello")
    declared = rng.choice([len(tracks), 1, 0, 40])
    head = b"MThd\0\0\0\6\0\1" + declared.to_bytes(2, "big") + ticks.to_bytes(2, "big")
    data = head + b"".join(tracks)
    if rng.random() < 0.2:
        rest = len(data).to_bytes(4, "little")
        data = (
            b"RIFF" + (len(data) + 12).to_bytes(4, "little") + b"RMIDdata" + rest + data
        )
    elif rng.random() < 0.2:
        data += b"\0" * 7
    return data


_IN_A_LINE = [
    '"^Second part"',
    "!trill!",
    "!^!",
    "!-(!",
    "!D.C. al fine!",
    "+fermata+",
    "{gf}",
    "[N:slow, and a face]",
    '[Q:"rit."]',
    "[U:T=!trill!]",
    "[r:a remark]",
    "~",
    ".",
    "\u00a0",
    " ",
    "`",
    "(",
]
_LINES = [
    "% softly\u0085A bad cab",
    "w: do re\u2028 fade bag",
    "+: fa dab",
    '"_alone"',
    "!segno!",
    "%%beginps\n/abc{C D E}!\n\nX:9\n%%endps",
    "%%begintext\nA cabbage faded\n%%endtext",
    "%%MIDI program 20",
    "N:a face",
    "r:a remark",
    "K:clef=bass",
    "W:more A B C",
]


def _abc(rng, melody):
    bits = []
    for letter, steps in melody:
        if rng.random() < 0.3:
            bits.append(rng.choice(_IN_A_LINE))
        name = letter or "z"
        if letter and letter.islower() and rng.random() < 0.3:
            name = letter.upper() + "'"
        elif letter and letter.isupper() and rng.random() < 0.2:
            name = letter.lower() + ","
        bits.append(name + (str(steps) if steps > 1 else ""))
        if rng.random() < 0.2:
            bits.append("\n" + rng.choice(_LINES) + "\n")
        elif rng.random() < 0.1:
            bits.append(rng.choice(["\\\n", "!\n", "|\n", "| % a bar\n"]))
    head = [
        rng.choice(["T:a tune", "H:first line\nthe second cab", "C:x", "%%scale 1"])
    ]
    head += ["M:none", rng.choice(["L:1/16", "L: 1/16 % short"])]
    key = rng.choice(["K:C", "K:", "K:none", "K:Am", "K:Ddor", "K:clef=treble"])
    unit = ""
    if rng.random() < 0.2:
        head[2], unit = "L:1", "[L:1/16]"
    text = "\n".join(["X:1", *head, key, unit + "".join(bits)]) + "\n"
    text = text.replace("\n\n+", "\n+")
    while "\n\n" in text.replace("!\n\nX:9", ""):
        text = text.replace("!\n\nX:9", "!\n@X:9").replace("\n\n", "\n")
        text = text.replace("!\n@X:9", "!\n\nX:9")
    text = text.replace("\n", rng.choice(["\n", "\r\n", "\r", "\r\r\n"]))
    return text.encode(rng.choice(["utf-8", "utf-8-sig", "utf-16"]))


@pytest.mark.parametrize("write", [_midi, _abc])
def test_what_was_written_is_read(tmp_path, write):
    suffixes = {_midi: [".mid", ".KAR", ".smf", ".rmi"], _abc: [".abc", ".ABC"]}[write]
    for seed in range(150):
        rng = random.Random(seed)
        melody = _melody(rng)
        name = f"{seed}{rng.choice(suffixes)}"
        (tmp_path / name).write_bytes(write(rng, melody))
        report = tune_reader.read_file(tmp_path, name, _RULES)
        assert not report.unreadable + report.unsuitable, name
        (tune,) = report.tunes
        assert _trimmed(tune.events) == _trimmed(_events(melody)), name


def _trimmed(events):
    return events[: 1 + max(i for i, event in enumerate(events) if event >= 0)]
