"""A training run from data to report: what `note_rnn_train` does."""

import dataclasses
import glob
import os
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np

from melody_rnn.encoding import NUM_CLASSES
from melody_rnn.note_rnn import dataset, sequence_examples
from melody_rnn.note_rnn.config import TrainingConfig
from melody_rnn.note_rnn.trainer import EVAL_UNSCORED_STEPS, NoteRnnTrainer, evaluate
from rl_tuner.errors import UserError
from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.pretraining import ngrams
from rl_tuner.pretraining import report as pretraining_report


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
    files = []
    for pattern in (training_pattern, evaluation_pattern):
        found = sorted(glob.glob(os.path.expanduser(pattern)))
        if not found:
            raise UserError(f"no file matches {pattern}; name TFRecords of melodies")
        files.append([pathlib.Path(name) for name in found])
    origin = {"training": training_pattern, "eval": evaluation_pattern}
    return _data(*files, origin)


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


def train(
    config: TrainingConfig,
    data: Data,
    output_dir: pathlib.Path,
    should_stop: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Trains, or goes on, and completes `output_dir/note_rnn`.

    Args:
      config: how to train.
      data: what on.
      output_dir: the run's folder, which exists.
      should_stop: asked after each step; True saves, and raises `Stopped`.

    Returns:
      The report, which is also written as `evaluation.json` beside the weights: the
      scores of the best model and of n-gram models on the same tokens.

    Raises:
      Stopped: `should_stop` said so; it is saved.
      UserError: `output_dir` holds another run or cannot be written.
    """
    trainer = NoteRnnTrainer(
        config, data.training, data.evaluation, NUM_CLASSES, output_dir
    )
    trainer.train(should_stop=should_stop)
    model = SequenceRNN.load(trainer.best_dir)
    scores = {"note_rnn": evaluate(model, data.evaluation, config.batch_size)}
    for name, order in (("trigram", 3), ("unigram", 1)):
        baseline = ngrams.NGramModel(data.training, order, NUM_CLASSES)
        scores[name] = baseline.score(data.evaluation, EVAL_UNSCORED_STEPS)
    report = pretraining_report.make_report(
        scores,
        trainer.step,
        "nats per sixteenth; whole tunes from a zero state, "
        f"the first {EVAL_UNSCORED_STEPS} predictions of each not scored",
        training_tunes=len(data.training),
        eval_tunes=len(data.evaluation),
    )
    metadata = {
        "vocabulary": "note_seq MelodyOneHotEncoding(48, 84)",
        "data": data.origin,
    }
    pretraining_report.complete_model(model, trainer, report, metadata)
    return report


def report_text(report: dict[str, Any]) -> str:
    """The scores as a small table."""
    return pretraining_report.report_text(report, "on the eval tunes")


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
