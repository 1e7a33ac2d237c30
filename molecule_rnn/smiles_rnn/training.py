"""A training run from dataset to report: what `smiles_rnn_train` does."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np

from molecule_rnn.smiles_rnn import dataset as smiles_dataset
from molecule_rnn.smiles_rnn import source as smiles_source
from molecule_rnn.smiles_rnn.config import START_TOKEN, TrainingConfig
from molecule_rnn.smiles_rnn.dataset import SmilesDataset
from molecule_rnn.smiles_rnn.trainer import SmilesRnnTrainer
from molecule_rnn.vocabulary import EOS
from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.pretraining import report as pretraining_report
from rl_tuner.pretraining.ngrams import NGramModel
from rl_tuner.pretraining.trainer import score_sequences


def default_dataset(directory: pathlib.Path) -> SmilesDataset:
    """Reads the dataset of ZINC 250k by characters, made there if need be."""
    if not (directory / smiles_dataset.DESCRIPTION_FILE).exists():
        print(f"making a dataset of ZINC 250k in {directory}", flush=True)
        source = smiles_source.find_source(smiles_source.ZINC250K)
        directory.mkdir(parents=True, exist_ok=True)
        description = smiles_dataset.create_dataset(
            source, smiles_dataset.DatasetConfig(), directory, os.cpu_count() or 1
        )
        print(smiles_dataset.summary_text(description), flush=True)
    return smiles_dataset.read_dataset(directory)


def train(
    config: TrainingConfig,
    dataset: SmilesDataset,
    output_dir: pathlib.Path,
    should_stop: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Trains, or goes on, and completes `output_dir/smiles_rnn`.

    Args:
      config: how to train.
      dataset: what on.
      output_dir: the run's folder, which exists.
      should_stop: asked after each step; True saves, and raises `Stopped`.

    Returns:
      The report, which is also written as `evaluation.json` beside the weights: the
      scores of the best model and of n-gram models on the same tokens.

    Raises:
      Stopped: `should_stop` said so; it is saved.
      UserError: `output_dir` holds another run or cannot be written.
    """
    trainer = SmilesRnnTrainer(config, dataset, output_dir)
    metadata = {
        "vocabulary": dataset.vocabulary.to_json(),
        "statistics": dataset.statistics.to_json(),
        "start_token": config.protocol == START_TOKEN,
        "data": {
            key: dataset.description[key] for key in ("settings", "source", "counts")
        },
    }
    trainer.model.metadata = metadata  # of every model that is saved on the way
    trainer.train(should_stop=should_stop)
    model = SequenceRNN.load(trainer.best_dir)
    scores = {
        "smiles_rnn": score_sequences(model, trainer.evaluation, config.batch_size)
    }
    # An n-gram model of order 3 needs two tokens before the first that is predicted.
    training, evaluation = (
        [np.insert(sequence, 0, EOS) for sequence in sequences]
        for sequences in (trainer.training, trainer.evaluation)
    )
    for name, order in (("trigram", 3), ("unigram", 1)):
        baseline = NGramModel(training, order, dataset.vocabulary.num_classes)
        scores[name] = baseline.score(evaluation, unscored_steps=1)
    report = pretraining_report.make_report(
        scores,
        trainer.step,
        f"nats per token ({dataset.vocabulary.tokenizer}), the end of the sequence "
        "among them; whole molecules from a zero state",
        training_molecules=len(dataset.training),
        eval_molecules=len(dataset.evaluation),
    )
    pretraining_report.complete_model(model, trainer, report, metadata)
    return report


def report_text(report: dict[str, Any]) -> str:
    """The scores as a small table."""
    return pretraining_report.report_text(report, "on eval molecules")
