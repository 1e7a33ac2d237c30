"""The melody classes: no event, note off, and pitches, mostly 36 from C3 to B5.

One class is one sixteenth note of time. The numbering is that of note_seq's
`MelodyOneHotEncoding(48, 84)`, which Magenta's melody models are trained with, so
checkpoints, MIDI files and data sets agree on it. This module imports nothing heavy.
"""

import dataclasses
import itertools
from collections.abc import Iterable

MIN_PITCH = 48  # C3
MAX_PITCH = 83  # B5, inclusive
NO_EVENT = 0  # what sounds goes on sounding; silence stays silent
NOTE_OFF = 1
FIRST_NOTE = 2  # the class of MIN_PITCH
NUM_CLASSES = FIRST_NOTE + MAX_PITCH - MIN_PITCH + 1
STEPS_PER_QUARTER = 4
QUARTERS_PER_MINUTE = 80.0

# note_seq's Melody writes the two events without a pitch as negative numbers.
MELODY_NO_EVENT = -2
MELODY_NOTE_OFF = -1


@dataclasses.dataclass(frozen=True)
class NoteRange:
    """The notes that classes stand for.

    Attributes:
      min_note: the lowest MIDI pitch.
      max_note: the highest, included.
    """

    min_note: int = MIN_PITCH
    max_note: int = MAX_PITCH

    @property
    def num_classes(self) -> int:
        """How many classes there are with them."""
        return FIRST_NOTE + self.max_note - self.min_note + 1


OUR_NOTES = NoteRange()
ALL_NOTES = NoteRange(0, 127)


def pitch_to_class(pitch: int, notes: NoteRange = OUR_NOTES) -> int:
    """Returns the class that starts MIDI `pitch`.

    Raises:
      ValueError: the pitch is none of the notes.
    """
    if not notes.min_note <= pitch <= notes.max_note:
        raise ValueError(f"pitch {pitch} is not in {notes.min_note}..{notes.max_note}")
    return int(pitch) - notes.min_note + FIRST_NOTE


def class_to_pitch(event_class: int, notes: NoteRange = OUR_NOTES) -> int:
    """Returns the MIDI pitch that a note class starts.

    Raises:
      ValueError: the class is not a note.
    """
    if not FIRST_NOTE <= event_class < notes.num_classes:
        raise ValueError(
            f"class {event_class} is not a note ({FIRST_NOTE}..{notes.num_classes - 1})"
        )
    return int(event_class) - FIRST_NOTE + notes.min_note


def classes_to_melody_events(
    classes: Iterable[int], notes: NoteRange = OUR_NOTES
) -> list[int]:
    """Turns classes into the events of a note_seq `Melody`.

    Args:
      classes: any iterable of T ints: 0..37 for our notes.
      notes: that the classes stand for.

    Returns:
      T ints: -2 (no event), -1 (note off) or the MIDI pitch of a note that starts.

    Raises:
      ValueError: an entry is not a class.
    """
    special = {NO_EVENT: MELODY_NO_EVENT, NOTE_OFF: MELODY_NOTE_OFF}
    return [special[c] if c in special else class_to_pitch(c, notes) for c in classes]


def melody_events_to_classes(
    events: Iterable[int], notes: NoteRange = OUR_NOTES
) -> list[int]:
    """Turns the events of a note_seq `Melody` into classes.

    Args:
      events: any iterable of T ints: -2, -1 or a MIDI pitch, 48..83 for our notes.
      notes: that the classes shall stand for.

    Returns:
      T ints: 0..37 for our notes.

    Raises:
      ValueError: a pitch is out of range.
    """
    special = {MELODY_NO_EVENT: NO_EVENT, MELODY_NOTE_OFF: NOTE_OFF}
    return [special[e] if e in special else pitch_to_class(e, notes) for e in events]


def stretches_in_notes(
    classes: Iterable[int], notes: NoteRange, given: NoteRange = OUR_NOTES
) -> list[list[int]]:
    """The stretches of a melody that other notes can say, in their classes.

    Args:
      classes: T ints, of given notes.
      notes: that the classes shall stand for; a note outside parts two stretches.
      given: that the classes stand for.
    """
    events = classes_to_melody_events(classes, given)
    parts = itertools.groupby(
        events, lambda e: e < 0 or notes.min_note <= e <= notes.max_note
    )
    return [
        melody_events_to_classes(part, notes) for is_inside, part in parts if is_inside
    ]
