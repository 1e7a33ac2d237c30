"""What a Note RNN is trained on: melodies, and windows cut out of them."""

import dataclasses
import glob
import hashlib
import os
import pathlib
from collections.abc import Iterable
from typing import Any

import numpy as np

from melody_rnn.encoding import NUM_CLASSES
from melody_rnn.note_rnn import dataset, sequence_examples
from melody_rnn.note_rnn.config import TrainingConfig
from melody_rnn.note_rnn.windows import training_windows
from rl_tuner.errors import UserError
from rl_tuner.pretraining.batches import Batch
from rl_tuner.pretraining.corpus import Corpus

EVAL_UNSCORED_STEPS = 8  # of each tune, as in the paper


@dataclasses.dataclass(frozen=True)
class Data:
    """The melodies of both splits, each [steps] ints, and where they are from."""

    training: list[np.ndarray]
    evaluation: list[np.ndarray]
    origin: dict[str, Any]


def read_dataset(directory: pathlib.Path) -> Data:
    """Reads what `note_rnn_create_dataset` wrote.

    Raises:
      UserError: there is no finished dataset, or it is damaged or too small.
    """
    description = dataset.read_description(directory)
    splits = description["splits"]
    return _data(
        [directory / name for name in splits["training"]["files"]],
        [directory / name for name in splits["eval"]["files"]],
        {key: description[key] for key in ("settings", "sources", "counts")},
    )


def read_files(training_pattern: str, evaluation_pattern: str) -> Data:
    """Reads TFRecords in Magenta's layout, given as glob patterns.

    Raises:
      UserError: no file matches, or one is damaged.
    """
    return _data(
        _matching(training_pattern),
        _matching(evaluation_pattern),
        {"training": training_pattern, "eval": evaluation_pattern},
    )


def default_dataset(directory: pathlib.Path) -> Data:
    """Reads the dataset of music21's folk tunes, made in `directory` if need be."""
    if not (directory / dataset.DESCRIPTION_FILE).exists():
        print(f"making a dataset of music21's folk tunes in {directory}", flush=True)
        directory.mkdir(parents=True, exist_ok=True)
        description = dataset.create_dataset(
            dataset.DatasetConfig(), directory, os.cpu_count() or 1
        )
        print(dataset.summary_text(description), flush=True)
    return read_dataset(directory)


def corpus(config: TrainingConfig, data: Data) -> Corpus:
    """The melodies, of which windows cut at random places are trained on."""

    def batches(first_batch: int) -> Iterable[Batch]:
        return training_windows(
            data.training,
            config.batch_size,
            config.window_steps,
            config.unscored_steps,
            config.seed,
            first_batch,
        )

    return Corpus(
        name="note_rnn",
        num_classes=NUM_CLASSES,
        training=data.training,
        evaluation=data.evaluation,
        stopping=data.evaluation,
        batches=batches,
        identity={
            name: [len(melodies), int(sum(map(len, melodies)))]
            for name, melodies in (
                ("training", data.training),
                ("eval", data.evaluation),
            )
        },
        metadata={
            "vocabulary": "note_seq MelodyOneHotEncoding(48, 84)",
            "data": data.origin,
        },
        unit="nats per sixteenth; whole tunes from a zero state, "
        f"the first {EVAL_UNSCORED_STEPS} predictions of each not scored",
        title="on the eval tunes",
        checksum=_checksum([*data.training, *data.evaluation]),
        counts={
            "training_tunes": len(data.training),
            "eval_tunes": len(data.evaluation),
        },
        unscored_steps=EVAL_UNSCORED_STEPS,
    )


def _checksum(melodies: list[np.ndarray]) -> str:
    """SHA-256 of melodies in their order, which no note may change unnoticed."""
    digest = hashlib.sha256()
    for melody in melodies:
        digest.update(len(melody).to_bytes(8, "little"))
        digest.update(np.asarray(melody, "<i4").tobytes())
    return digest.hexdigest()


def _data(
    training_files: list[pathlib.Path],
    evaluation_files: list[pathlib.Path],
    origin: dict[str, Any],
) -> Data:
    training = sequence_examples.read_melodies(training_files, NUM_CLASSES)
    evaluation = sequence_examples.read_melodies(evaluation_files, NUM_CLASSES)
    for name, melodies in (("training", training), ("evaluation", evaluation)):
        if not melodies:
            raise UserError(f"the {name} files hold no melody; make a larger dataset")
    return Data(training, evaluation, origin)


def _matching(pattern: str) -> list[pathlib.Path]:
    found = sorted(glob.glob(os.path.expanduser(pattern)))
    if not found:
        raise UserError(f"no file matches {pattern}; name TFRecords of melodies")
    return [pathlib.Path(name) for name in found]
