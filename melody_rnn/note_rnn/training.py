"""What a Note RNN is trained on: melodies, and windows cut out of them."""

import dataclasses
import glob
import hashlib
import os
import pathlib
from collections.abc import Iterable
from typing import Any

import numpy as np

from melody_rnn.encoding import FIRST_NOTE, MAX_PITCH, MIN_PITCH, NUM_CLASSES
from melody_rnn.magenta.configurations import ENCODINGS, MELODY_RANGES, RANGE_KEY
from melody_rnn.networks.kinds import AttentionRNN, LookbackRNN
from melody_rnn.networks.melody_rnn import MelodyRNN
from melody_rnn.note_rnn import dataset, sequence_examples
from melody_rnn.note_rnn.config import TrainingConfig
from melody_rnn.note_rnn.windows import training_windows
from rl_tuner.errors import UserError
from rl_tuner.networks.network import Network
from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.pretraining.batches import Batch, shuffled_sequences
from rl_tuner.pretraining.corpus import Corpus

EVAL_UNSCORED_STEPS = 8  # of each tune, as in the paper


@dataclasses.dataclass(frozen=True)
class Data:
    """The melodies of both splits, each [steps] ints, and where they are from."""

    training: list[np.ndarray]
    evaluation: list[np.ndarray]
    origin: dict[str, Any]
    num_classes: int = NUM_CLASSES


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


def read_files(
    training_pattern: str, evaluation_pattern: str, num_classes: int = NUM_CLASSES
) -> Data:
    """Reads TFRecords in Magenta's layout, given as glob patterns.

    Raises:
      UserError: no file matches, or one is damaged.
    """
    return _data(
        _matching(training_pattern),
        _matching(evaluation_pattern),
        {"training": training_pattern, "eval": evaluation_pattern},
        num_classes,
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
    data = _in_classes(data, num_classes(config))
    name = config.config
    low, high = MELODY_RANGES.get(name, (MIN_PITCH, MAX_PITCH))

    def batches(first_batch: int) -> Iterable[Batch]:
        if config.whole_melodies:
            beginnings = [melody[: config.window_steps + 1] for melody in data.training]
            return shuffled_sequences(
                beginnings, config.batch_size, config.seed, first_batch
            )
        return training_windows(
            data.training,
            config.batch_size,
            config.window_steps,
            config.unscored_steps,
            config.seed,
            first_batch,
        )

    return Corpus(
        name=name,
        num_classes=data.num_classes,
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
            "vocabulary": f"note_seq MelodyOneHotEncoding({low}, {high + 1})",
            "data": data.origin,
            **({} if name == "note_rnn" else {"magenta_config": name}),
            **({} if data.num_classes == NUM_CLASSES else {RANGE_KEY: [low, high]}),
        },
        newer_settings=("config", "attn_length", "whole_melodies"),
        make_network=_network,
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


def num_classes(config: TrainingConfig) -> int:
    """How many events melodies of a config have."""
    low, high = MELODY_RANGES.get(config.config, (MIN_PITCH, MAX_PITCH))
    return high - low + 1 + FIRST_NOTE


def _network(config: TrainingConfig) -> Network:
    """A network of random weights, of a config."""
    encoding = ENCODINGS.get(config.config, "onehot")
    classes = num_classes(config)
    if encoding == "onehot" and not config.attn_length:
        return SequenceRNN(classes, config.layer_sizes)
    made = {"lookback": LookbackRNN, "key": AttentionRNN}.get(encoding, MelodyRNN)
    return made(
        classes,
        config.layer_sizes,
        encoding,
        attention_length=config.attn_length,
        min_note=MELODY_RANGES.get(config.config, (MIN_PITCH, 0))[0],
    )


def _in_classes(data: Data, num_classes: int) -> Data:
    """Melodies of 48 to 83 as those of all notes, where a config has them."""
    if data.num_classes == num_classes:
        return data
    training, evaluation = (
        [np.where(m >= FIRST_NOTE, m + MIN_PITCH, m) for m in melodies]
        for melodies in (data.training, data.evaluation)
    )
    return Data(training, evaluation, data.origin, num_classes)


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
    num_classes: int = NUM_CLASSES,
) -> Data:
    training = sequence_examples.read_melodies(training_files, num_classes)
    evaluation = sequence_examples.read_melodies(evaluation_files, num_classes)
    for name, melodies in (("training", training), ("evaluation", evaluation)):
        if not melodies:
            raise UserError(f"the {name} files hold no melody; make a larger dataset")
    return Data(training, evaluation, origin, num_classes)


def _matching(pattern: str) -> list[pathlib.Path]:
    found = sorted(glob.glob(os.path.expanduser(pattern)))
    if not found:
        raise UserError(f"no file matches {pattern}; name TFRecords of melodies")
    return [pathlib.Path(name) for name in found]
