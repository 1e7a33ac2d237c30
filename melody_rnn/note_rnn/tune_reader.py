"""Reads files of any kind we know into melodies, several at a time."""

import concurrent.futures
import dataclasses
import functools
import multiprocessing
import pathlib
import signal
from collections.abc import Iterable, Iterator

from melody_rnn.notation import abc_notation
from melody_rnn.notation.midi_files import MidiError
from melody_rnn.note_rnn import melody_extraction
from melody_rnn.note_rnn.melody_extraction import ExtractionRules
from rl_tuner.system.whole_files import read_whole

_MAX_FILE_BYTES = 64 * 2**20


@dataclasses.dataclass(frozen=True)
class Tune:
    """One melody in its original key.

    Attributes:
      name: file, and the tune within it.
      events: the events of a note_seq `Melody`, one per sixteenth.
      key: what the file says of it, as `melody_extraction.Extraction.keys`.
    """

    name: str
    events: list[int]
    key: int | None = None


@dataclasses.dataclass
class FileReport:
    """What a file gave.

    Attributes:
      name: the file.
      tunes: its melodies.
      unreadable: (what, reason) for each part, or the file itself, that is damaged.
      unsuitable: (what, reason) for what could be read but is not a melody.
      ignored: (what, remark) for what is damaged beside the notes that were read.
      num_pieces: pieces in the file: the tunes of an ABC book, 1 for MIDI.
      merged_notes: notes left out because a higher one starts on the same step.
    """

    name: str
    tunes: list[Tune] = dataclasses.field(default_factory=list)
    unreadable: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    unsuitable: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    ignored: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    num_pieces: int = 0
    merged_notes: int = 0


def read_files(
    root: pathlib.Path,
    names: Iterable[str],
    rules: ExtractionRules,
    num_workers: int = 1,
) -> Iterator[FileReport]:
    """Reads files in their order, in `num_workers` processes.

    MIDI is read by Python code and ABC by a program of its own with a time limit, so
    no damaged file can take a worker down.
    """
    read = functools.partial(read_file, root, rules=rules)
    if num_workers == 1:
        yield from map(read, names)
        return
    # Spawned, not forked: the caller may hold TensorFlow's threads.
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(
        num_workers, context, initializer=_begin_worker
    ) as pool:
        yield from pool.map(read, names, chunksize=4)


def _begin_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its workers


def read_file(root: pathlib.Path, name: str, rules: ExtractionRules) -> FileReport:
    """Reads one MIDI or ABC file; what cannot be read is in the report."""
    report = FileReport(name)
    try:
        if (root / name).stat().st_size > _MAX_FILE_BYTES:
            report.unreadable.append((name, "larger than 64 MiB"))
            return report
        data = read_whole(root / name, _MAX_FILE_BYTES)
    except OSError as error:
        report.unreadable.append((name, f"cannot be read: {error.strerror}"))
        return report
    if name.lower().endswith(".abc"):
        _read_abc(data, report, rules)
    else:
        report.num_pieces = 1
        _add_melodies(name, data, report, rules)
    return report


def _read_abc(data: bytes, report: FileReport, rules: ExtractionRules) -> None:
    pieces = abc_notation.split_tunes(data)
    report.num_pieces = len(pieces)
    if not pieces:
        report.unreadable.append((report.name, "no tune: ABC tunes begin with X:"))
    # Chords and double stops are part of the notation of a tune: take the highest.
    rules = dataclasses.replace(rules, ignore_polyphonic_notes=True)
    for piece in pieces:
        name = f"{report.name} X:{piece.number} {piece.title}".rstrip()
        try:
            midi = abc_notation.tune_to_midi(piece)
        except abc_notation.AbcError as error:
            report.unreadable.append((name, str(error)))
        else:
            _add_melodies(name, midi, report, rules)


def _add_melodies(
    name: str, midi: bytes, report: FileReport, rules: ExtractionRules
) -> None:
    try:
        extraction = melody_extraction.extract_melodies(midi, rules)
    except MidiError as error:
        report.unreadable.append((name, str(error)))
        return
    report.tunes += [
        Tune(name, events, key)
        for events, key in zip(extraction.melodies, extraction.keys, strict=True)
    ]
    report.ignored += [(name, remark) for remark in extraction.remarks]
    report.unsuitable += [(name, reason) for reason in extraction.skipped]
    report.merged_notes += extraction.merged_notes
