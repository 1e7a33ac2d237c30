"""The 38 melody classes: no event, note off, and the pitches from C3 to B5.

One class is one sixteenth note of time. The numbering is that of note_seq's
`MelodyOneHotEncoding(48, 84)`, which Magenta's melody models are trained with, so
checkpoints, MIDI files and data sets agree on it. This module imports nothing heavy.
"""

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


def pitch_to_class(pitch: int) -> int:
    """Returns the class that starts MIDI `pitch`.

    Raises:
      ValueError: the pitch is not in `MIN_PITCH..MAX_PITCH`.
    """
    if not MIN_PITCH <= pitch <= MAX_PITCH:
        raise ValueError(f"pitch {pitch} is not in {MIN_PITCH}..{MAX_PITCH}")
    return int(pitch) - MIN_PITCH + FIRST_NOTE


def class_to_pitch(event_class: int) -> int:
    """Returns the MIDI pitch that a note class starts.

    Raises:
      ValueError: the class is not a note (not in `FIRST_NOTE..NUM_CLASSES - 1`).
    """
    if not FIRST_NOTE <= event_class < NUM_CLASSES:
        raise ValueError(
            f"class {event_class} is not a note ({FIRST_NOTE}..{NUM_CLASSES - 1})"
        )
    return int(event_class) - FIRST_NOTE + MIN_PITCH


def classes_to_melody_events(classes: Iterable[int]) -> list[int]:
    """Turns classes into the events of a note_seq `Melody`.

    Args:
      classes: any iterable of T ints in 0..37.

    Returns:
      T ints: -2 (no event), -1 (note off) or the MIDI pitch of a note that starts.

    Raises:
      ValueError: an entry is not a class.
    """
    special = {NO_EVENT: MELODY_NO_EVENT, NOTE_OFF: MELODY_NOTE_OFF}
    return [special[c] if c in special else class_to_pitch(c) for c in classes]


def melody_events_to_classes(events: Iterable[int]) -> list[int]:
    """Turns the events of a note_seq `Melody` into classes.

    Args:
      events: any iterable of T ints: -2, -1 or a MIDI pitch in 48..83.

    Returns:
      T ints in 0..37.

    Raises:
      ValueError: a pitch is out of range.
    """
    special = {MELODY_NO_EVENT: NO_EVENT, MELODY_NOTE_OFF: NOTE_OFF}
    return [special[e] if e in special else pitch_to_class(e) for e in events]
