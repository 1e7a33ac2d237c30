"""Reads MIDI files of any make: who plays which notes when, tempos, meters and keys."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

from melody_rnn.notation import midi_repair
from melody_rnn.notation.midi_chunks import MidiError as MidiError

_DRUM_CHANNEL = 9
_DEFAULT_QPM = 120.0  # of a file that names none, by the standard
_FIFTH, _OCTAVE = 7, 12


@dataclasses.dataclass(frozen=True, order=True)
class Note:
    """One note, in ticks."""

    start: int
    end: int
    pitch: int


@dataclasses.dataclass(frozen=True)
class Line:
    """What one player plays.

    Attributes:
      notes: in order of time, each at least a tick long.
      is_drums: whether the pitches mean drums.
    """

    notes: tuple[Note, ...]
    is_drums: bool


@dataclasses.dataclass(frozen=True)
class Music:
    """A MIDI file.

    Attributes:
      ticks_per_quarter: of all times.
      lines: the channels of each track; where they take turns they are one line,
        whatever the programs.
      tempos: (tick, quarters a minute), wherever they stand in the file.
      meters: (tick, numerator, denominator).
      keys: (tick, pitch class of the tonic of the major key with that signature).
      remarks: what was ignored, in musicians' words.
    """

    ticks_per_quarter: int
    lines: tuple[Line, ...]
    tempos: tuple[tuple[int, float], ...]
    meters: tuple[tuple[int, int, int], ...]
    keys: tuple[tuple[int, int], ...]
    remarks: tuple[str, ...]

    def qpm(self, tick: int) -> float:
        """The tempo that holds at a tick, in quarters a minute."""
        return next(
            (qpm for start, qpm in reversed(self.tempos) if start <= tick), _DEFAULT_QPM
        )

    def key(self, tick: int) -> int | None:
        """The key that holds at a tick, as in `keys`; None if the file names none."""
        return next((key for start, key in reversed(self.keys) if start <= tick), None)

    def seconds(self, tick: int) -> float:
        """When a tick is, by the tempos before it."""
        changes = sorted({0, tick, *(t for t, _ in self.tempos if t < tick)})
        return sum(
            (end - start) * 60 / (self.qpm(start) * self.ticks_per_quarter)
            for start, end in itertools.pairwise(changes)
        )

    def step(self, tick: int, steps_per_quarter: int) -> int:
        """The step that is nearest to a tick, the later of two."""
        twice = 2 * self.ticks_per_quarter
        return (2 * tick * steps_per_quarter + self.ticks_per_quarter) // twice

    def takes_turns(self, note: Note, following: Note) -> bool:
        """Whether a note ends about when the next one begins, and is in no chord."""
        distance = following.start - note.start
        return distance > 0 and 2 * (note.end - following.start) <= distance


def read_midi(data: bytes) -> Music:
    """Reads a MIDI file.

    Raises:
      MidiError: it is none, or damaged so that no track of it can be read, counts no
        beats, or is absurdly long.
    """
    import symusic

    repaired = midi_repair.repair(data)
    score: Any = symusic.Score.from_midi(repaired.data)
    channels: dict[int, list[Line]] = {}
    for (track, channel), part in zip(repaired.lines, score.tracks, strict=True):
        found = (Note(n.time, n.end, n.pitch) for n in part.notes if n.duration > 0)
        line = Line(tuple(sorted(found)), channel == _DRUM_CHANNEL)
        channels.setdefault(track, []).append(line)
    lines = [
        line
        for parts in channels.values()
        for line in _joined(parts, score.ticks_per_quarter)
        if line.notes
    ]
    return Music(
        score.ticks_per_quarter,
        tuple(lines),
        tuple((tempo.time, tempo.qpm) for tempo in score.tempos),
        tuple((m.time, m.numerator, m.denominator) for m in score.time_signatures),
        tuple((key.time, key.key * _FIFTH % _OCTAVE) for key in score.key_signatures),
        repaired.remarks,
    )


def note_sequence(music: Music, steps_per_quarter: int) -> Any:
    """Music in steps, as a quantized `note_seq.NoteSequence` in 4/4.

    Its instruments are the lines in their order. Each note lasts a step at least.
    """
    from note_seq.protobuf import music_pb2

    sequence = music_pb2.NoteSequence()
    sequence.quantization_info.steps_per_quarter = steps_per_quarter
    sequence.time_signatures.add(numerator=4, denominator=4)
    for instrument, line in enumerate(music.lines):
        for note in line.notes:
            start = music.step(note.start, steps_per_quarter)
            end = max(start + 1, music.step(note.end, steps_per_quarter))
            sequence.notes.add(
                pitch=note.pitch,
                velocity=100,
                quantized_start_step=start,
                quantized_end_step=end,
                instrument=instrument,
                is_drum=line.is_drums,
            )
            sequence.total_quantized_steps = max(sequence.total_quantized_steps, end)
    return sequence


def _joined(parts: list[Line], ticks_per_quarter: int) -> list[Line]:
    """The channels of one track as one line, where they take turns.

    They do if never two notes sound together for over a sixteenth, as in legato.
    """
    pitched = [line for line in parts if not line.is_drums]
    notes = sorted(note for line in pitched for note in line.notes)
    for note, following in itertools.pairwise(notes):
        is_later = note.start < following.start
        if not is_later or note.end - following.start > ticks_per_quarter / 4:
            return parts
    drums = [line for line in parts if line.is_drums]
    return [Line(tuple(notes), False), *drums]
