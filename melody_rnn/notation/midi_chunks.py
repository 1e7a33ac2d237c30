"""Finds the tracks of a MIDI file, also where it is wrapped or counts them wrongly."""

from __future__ import annotations

import dataclasses

_HEADER = b"MThd"
_HEADER_SIZE = 14
_TRACK = b"MTrk"
_CHUNK_HEAD = 8  # bytes: a name and a length
_MAX_PREFIX = 4096  # of what RIFF and old Macintoshes put before the file


class MidiError(Exception):
    """A MIDI file cannot be read; the message says why."""


@dataclasses.dataclass(frozen=True)
class Chunks:
    """A file behind its header.

    Attributes:
      ticks_per_quarter: above 0.
      declared_tracks: how many the header promises.
      body: the bytes behind the header.
    """

    ticks_per_quarter: int
    declared_tracks: int
    body: bytes


def open_file(data: bytes) -> Chunks:
    """Reads the header of a file.

    Raises:
      MidiError: it is no MIDI file, ends early, or counts time in no beats.
    """
    if _HEADER.startswith(data[:4]) and len(data) < _HEADER_SIZE:
        raise MidiError(f"damaged MIDI: {'ends early' if data else 'no bytes in it'}")
    start = data.find(_HEADER, 0, _MAX_PREFIX)
    head = data[start : start + _HEADER_SIZE]
    if start < 0 or len(head) < _HEADER_SIZE:
        raise MidiError("not a MIDI file")
    length = max(_HEADER_SIZE - _CHUNK_HEAD, int.from_bytes(head[4:8], "big"))
    tracks, division = (int.from_bytes(head[i : i + 2], "big") for i in (10, 12))
    if not division:
        raise MidiError("damaged MIDI: it divides a quarter into 0 ticks")
    if division >= 0x8000:
        raise MidiError(
            f"counts time in SMPTE frames, {256 - (division >> 8)} a second, and not "
            "in beats"
        )
    return Chunks(division, tracks, data[start + _CHUNK_HEAD + length :])


def is_boundary(body: bytes, place: int) -> bool:
    """Whether a track may end here: another begins, or only zeros follow."""
    if place > len(body) or body.startswith(_TRACK, place):
        return place <= len(body)
    return not body[place : place + 1].strip(b"\0") and not body[place:].strip(b"\0")


def next_track(body: bytes, place: int, remarks: list[str]) -> int | None:
    """Finds where the events of the next track begin, from a place on; None at the end.

    Chunks of other kinds are skipped, as the standard says; a remark names what is no
    chunk at all.
    """
    strays = 0
    found = None
    while place < len(body) and found is None:
        name = body[place : place + 4]
        events = place + _CHUNK_HEAD
        end = events + int.from_bytes(body[place + 4 : events], "big")
        if name == _TRACK and events <= len(body):
            found = events
        elif len(name) == 4 and name.isalnum() and end <= len(body):
            place = end
        else:
            end = body.find(_TRACK, place + 1)
            end = len(body) if end < 0 else end
            strays += len(body[place:end].strip(b"\0"))  # zeros fill up disks
            place = end
    if strays:
        remarks.append(f"ignored {strays} bytes that belong to no track")
    return found


def length_of_track(body: bytes, events: int) -> int:
    """How many bytes a track says it has, whose events begin at a place."""
    return int.from_bytes(body[events - 4 : events], "big")
