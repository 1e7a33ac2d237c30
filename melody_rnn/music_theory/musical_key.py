"""Major and minor keys and the modes, in terms of the melody classes."""

import dataclasses
import functools
import re
from typing import Any

from melody_rnn import encoding
from rl_tuner.errors import UserError

SEMITONES = 12
_MIDDLE_C = 60
_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_ACCIDENTALS = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}
_MAJOR = (0, 2, 4, 5, 7, 9, 11)
# From which degree of a major scale the notes of a mode are counted.
_MODES = {
    "major": 0,
    "ionian": 0,
    "dorian": 1,
    "phrygian": 2,
    "lydian": 3,
    "mixolydian": 4,
    "minor": 5,
    "aeolian": 5,
    "locrian": 6,
}
_KEY = re.compile(r"([A-G])([#b♯♭]?)\s*([A-Z]*)", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Key:
    """A major or natural minor key, or a mode of the same notes.

    Attributes:
      tonic: pitch class of the tonic; 0 is C, 11 is B.
      scale: the seven degrees of the scale in semitones above the tonic.
      notes: that classes stand for; at least an octave.
    """

    tonic: int
    scale: tuple[int, ...]
    notes: encoding.NoteRange = encoding.OUR_NOTES

    @property
    def tonic_class(self) -> int:
        """The class of the tonic in the octave from middle C (C4) to B4.

        Where that is none of the notes it is the one nearest to it by octaves.
        """
        pitch = _MIDDLE_C + self.tonic
        while pitch > self.notes.max_note:
            pitch -= SEMITONES
        while pitch < self.notes.min_note:
            pitch += SEMITONES
        return encoding.pitch_to_class(pitch, self.notes)

    @property
    def third(self) -> int:
        """Semitones from the tonic to the third degree: 4 in major, 3 in minor."""
        return self.scale[2]

    @property
    def fifth(self) -> int:
        """Semitones from the tonic to the fifth degree: 7."""
        return self.scale[4]

    @property
    def classes(self) -> tuple[int, ...]:
        """The classes in key, ascending: no event, note off and the scale's notes.

        Every key has 23 of them where the notes span three whole octaves.
        """
        notes = range(encoding.FIRST_NOTE, self.notes.num_classes)
        return (
            encoding.NO_EVENT,
            encoding.NOTE_OFF,
            *(note for note in notes if self.degree(note) in self.scale),
        )

    @property
    def two_octave_scale(self) -> tuple[int, ...]:
        """The classes of the scale from an octave below the tonic class to one above.

        In C major the 15 notes from C3 to C5.
        """
        lowest, highest = self.tonic_class - SEMITONES, self.tonic_class + SEMITONES
        return tuple(c for c in self.classes if lowest <= c <= highest)

    @property
    def major_tonic(self) -> int:
        """Pitch class of the tonic of the major key of the same notes."""
        pitches = {(self.tonic + note) % SEMITONES for note in self.scale}
        return next(
            tonic
            for tonic in range(SEMITONES)
            if pitches == {(tonic + note) % SEMITONES for note in _MAJOR}
        )

    def degree(self, note: Any) -> Any:
        """Returns the semitones of a note class above the tonic, in 0..11.

        Takes an int, or an array or tensor of ints.
        """
        lowest = (encoding.FIRST_NOTE - self.notes.min_note + self.tonic) % SEMITONES
        return (note - lowest) % SEMITONES


@functools.lru_cache(maxsize=64)
def parse_key(name: str, notes: encoding.NoteRange = encoding.OUR_NOTES) -> Key:
    """Reads the name of a key: "C major", "F#m", "Bb minor", "D dorian", "G mix".

    The mode may be cut to three letters, as in ABC, and minor to m.

    Args:
      name: of the key.
      notes: that classes stand for.

    Raises:
      UserError: the name is not a letter A to G, at most one # or b, and a mode, or the
        notes are less than an octave.
    """
    if notes.max_note - notes.min_note + 1 < SEMITONES:
        raise UserError(
            f"the notes {notes.min_note} to {notes.max_note} are less than an octave, "
            "in which no key has all of its notes; choose a model of more"
        )
    match = _KEY.fullmatch(name.strip())
    mode = _mode(match[3].lower()) if match else None
    if not match or mode is None:
        raise UserError(
            f"unknown key {name!r}; write a letter from A to G, # or b if need be, "
            'and major, minor or a mode, as in "C major", "Bb minor" or "D dorian"'
        )
    first = _MODES[mode]
    scale = (*_MAJOR[first:], *(note + SEMITONES for note in _MAJOR[:first]))
    tonic = _LETTERS[match[1].upper()] + _ACCIDENTALS[match[2].lower()]
    return Key(tonic % SEMITONES, tuple(note - _MAJOR[first] for note in scale), notes)


def _mode(name: str) -> str | None:
    """The mode that a name, or the first three letters of one, means."""
    if name == "m":
        return "minor"
    found = [mode for mode in _MODES if len(name) >= 3 and mode.startswith(name)]
    return found[0] if found else None
