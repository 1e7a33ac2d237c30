"""A pre-training run from token sequences to a finished model with its report."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np

from rl_tuner.networks.network import Network
from rl_tuner.pretraining import report as reports
from rl_tuner.pretraining.config import PretrainingConfig
from rl_tuner.pretraining.corpus import Corpus
from rl_tuner.pretraining.ngrams import NGramModel
from rl_tuner.pretraining.scores import score_sequences
from rl_tuner.pretraining.trainer import SequenceTrainer

N_GRAMS = {"trigram": 3, "unigram": 1}


def train(
    config: PretrainingConfig,
    corpus: Corpus,
    output_dir: pathlib.Path,
    should_stop: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Trains or resumes, and completes the model in `output_dir`.

    Args:
      config: how to train.
      corpus: what on.
      output_dir: the run's folder, which exists.
      should_stop: asked after each step; True saves, and raises `Stopped`.

    Returns:
      The report, which is also written as `evaluation.json` beside the weights: the
      scores of the best model and of n-gram models on the same tokens.

    Raises:
      Stopped: `should_stop` said so; it is saved.
      UserError: `output_dir` holds another run or cannot be written.
    """
    trainer = SequenceTrainer(config, corpus, output_dir)
    trainer.train(should_stop=should_stop)
    model = Network.load(trainer.best_dir)
    unscored = corpus.unscored_steps
    scores = {
        corpus.name: score_sequences(
            model, corpus.evaluation, config.batch_size, unscored
        )
    }
    if corpus.prior is not None:
        scores["what it began from"] = score_sequences(
            corpus.prior, corpus.evaluation, config.batch_size, unscored
        )
    training, evaluation = corpus.training, corpus.evaluation
    if corpus.context_token is not None:
        training, evaluation = (
            [np.insert(sequence, 0, corpus.context_token) for sequence in sequences]
            for sequences in (training, evaluation)
        )
        unscored += 1
    for name, order in N_GRAMS.items():
        baseline = NGramModel(training, order, corpus.num_classes)
        scores[name] = baseline.score(evaluation, unscored)
    report = reports.make_report(scores, trainer.step, corpus.unit, **corpus.counts)
    model.metadata = {
        **corpus.metadata,
        "training": dataclasses.asdict(config),
        "evaluation": report,
    }
    model.save(trainer.best_dir)
    reports.write(trainer.best_dir, report)
    return report
