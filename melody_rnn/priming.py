"""What melodies begin from in training: a random note, or melodies that are read first.

The modes have the names of Magenta's rl_tuner. It samples one more note after the
primer and takes that for the first observation; here the primer's last event is.
"""

from __future__ import annotations

import glob
import os
import pathlib
from collections.abc import Sequence
from typing import Any

from absl import flags

from melody_rnn import encoding
from melody_rnn.encoding import NoteRange
from melody_rnn.music_theory.musical_key import Key
from rl_tuner.errors import UserError

FLAGS = flags.FLAGS
PRIMING_MODES = ("random_note", "random_midi", "single_midi")
_SETTINGS = ("primer_midi", "primer_melody", "training_data_path", "primer_steps")


def define_primer_flags() -> None:
    """Defines the flags that give one primer; Magenta's names."""
    flags.DEFINE_string("primer_midi", "", "MIDI file of a melody to continue.")
    flags.DEFINE_alias("midi_primer", "primer_midi")
    flags.DEFINE_string(
        "primer_melody",
        "",
        "A melody to continue, an event a sixteenth: a MIDI pitch, -2 for no event, -1 "
        "for note off; e.g. '[60, -2, 64, -2]'.",
    )


def define_priming_flags() -> None:
    """Defines the flags that choose what melodies begin from in training."""
    flags.DEFINE_string(
        "priming_mode",
        "random_note",
        "What a melody begins from, which is not part of it: random_note; random_midi, "
        "the beginning of a random melody of --training_data_path; or single_midi, "
        "always --primer_midi or --primer_melody.",
    )
    define_primer_flags()
    flags.DEFINE_string(
        "training_data_path",
        "",
        "For random_midi: TFRecords of melodies in Magenta's layout, as a glob "
        "pattern, or what note_rnn_create_dataset wrote.",
    )
    flags.DEFINE_integer(
        "primer_steps", 16, "For random_midi: sixteenths of each melody that are read."
    )


def settings_from_flags() -> dict[str, Any]:
    """The settings that `take_primers` reads; none for random notes.

    Raises:
      UserError: flags are missing or do not go together.
    """
    mode = FLAGS.priming_mode
    if mode not in PRIMING_MODES:
        raise UserError(
            f"unknown --priming_mode={mode}; choose one of {', '.join(PRIMING_MODES)}"
        )
    num_primers = bool(FLAGS.primer_midi) + bool(FLAGS.primer_melody)
    if num_primers != (mode == "single_midi"):
        raise UserError(
            "--priming_mode=single_midi goes with one of --primer_midi and "
            "--primer_melody, and they with no other mode"
        )
    if bool(FLAGS.training_data_path) != (mode == "random_midi"):
        raise UserError(
            "--priming_mode=random_midi and --training_data_path go together"
        )
    if FLAGS.primer_steps < 1:
        raise UserError(f"--primer_steps={FLAGS.primer_steps} must be at least 1")
    settings: dict[str, Any] = {}
    if mode != "random_note" or FLAGS["priming_mode"].present:
        settings["priming_mode"] = mode
    if mode == "single_midi":
        settings["primer_melody"] = FLAGS.primer_melody
        settings["primer_midi"] = _absolute(FLAGS.primer_midi)
    elif mode == "random_midi":
        settings["training_data_path"] = _absolute(FLAGS.training_data_path)
        settings["primer_steps"] = FLAGS.primer_steps
    return settings


def take_primers(settings: dict[str, Any]) -> list[list[int]] | None:
    """Removes the settings of priming, and returns the primers that they mean.

    Returns:
      melodies of one length [K, P], one of which begins each melody; None for random
      notes.

    Raises:
      UserError: they cannot be read.
    """
    mode = settings.pop("priming_mode", "random_note")
    midi, melody, path, steps = (settings.pop(name, "") for name in _SETTINGS)
    if mode == "single_midi":
        return [read_primer(midi, melody)]
    if mode == "random_midi":
        return _beginnings(path, steps)
    return None


def primer_files(settings: dict[str, Any]) -> list[pathlib.Path]:
    """The files that `take_primers` reads of these settings."""
    midi, path = (settings.get(name) for name in ("primer_midi", "training_data_path"))
    return [pathlib.Path(midi)] if midi else _melody_files(path)[1] if path else []


def read_primer(
    midi: str, melody: str, notes: NoteRange = encoding.OUR_NOTES
) -> list[int]:
    """The classes of the one of a MIDI file and a written melody that is given."""
    from melody_rnn.notation.midi import parse_primer_melody, read_primer_midi

    if midi:
        return read_primer_midi(midi, notes)
    return parse_primer_melody(melody, notes)


def transposed(
    primer: Sequence[int], notes: NoteRange, key: Key
) -> tuple[list[int], int]:
    """A primer in a model's key and notes, as melody_rnn_generate squashes it.

    The major key that fits its notes best becomes the one whose notes `key` has, in the
    octave that is nearest to the middle of the notes; what still lies outside is folded
    into their lowest or highest octave.

    Args:
      primer: of classes that stand for all notes.
      notes: the model's.
      key: the model's.

    Returns:
      its classes for the model's notes, and the semitones that it was moved up.
    """
    import note_seq  # a second to import: only for those who need it

    melody = note_seq.Melody(
        encoding.classes_to_melody_events(primer, encoding.ALL_NOTES)
    )
    amount = melody.squash(notes.min_note, notes.max_note + 1, key.major_tonic)
    return encoding.melody_events_to_classes(list(melody), notes), amount


def in_notes(
    primer: Sequence[int],
    notes: NoteRange,
    given: NoteRange = encoding.OUR_NOTES,
) -> list[int]:
    """A primer of classes of given notes as one of a model's.

    Raises:
      UserError: it has notes that the model has not.
    """
    events = encoding.classes_to_melody_events(primer, given)
    outside = [
        event
        for event in events
        if event >= 0 and not notes.min_note <= event <= notes.max_note
    ]
    if outside:
        raise UserError(
            f"the primer has pitch {outside[0]}, out of the model's range "
            f"{notes.min_note} to {notes.max_note}; transpose it"
        )
    return encoding.melody_events_to_classes(events, notes)


def _melody_files(path: str) -> tuple[str, list[pathlib.Path]]:
    """The pattern that a path stands for, and the files that match it."""
    from melody_rnn.note_rnn.dataset import TRAINING_STEM

    pattern = path
    if pathlib.Path(path).is_dir():
        pattern = os.path.join(glob.escape(path), f"{TRAINING_STEM}.tfrecord-*")
    return pattern, [pathlib.Path(file) for file in sorted(glob.glob(pattern))]


def _beginnings(path: str, steps: int) -> list[list[int]]:
    from melody_rnn.note_rnn.sequence_examples import read_melodies

    pattern, files = _melody_files(path)
    if not files:
        raise UserError(
            f"no file matches {pattern}; name TFRecords of melodies, or what "
            "note_rnn_create_dataset wrote, by --training_data_path"
        )
    melodies = read_melodies(files, encoding.NUM_CLASSES)
    primers = [melody[:steps].tolist() for melody in melodies if len(melody) >= steps]
    if not primers:
        raise UserError(
            f"none of the {len(melodies)} melodies of {path} has {steps} steps; give a "
            "smaller --primer_steps"
        )
    print(
        f"priming with the first {steps} steps of {len(primers)} melodies of {path}; "
        f"{len(melodies) - len(primers)} shorter ones are left out"
    )
    return primers


def _absolute(path: str) -> str:
    return os.path.abspath(os.path.expanduser(path)) if path else ""
