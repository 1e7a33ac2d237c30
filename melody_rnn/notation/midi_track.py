"""Goes through the events of one track of a MIDI file, and keeps what is valid."""

from __future__ import annotations

import collections
import dataclasses

from melody_rnn.notation.midi_chunks import MidiError

MAX_QUARTERS = 25_000  # 100,000 sixteenths; what is longer is a broken file

_META, _SYSEX, _SYSEX_MORE = 0xFF, 0xF0, 0xF7
_END, _TEMPO, _METER, _KEY = 0x2F, 0x51, 0x58, 0x59
_NOTE_OFF, _NOTE_ON, _CONTROLLER = 0x8, 0x9, 0xB
_SILENCING = (120, 123)  # controllers: all sound off, all notes off
_ONE_BYTE = (0xC, 0xD)
_NAMES = {
    0xA: "pressure",
    0xB: "controller",
    0xC: "program",
    0xD: "pressure",
    0xE: "pitch bend",
}
_META_NAMES = {
    0x00: "sequence number",
    0x20: "channel prefix",
    0x21: "port",
    _TEMPO: "tempo",
    0x54: "SMPTE offset",
    _METER: "meter",
    _KEY: "key signature",
}

# A tick, and the bytes of an event without its delta time.
Event = tuple[int, bytes]


@dataclasses.dataclass
class Track:
    """What one track holds.

    Attributes:
      conductor: its tempos, meters and keys.
      channels: by channel, notes on and off, each on with its off.
      odd: how many events of which kind were left out, because they hold what MIDI
        does not allow.
      end: where its last event ends.
      has_end: whether that is the mark of its end.
      is_resized: whether the track is not as long as it says.
    """

    conductor: list[Event] = dataclasses.field(default_factory=list)
    channels: dict[int, list[Event]] = dataclasses.field(default_factory=dict)
    odd: collections.Counter[str] = dataclasses.field(
        default_factory=collections.Counter
    )
    end: int = 0
    has_end: bool = False
    is_resized: bool = False


def walk(body: bytes, place: int, end: int, ticks_per_quarter: int) -> Track | None:
    """Reads events from a place up to the mark of the end, or to `end`.

    Returns:
      The track; None if an event breaks off or makes no sense.

    Raises:
      MidiError: a note lies beyond `MAX_QUARTERS`.
    """
    walker = _Walker(MAX_QUARTERS * ticks_per_quarter)
    try:
        return walker.walk(body, place, end)
    except _BreaksOffError:
        return None


class _BreaksOffError(Exception):
    """An event is not whole, or none that MIDI knows."""


class _Walker:
    """Builds a `Track` event by event."""

    def __init__(self, last_tick: int):
        self.track = Track()
        self._last_tick = last_tick
        self._sounding: dict[tuple[int, int], int] = {}  # (channel, pitch): begin
        self._struck_anew: dict[tuple[int, int], int] = {}

    def walk(self, body: bytes, place: int, end: int) -> Track:
        """Reads all events; see the function of the same name."""
        tick = running = 0
        while place < end:
            delta, place = _variable_length(body, place, end)
            tick += delta
            status = _byte(body, place, end)
            if status >= 0x80:
                place += 1
            elif running:
                status = running
            else:
                raise _BreaksOffError
            if status == _META:
                kind = _byte(body, place, end)
                data, place = _counted(body, place + 1, end)
                if kind == _END:
                    self.track.has_end = True
                    break
                self._meta(tick, kind, data)
            elif status in (_SYSEX, _SYSEX_MORE):
                data, place = _counted(body, place, end)
                if status == _SYSEX and max(data[:-1], default=0) >= 0x80:
                    self.track.odd["system exclusive message"] += 1
            elif status > _SYSEX:  # of live MIDI, not of files
                self.track.odd["system message"] += 1
                place += {0xF1: 1, 0xF2: 2, 0xF3: 1}.get(status, 0)
            else:
                running = status
                size = 1 if status >> 4 in _ONE_BYTE else 2
                if place + size > end:
                    raise _BreaksOffError
                self._message(tick, status, body[place : place + size])
                place += size
        self._silence(min(tick, self._last_tick))
        self.track.end = place
        return self.track

    def _meta(self, tick: int, kind: int, data: bytes) -> None:
        if kind in _META_NAMES and not _is_valid(kind, data):
            self.track.odd[_META_NAMES[kind]] += 1
        elif kind in (_TEMPO, _METER, _KEY) and tick <= self._last_tick:
            event = bytes([_META, kind, len(data)]) + data
            self.track.conductor.append((tick, event))

    def _message(self, tick: int, status: int, data: bytes) -> None:
        kind, channel = status >> 4, status & 0xF
        if kind not in (_NOTE_OFF, _NOTE_ON):
            if max(data) >= 0x80:
                self.track.odd[_NAMES[kind]] += 1
            elif kind == _CONTROLLER and data[0] in _SILENCING:
                self._silence(tick, channel)
            return
        pitch, velocity = data
        if tick > self._last_tick:
            raise MidiError(f"lasts over {MAX_QUARTERS} quarters")
        if pitch >= 0x80:
            self.track.odd["note"] += 1
        elif kind == _NOTE_ON and velocity:
            self._strike(tick, channel, pitch, min(velocity, 127))
        elif self._struck_anew.get((channel, pitch)) != tick:
            # Else the note before is meant, which has ended already.
            self._release(tick, channel, pitch)

    def _strike(self, tick: int, channel: int, pitch: int, velocity: int) -> None:
        key = channel, pitch
        if self._sounding.get(key) == tick:
            return  # the same note twice
        if key in self._sounding:
            self._release(tick, channel, pitch)
            self._struck_anew[key] = tick
        self._sounding[key] = tick
        self._add(tick, channel, bytes([_NOTE_ON << 4 | channel, pitch, velocity]))

    def _release(self, tick: int, channel: int, pitch: int) -> None:
        if self._sounding.pop((channel, pitch), None) is not None:
            self._add(tick, channel, bytes([_NOTE_OFF << 4 | channel, pitch, 0]))

    def _silence(self, tick: int, channel: int | None = None) -> None:
        """Ends what sounds in one channel or in all."""
        for other, pitch in list(self._sounding):
            if channel in (None, other):
                self._release(tick, other, pitch)

    def _add(self, tick: int, channel: int, event: bytes) -> None:
        self.track.channels.setdefault(channel, []).append((tick, event))


def _is_valid(kind: int, data: bytes) -> bool:
    """Whether a meta event says what its kind may say."""
    if kind == _TEMPO:
        return len(data) == 3 and any(data)
    if kind == _METER:
        return len(data) == 4 and data[0] > 0 and data[1] <= 6  # 64ths
    if kind == _KEY:
        sharps = int.from_bytes(data[:1], "big", signed=True)
        return len(data) == 2 and -7 <= sharps <= 7 and data[1] <= 1
    if kind == 0x54:
        return len(data) == 5 and data[0] < 0x80
    return len(data) == 1 or (kind == 0 and len(data) in (0, 2))


def _byte(body: bytes, place: int, end: int) -> int:
    if place >= end:
        raise _BreaksOffError
    return body[place]


def _variable_length(body: bytes, place: int, end: int) -> tuple[int, int]:
    """A number of MIDI's variable length, and where the next byte is."""
    value = 0
    for index in range(place, place + 4):
        byte = _byte(body, index, end)
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, index + 1
    raise _BreaksOffError


def _counted(body: bytes, place: int, end: int) -> tuple[bytes, int]:
    """Bytes behind their number, and where the next one is."""
    size, place = _variable_length(body, place, end)
    if place + size > end:
        raise _BreaksOffError
    return body[place : place + size], place + size
