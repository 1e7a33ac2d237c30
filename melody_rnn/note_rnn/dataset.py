"""Makes a dataset for the Note RNN: tunes in C, deduplicated, split, on disk."""

import collections
import dataclasses
import functools
import json
import pathlib
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from melody_rnn.encoding import (
    FIRST_NOTE,
    NO_EVENT,
    NOTE_OFF,
    NUM_CLASSES,
    melody_events_to_classes,
)
from melody_rnn.note_rnn import (
    melody_extraction,
    tune_families,
    tune_reader,
    tune_sources,
)
from melody_rnn.note_rnn.melody_extraction import ExtractionRules
from melody_rnn.note_rnn.tune_reader import FileReport, Tune
from rl_tuner.errors import UserError
from rl_tuner.pretraining import dataset_files
from rl_tuner.system.whole_files import read_whole

DESCRIPTION_FILE = "dataset.json"
TRAINING_STEM = "training_melodies"  # Magenta's names
EVAL_STEM = "eval_melodies"


@dataclasses.dataclass(frozen=True)
class DatasetConfig:
    """How to make a dataset.

    Attributes:
      source: a folder of MIDI and ABC files, one such file, or "music21".
      include_noncommercial: with music21, take the collections that are not free for
        commercial use too.
      eval_ratio: share of the tunes that is kept for evaluation, in (0, 1).
      num_shards: files per split.
      seed: decides the split and the order of the tunes.
      extraction: what counts as a melody.
    """

    source: str = tune_sources.MUSIC21
    include_noncommercial: bool = False
    eval_ratio: float = 0.1
    num_shards: int = 4
    seed: int = 0
    extraction: ExtractionRules = dataclasses.field(default_factory=ExtractionRules)


@dataclasses.dataclass(frozen=True)
class Split:
    """Indices of the tunes for training and for evaluation, in the order to write."""

    training: list[int]
    evaluation: list[int]
    num_families: int


def create_dataset(
    config: DatasetConfig,
    output_dir: pathlib.Path,
    num_workers: int = 1,
    progress: Callable[[Iterable[FileReport], int], Iterable[FileReport]] | None = None,
    read_files: Callable[..., Iterable[FileReport]] | None = None,
) -> dict[str, Any]:
    """Reads a corpus and writes TFRecords and `dataset.json` to `output_dir`.

    The records appear there complete or not at all, `dataset.json` last. The result
    depends on the files and `config` alone.

    Args:
      config: what to read and how.
      output_dir: an existing directory; an earlier dataset in it is replaced.
      num_workers: processes that read files.
      progress: wraps the iteration over the reports, given their number.
      read_files: reads them instead: (folder, names, rules) -> reports in that order.

    Returns:
      The content of `dataset.json`.

    Raises:
      UserError: there is nothing to read, or too little of it is a melody.
    """
    found = tune_sources.find_corpus(config.source, config.include_noncommercial)
    if read_files is None:
        read_files = functools.partial(tune_reader.read_files, num_workers=num_workers)
    reports = read_files(found.root, found.files, config.extraction)
    if progress is not None:
        reports = progress(reports, len(found.files))
    summary = _Summary()
    tunes = [tune for report in reports for tune in summary.add(report)]
    melodies = _unique_melodies(tunes, summary)
    if len(melodies) < 2:
        raise UserError(
            f"--source={config.source} gave {len(melodies)} melodies, a split needs 2 "
            f"({summary.in_words()})"
        )
    split = split_tunes(melodies, config.eval_ratio, config.seed)
    description = {
        "format": "tf.train.SequenceExample, feature lists inputs (one-hot) and labels",
        "num_classes": NUM_CLASSES,
        "settings": dataclasses.asdict(config),
        "sources": list(found.terms),
        "counts": summary.counts | {"unique_tunes": len(melodies)},
        "skipped_by_reason": summary.by_reason(),
        "splits": {
            "families": split.num_families,
            "training": _statistics([melodies[i] for i in split.training]),
            "eval": _statistics([melodies[i] for i in split.evaluation]),
        },
        "skipped": [list(item) for item in summary.unreadable + summary.unsuitable],
        "ignored": [list(item) for item in summary.ignored],
    }
    _write(output_dir, description, melodies, split, config.num_shards)
    return description


def read_description(directory: pathlib.Path) -> dict[str, Any]:
    """Reads the `dataset.json` of a finished dataset.

    Raises:
      UserError: there is none, or it is damaged.
    """
    path = directory / DESCRIPTION_FILE
    try:
        description = json.loads(read_whole(path))
        if description["num_classes"] != NUM_CLASSES:
            raise ValueError
        for split in ("training", "eval"):
            description["splits"][split]["files"][0]
    except OSError as error:
        raise UserError(
            f"{directory} holds no finished dataset ({DESCRIPTION_FILE}: "
            f"{error.strerror}); make one with note_rnn_create_dataset"
        ) from error
    except (ValueError, LookupError, TypeError) as error:
        raise UserError(
            f"{path} is no description of a dataset of {NUM_CLASSES} classes; "
            "make the dataset anew with note_rnn_create_dataset"
        ) from error
    return description


def summary_text(description: dict[str, Any]) -> str:
    """The counts of a `dataset.json` in a few lines."""
    counts, splits = description["counts"], description["splits"]
    lines = [
        "{files} files, {pieces} pieces, {melodies} melodies".format(**counts),
        f"skipped: {counts['unreadable']} unreadable, "
        f"{counts['unsuitable']} unsuitable, {counts['duplicates']} duplicates",
    ]
    for reason, number in description["skipped_by_reason"].items():
        lines.append(f"  {number:6} {reason}")
    lines.append(
        f"{counts['unique_tunes']} tunes in {splits['families']} families kept; "
        f"{counts['folded_into_range']} had notes folded into range, "
        f"{counts['notes_merged']} notes gave way to a higher one on the same step"
    )
    for name in ("training", "eval"):
        lines.append(
            f"{name}: {splits[name]['tunes']} tunes, {splits[name]['steps']} steps; "
            + ", ".join(
                f"{what} {splits[name]['share_' + what]:.1%}"
                for what in ("no_event", "note_off", "note_on")
                if splits[name]["tunes"]
            )
        )
    return "\n".join(lines)


def split_tunes(melodies: list[np.ndarray], eval_ratio: float, seed: int) -> Split:
    """Splits tunes at random, but keeps those that share passages on one side.

    Both sides get a tune at least, except that all of one family go to training.
    """
    families = tune_families.tune_families(melodies)
    num_families = int(families.max()) + 1
    rng = np.random.default_rng(seed)
    wanted = max(1, round(eval_ratio * len(melodies)))
    evaluation: set[int] = set()
    for family in rng.permutation(num_families)[: num_families - 1]:
        if len(evaluation) >= wanted:
            break
        evaluation.update(np.flatnonzero(families == family).tolist())
    order = rng.permutation(len(melodies)).tolist()
    return Split(
        [i for i in order if i not in evaluation],
        [i for i in order if i in evaluation],
        num_families,
    )


class _Summary:
    """Counts what became of every file, piece and melody."""

    def __init__(self) -> None:
        self.unreadable: list[tuple[str, str]] = []
        self.unsuitable: list[tuple[str, str]] = []
        self.ignored: list[tuple[str, str]] = []
        self.counts = dict.fromkeys(
            (
                "files",
                "pieces",
                "melodies",
                "unreadable",
                "unsuitable",
                "duplicates",
                "notes_merged",
                "folded_into_range",
            ),
            0,
        )

    def add(self, report: FileReport) -> list[Tune]:
        """Counts a report and returns its tunes."""
        self.unreadable += report.unreadable
        self.unsuitable += report.unsuitable
        self.ignored += report.ignored
        self.counts["files"] += 1
        self.counts["pieces"] += report.num_pieces
        self.counts["melodies"] += len(report.tunes)
        self.counts["unreadable"] += len(report.unreadable)
        self.counts["unsuitable"] += len(report.unsuitable)
        self.counts["notes_merged"] += report.merged_notes
        return report.tunes

    def by_reason(self) -> dict[str, int]:
        """How much was skipped for which reason, the most frequent first."""
        reasons = (reason for _, reason in self.unreadable + self.unsuitable)
        return dict(collections.Counter(reasons).most_common())

    def in_words(self) -> str:
        """One line for an error message."""
        reasons = [f"{count}x {reason}" for reason, count in self.by_reason().items()]
        if self.counts["duplicates"]:
            reasons.append(f"{self.counts['duplicates']}x duplicate")
        return f"{self.counts['files']} files; " + "; ".join(
            reasons[:3] or ["no skips"]
        )


def _unique_melodies(tunes: list[Tune], summary: _Summary) -> list[np.ndarray]:
    """The classes of each melody in C, the first of identical ones only."""
    unique: dict[bytes, np.ndarray] = {}
    for tune in tunes:
        events, folded = melody_extraction.transpose_to_c(tune.events, tune.key)
        classes = np.array(melody_events_to_classes(events), np.int32)
        if classes.tobytes() in unique:
            summary.counts["duplicates"] += 1
        else:
            unique[classes.tobytes()] = classes
            summary.counts["folded_into_range"] += folded
    return list(unique.values())


def _statistics(melodies: list[np.ndarray]) -> dict[str, Any]:
    if not melodies:
        return {"tunes": 0, "steps": 0}
    steps = np.concatenate(melodies)
    shares = np.bincount(steps, minlength=NUM_CLASSES) / len(steps)
    return {
        "tunes": len(melodies),
        "steps": len(steps),
        "share_no_event": round(float(shares[NO_EVENT]), 4),
        "share_note_off": round(float(shares[NOTE_OFF]), 4),
        "share_note_on": round(float(shares[FIRST_NOTE:].sum()), 4),
        "class_shares": [round(float(share), 6) for share in shares],
    }


def _write(
    output_dir: pathlib.Path,
    description: dict[str, Any],
    melodies: list[np.ndarray],
    split: Split,
    num_shards: int,
) -> None:
    """Writes both splits, the description last."""
    from melody_rnn.note_rnn import sequence_examples

    def write(folder: pathlib.Path) -> None:
        for key, stem, indices in (
            ("training", TRAINING_STEM, split.training),
            ("eval", EVAL_STEM, split.evaluation),
        ):
            chosen = [melodies[i].tolist() for i in indices]
            description["splits"][key]["files"] = sequence_examples.write_shards(
                folder, stem, chosen, NUM_CLASSES, num_shards
            )
        text = json.dumps(description, indent=1, ensure_ascii=False) + "\n"
        # Names of files may be no UTF-8; what Python makes of them is JSON's escape.
        data = text.encode("utf-8", "backslashreplace")
        (folder / DESCRIPTION_FILE).write_bytes(data)

    stale = [f"{stem}.tfrecord-*" for stem in (TRAINING_STEM, EVAL_STEM)]
    dataset_files.publish_folder(output_dir, write, DESCRIPTION_FILE, stale)
