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

from melody_rnn.notation import abc_lines

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
    before the first tune hold for all tunes, as the ABC standard has it. Its header
    ends with `K:`; what is no field there, as the second line of a history, is no
    music.

    Args:
      data: the file's bytes, in UTF-8, UTF-16 or Windows' Western encoding, with any
        line ends.

    Returns:
      The tunes in their order; empty if there is no `X:` field.
    """
    header: list[str] = []
    tunes: list[AbcTune] = []
    lines: list[str] | None = None
    number = title = ""
    in_body = False  # behind the first K:

    def finish() -> None:
        if lines is not None:
            text = abc_lines.played_out("\n".join(lines))
            tunes.append(AbcTune(number, title, text))

    for line in abc_lines.source_lines(abc_lines.decode(data)):
        letter, value = abc_lines.field(line)
        if letter == "X":
            finish()
            number, title = abc_lines.without_comment(value).strip(), ""
            lines, in_body = [f"X:{number}", *header], False
        elif lines is None:
            if letter in abc_lines.NOTE_FIELDS - {"K", "V"} and not tunes:
                header.append(f"{letter}:{abc_lines.plain_field(letter, value)}")
        elif not line.strip():
            finish()
            lines = None
        elif letter == "T":
            title = title or value
        elif letter in abc_lines.NOTE_FIELDS:
            value = abc_lines.plain_field(letter, value, in_body)
            lines += [f"{letter}:{value}"] if value else []
            in_body = in_body or letter == "K"
        elif in_body and abc_lines.is_music(line):
            # An empty line would be the end of the tune: a line of no notes is none.
            music = abc_lines.plain_music(line)
            lines += [music] if music.strip() else []
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
