"""Tunes in ABC notation: splits books into tunes and turns a tune into MIDI.

The notes are read by abc2midi, the de facto reference player, which the symusic wheel
carries. It is a program of its own, so a tune that crashes or hangs it costs one tune.
"""

import dataclasses
import os
import pathlib
import re
import subprocess
import tempfile

# The fields that decide which notes sound. All others, and directives such as
# %%MIDI, would only change how abc2midi performs them.
_FIELD = re.compile(r"([A-Za-z]):(?![:|])")  # `d:|` is music
_NOTE_FIELDS = frozenset("KLMPVm")

_PERFORMANCE = re.compile(
    r"""
      (?P<keep>\[[A-Za-z]:[^\]]*\])  # an inline field, as [K:Dmix]
    | "[^"]*"                        # chord symbols and annotations
    | ![A-Za-z0-9+<>().]+!           # decorations such as !trill!
    | \{[^}]*\}                      # grace notes have no time of their own
    | [~.`H-Wh-w]                    # decorations of one letter, and spacing
    """,
    re.VERBOSE,
)

# What abc2midi calls errors and mends without losing a note: ties written for slurs,
# repeats that are left open, stray line breaks of old software.
_MENDED = re.compile(
    r"note to be tied|note before tie|Missing :\||end repeat not found|found \[1"
    r"|found another \|:|found :: before|in middle of line ignored"
)


@dataclasses.dataclass(frozen=True)
class AbcTune:
    """One tune of an ABC file.

    Attributes:
      number: its reference number, what stands behind `X:`.
      title: its first title, or "" without one.
      text: the tune reduced to what decides its notes: fields and music.
    """

    number: str
    title: str
    text: str


class AbcError(Exception):
    """A tune cannot be read; the message says why."""


def split_tunes(data: bytes) -> list[AbcTune]:
    """Splits an ABC file, which may be a book of many tunes.

    A tune begins at an `X:` field and ends at a blank line or the next `X:`. Fields
    before the first tune hold for all tunes, as the ABC standard has it.

    Args:
      data: the file's bytes, in UTF-8 or Latin-1, with any line ends.

    Returns:
      The tunes in their order; empty if there is no `X:` field.
    """
    header: list[str] = []
    tunes: list[AbcTune] = []
    lines: list[str] | None = None
    number = title = ""

    def finish() -> None:
        if lines is not None:
            tunes.append(AbcTune(number, title, "\n".join(lines)))

    for raw in _decode(data).splitlines():
        line = raw.strip()
        field = _FIELD.match(line)
        letter, value = (field[1], line[2:].strip()) if field else ("", "")
        if letter == "X":
            finish()
            number, title = value.split("%")[0].strip(), ""
            lines = [f"X:{number}", *header]
        elif lines is None:
            if letter in _NOTE_FIELDS - {"K", "V"} and not tunes:
                header.append(_without_comment(line))
        elif not line:
            finish()
            lines = None
        elif letter == "T":
            title = title or value
        elif letter in _NOTE_FIELDS:
            lines.append(_without_comment(line))
        elif not letter and not line.startswith("%"):
            lines.append(_plain_music(_without_comment(line)))
    finish()
    return tunes


def tune_to_midi(tune: AbcTune, timeout_s: float = 10.0) -> bytes:
    """Plays a tune: repeats are taken, chords and voices kept, ornaments left out.

    Returns:
      The bytes of a MIDI file with one track per voice.

    Raises:
      AbcError: the notation is wrong, or abc2midi fails or takes over `timeout_s`.
    """
    if "\nK:" not in tune.text:
        raise AbcError("no key: a tune needs a K: field")
    with tempfile.TemporaryDirectory() as directory:
        folder = pathlib.Path(directory)
        (folder / "tune.abc").write_text(tune.text + "\n", encoding="utf-8")
        command = [_abc2midi(), "tune.abc", "-o", "tune.mid", "-NGRA", "-NGUI", "-NFER"]
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                timeout=timeout_s,
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        except subprocess.TimeoutExpired:
            raise AbcError(f"abc2midi hangs (over {timeout_s:g} s)") from None
        if done.returncode < 0:
            raise AbcError(f"abc2midi crashed with signal {-done.returncode}")
        report = done.stdout.decode("latin-1")
        for error in re.findall(r"^Error in line-char [\d-]+ : *(.+)$", report, re.M):
            if not _MENDED.search(error):
                raise AbcError(f"wrong notation: {error.strip()}")
        midi = folder / "tune.mid"
        if done.returncode or not midi.exists():
            raise AbcError("abc2midi wrote no MIDI")
        return midi.read_bytes()


def _abc2midi() -> str:
    import symusic  # noqa: F401 - tells where its abc2midi is

    return os.environ["SYMUSIC_ABC2MIDI"]


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _without_comment(line: str) -> str:
    return re.split(r"(?<!\\)%", line)[0].rstrip()


def _plain_music(line: str) -> str:
    """A line of music without what has no place in a sequence of sixteenths."""
    line = _PERFORMANCE.sub(lambda match: match["keep"] or "", line)
    return re.sub(r"\[\|\](\|\])?", "||", line)  # an invisible bar line, no chord
