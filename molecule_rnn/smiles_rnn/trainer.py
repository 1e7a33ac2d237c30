"""Trains a SMILES RNN: whole molecules in, the best model on the eval split out."""

from __future__ import annotations

import pathlib
from collections.abc import Iterable, Sequence

import numpy as np

from molecule_rnn.smiles_rnn.config import START_TOKEN, TrainingConfig
from molecule_rnn.smiles_rnn.dataset import SmilesDataset
from molecule_rnn.vocabulary import EOS, Vocabulary
from rl_tuner.pretraining.batches import Batch, shuffled_sequences
from rl_tuner.pretraining.ngrams import Score
from rl_tuner.pretraining.trainer import SequenceTrainer, score_sequences


class SmilesRnnTrainer(SequenceTrainer):
    """Trains on whole molecules in batches of like length; in `smiles_rnn/`.

    Attributes:
      evaluation: the molecules of the eval split, as the network reads them.
    """

    def __init__(
        self, config: TrainingConfig, dataset: SmilesDataset, run_dir: pathlib.Path
    ):
        """Builds the network or goes on with the run in `run_dir`.

        Raises:
          UserError: the folder holds a run of other settings or cannot be read.
        """
        vocabulary = dataset.vocabulary
        data = {
            name: split["sha256"]
            for name, split in dataset.description["splits"].items()
        } | vocabulary.to_json()
        super().__init__(config, vocabulary.num_classes, run_dir, "smiles_rnn", data)
        begins = config.protocol == START_TOKEN
        self.training = token_sequences(dataset.training, vocabulary, begins)
        self.evaluation = token_sequences(dataset.evaluation, vocabulary, begins)

    def batches(self, first_batch: int) -> Iterable[Batch]:
        """Whole molecules, each once an epoch."""
        config = self.config
        return shuffled_sequences(
            self.training, config.batch_size, config.seed, first_batch
        )

    def score(self) -> Score:
        """Scores the model on some of the evaluation molecules."""
        chosen = self.evaluation[: self.config.max_eval_molecules]
        return score_sequences(self.model, chosen, self.config.batch_size)


def token_sequences(
    smiles: Sequence[str], vocabulary: Vocabulary, start_token: bool
) -> list[np.ndarray]:
    """Molecules as the network reads them: [EOS,] tokens, EOS.

    Args:
      smiles: the molecules.
      vocabulary: their tokens.
      start_token: whether the end of the sequence stands at the beginning too.

    Returns:
      For each molecule, [steps] int32. The loss is on every token but the first.
    """
    start = [EOS] if start_token else []
    return [
        np.array([*start, *vocabulary.encode(string), EOS], np.int32)
        for string in smiles
    ]
