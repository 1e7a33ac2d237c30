"""The lines of an ABC file, reduced to what abc2midi needs to find the notes."""

from __future__ import annotations

import codecs
import quopri
import re

# The fields that decide which notes sound. All others, and directives such as
# %%MIDI, would only change how abc2midi performs them.
NOTE_FIELDS = frozenset("KLMPVm")

_FIELD = re.compile(r"([A-Za-z]):(?![:|])(.*)", re.DOTALL)  # `d:|` is music
_CONTINUED_FIELD = re.compile(r"\+:")
# LF, CR LF and CR, and CR CR LF where a line end was converted twice; nothing else
# that Python takes for a line end, such as the ellipsis of Windows' encoding.
_LINE_END = re.compile(r"\r*\n|\r")
_MAIL, _NO_MAIL = re.compile(rb"=3D|=20\r?\n"), re.compile(rb"=(?![\dA-F]{2}|\r?\n)")
_BLOCK_BEGIN = re.compile(r"%%\s*begin(\w+)")

_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le"}
_MARKS[codecs.BOM_UTF16_BE] = "utf-16-be"
# What word processors make of spaces and quotes, and what no music holds.
_PLAIN = str.maketrans(
    dict.fromkeys("\x0b\x0c\u00a0\u2002\u2003\u2009\u2028\u2029", " ")
    | dict.fromkeys("“”„", '"')
    | dict.fromkeys("\x00\u200b\ufeff", "")
)

_PERFORMANCE = re.compile(
    r"""
      \[(?P<letter>[A-Za-z]):(?P<value>[^\]]*)\]  # an inline field, as [K:Dmix]
    | "[^"]*"                 # chord symbols and annotations
    | ![^!|]*!                # decorations such as !trill!; a bar line stands in none
    | \+(?P<plus>[^+|]*)\+    # the same of old, +trill+, and chords of old, +CEG+
    | \{[^}]*\}               # grace notes have no time of their own
    | (?P<pitch>[A-Ga-g][,']+)  # C' is c
    | [~.`H-Wh-w!]            # decorations of one letter, spacing, old line breaks
    """,
    re.VERBOSE,
)
_OLD_CHORD = re.compile(r"(?:[\^_=]*[A-Ga-g][,'\d/]*)+")
_OLD_DECORATION = re.compile(r"\S*[h-wyH-WY.<>()]\S*")

# A key that only names a clef, or accidentals of its own.
_KEYLESS = re.compile(
    r"(?:treble|alto|tenor|bass|perc|clef|middle|m|octave|transpose|staff|exp)\b"
    r"|[\^_=]",
    re.IGNORECASE,
)
_REPEATED = re.compile(r"\|(::+)(?!\|)(.*?)(::+)\|", re.DOTALL)
_NO_PLAIN_PASSAGE = re.compile(r":\||\|:|::|\[V:|^V:|[|\[]\s*\d", re.MULTILINE)


def decode(data: bytes) -> str:
    """The text of a file in UTF-8, UTF-16 or Windows' Western encoding.

    Tunes that were saved from mail may be in its quoted-printable, where =3D is an
    equals sign: no note is called 3D.
    """
    if _MAIL.search(data) and not _NO_MAIL.search(data):
        data = quopri.decodestring(data)
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, errors="replace")
    # UTF-16 without its mark: a tune begins with an X and a colon.
    for encoding in ("utf-16-le", "utf-16-be"):
        if b"X:" not in data and data.find("X:".encode(encoding)) % 2 == 0:
            return data.decode(encoding, errors="replace")
    for encoding in ("utf-8", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def source_lines(text: str) -> list[str]:
    """The lines of a file without blocks of typeset text, PostScript and the like.

    A block that does not end is one line, as it stands.
    """
    lines = [line.strip("\ufeff \t\x0b\x0c") for line in _LINE_END.split(text)]
    kept: list[str] = []
    place = 0
    while place < len(lines):
        block = _BLOCK_BEGIN.match(lines[place])
        if block:
            end = re.compile(rf"%%\s*end{block[1]}\b")
            rest = range(place + 1, len(lines))
            place = next((i for i in rest if end.match(lines[i])), place)
        else:
            kept.append(lines[place])
        place += 1
    return kept


def field(line: str) -> tuple[str, str]:
    """The letter of an information field and what it says, or twice ""."""
    match = _FIELD.match(line)
    return (match[1], match[2].strip()) if match else ("", "")


def is_music(line: str) -> bool:
    """Whether a line in the body of a tune holds music."""
    is_other = line.startswith("%") or _CONTINUED_FIELD.match(line) or field(line)[0]
    return not is_other


def plain_field(letter: str, value: str, in_body: bool = False) -> str:
    """What a field says, in a way that abc2midi understands; "" where it says nothing.

    Args:
      letter: one of `NOTE_FIELDS`.
      value: what stands behind the colon.
      in_body: whether notes precede it.
    """
    value = without_comment(value).translate(_PLAIN).strip()
    if letter == "L":
        value = value.replace(" ", "")
        return f"{value}/1" if value.isdigit() else value
    if letter == "M":
        return value or "none"
    if letter == "K":
        value = value.replace("♭", "b").replace("♯", "#")
        value = re.sub(r"(?<=[a-gA-G])(?=[\^_=])", " ", value)  # two accidentals
        if not value:
            return "none"
        if _KEYLESS.match(value):
            # In the body a clef leaves the key as it is.
            is_clef = in_body and value[0] not in "^_="
            return "" if is_clef else f"none {value}"
    return value


def without_comment(line: str) -> str:
    """The part of a line before a % that is not escaped."""
    return re.split(r"(?<!\\)%", line)[0].rstrip()


def plain_music(line: str) -> str:
    """A line of music without what has no place in a sequence of sixteenths."""
    line = without_comment(line).translate(_PLAIN)
    line = _PERFORMANCE.sub(_plain_part, line)
    return re.sub(r"\[\|\](\|\])?", "||", line).rstrip()  # an invisible bar line


def _plain_part(match: re.Match[str]) -> str:
    """What is left of one match of `_PERFORMANCE`."""
    if match["letter"]:
        letter = match["letter"]
        value = ""
        if letter in NOTE_FIELDS:
            value = plain_field(letter, match["value"], in_body=True)
        return f"[{letter}:{value}]" if value else ""
    if match["plus"] is not None:
        if _OLD_CHORD.fullmatch(match["plus"]):
            return f"[{match['plus']}]"
        return "" if _OLD_DECORATION.fullmatch(match["plus"]) else match[0]
    if match["pitch"]:
        return _plain_pitch(match["pitch"])
    return ""


def _plain_pitch(pitch: str) -> str:
    """A pitch with its octave marks on the side that abc2midi reads them on."""
    letter, marks = pitch[0], pitch[1:]
    octave = letter.islower() + marks.count("'") - marks.count(",")
    if octave > 0:
        return letter.lower() + "'" * (octave - 1)
    return letter.upper() + "," * -octave


def played_out(text: str) -> str:
    """A tune with the passages between |:: and ::| played three times, and so on.

    abc2midi plays them twice. Passages with endings or repeats of their own stay.
    """

    def passage(match: re.Match[str]) -> str:
        before, music, after = match.groups()
        if before != after or _NO_PLAIN_PASSAGE.search(music):
            return match[0]
        return f"|:{music}:|" + f"{music}|" * (len(after) - 1)

    return _REPEATED.sub(passage, text)
