"""Makes a sound MIDI file of one that is damaged or odd in what are no notes.

Players take such files, and libraries refuse them, or lose notes without a word. Here
the events are gone through once: those that decide when which note sounds are kept, if
they are valid, and the others are left out, and counted if they are not.
"""

from __future__ import annotations

import collections
import dataclasses
import struct

from melody_rnn.notation import midi_chunks, midi_track
from melody_rnn.notation.midi_chunks import MidiError
from melody_rnn.notation.midi_track import Event, Track

_LONGEST_DELTA = 0x0FFFFFFF
_NO_TEXT = b"\xff\x01\x00"
_END_OF_TRACK = b"\xff\x2f\x00"


@dataclasses.dataclass(frozen=True)
class Repaired:
    """A sound file of format 1, and what it is made of.

    Attributes:
      data: its bytes: one track of tempos, meters and keys, one for each of `lines`.
      lines: the channels that have notes: (number of the track in the file that was
        read, from 1; channel, from 0).
      remarks: what was ignored, in musicians' words.
    """

    data: bytes
    lines: tuple[tuple[int, int], ...]
    remarks: tuple[str, ...]


def repair(data: bytes) -> Repaired:
    """Reads a MIDI file, whole or not.

    Raises:
      MidiError: it is no MIDI file, or no track of it can be read, or it counts no
        beats, or lasts longer than `midi_track.MAX_QUARTERS`.
    """
    chunks = midi_chunks.open_file(data)
    conductor: list[Event] = []
    lines: dict[tuple[int, int], list[Event]] = {}
    odd: collections.Counter[str] = collections.Counter()
    broken: list[str] = []
    remarks: list[str] = []
    place, number = midi_chunks.next_track(chunks.body, 0, remarks), 0
    while place is not None:
        number += 1
        track, end = _read_track(chunks.body, place, chunks.ticks_per_quarter)
        if track is None:
            is_empty = not midi_chunks.length_of_track(chunks.body, place)
            broken.append(f"track {number} {'is empty' if is_empty else 'breaks off'}")
        else:
            if track.is_resized:
                remarks.append(f"track {number} is not as long as it says")
            odd += track.odd
            conductor += track.conductor
            for channel, events in sorted(track.channels.items()):
                lines[number, channel] = events
        place = midi_chunks.next_track(chunks.body, end, remarks)
    if number != chunks.declared_tracks:
        remarks.append(f"it says it has {chunks.declared_tracks} tracks, not {number}")
    if not lines:
        if not number:
            raise MidiError("damaged MIDI: no tracks")
        if broken or number < chunks.declared_tracks:
            why = broken or [f"{chunks.declared_tracks - number} tracks are missing"]
            raise MidiError(f"damaged MIDI: {', '.join(why)}")
    remarks += [f"{what} and is left out" for what in broken]
    remarks += [
        f"ignored {_counted(count, name)} that MIDI does not allow"
        for name, count in sorted(odd.items())
    ]
    tracks = [sorted(conductor, key=lambda event: event[0]), *lines.values()]
    return Repaired(
        _written(tracks, chunks.ticks_per_quarter), tuple(lines), tuple(remarks)
    )


def _read_track(body: bytes, place: int, ticks: int) -> tuple[Track | None, int]:
    """Reads the track whose events begin at a place, where its length may be wrong.

    Returns:
      The track, or None where it is empty or breaks off; and where to look for the
      next one.
    """
    length = midi_chunks.length_of_track(body, place)
    if not length:
        return None, place
    declared = place + length
    track = midi_track.walk(body, place, min(declared, len(body)), ticks)
    is_whole = track is not None and (track.has_end or declared <= len(body))
    if track is not None and is_whole:
        rest = body[track.end : declared].strip(b"\0") if track.has_end else b""
        if not rest and midi_chunks.is_boundary(body, declared):
            return track, declared
    # As far as its end, if another begins there.
    other = None
    if track is not None or not midi_chunks.is_boundary(body, declared):
        other = midi_track.walk(body, place, len(body), ticks)
    if other is not None and other.has_end and midi_chunks.is_boundary(body, other.end):
        other.is_resized = True
        return other, other.end
    end = declared if midi_chunks.is_boundary(body, declared) else place
    return (track, max(end, track.end)) if track and is_whole else (None, end)


def _written(tracks: list[list[Event]], ticks: int) -> bytes:
    """The bytes of a MIDI file of these tracks, their events in order of time."""
    parts = [b"MThd", struct.pack(">IHHH", 6, 1, len(tracks), ticks)]
    for events in tracks:
        content = bytearray()
        now = 0
        for tick, data in events:
            delta, now = tick - now, tick
            while delta > _LONGEST_DELTA:
                content += _variable_length(_LONGEST_DELTA) + _NO_TEXT
                delta -= _LONGEST_DELTA
            content += _variable_length(delta) + data
        content += b"\0" + _END_OF_TRACK
        parts += [b"MTrk", struct.pack(">I", len(content)), bytes(content)]
    return b"".join(parts)


def _variable_length(value: int) -> bytes:
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(value & 0x7F | 0x80)
    return bytes(reversed(digits))


def _counted(count: int, name: str) -> str:
    ending = "" if count == 1 else "es" if name.endswith("x") else "s"
    return f"{count} {name}{ending}"
