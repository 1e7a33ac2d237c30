"""What a SMILES RNN is trained on: molecules, as the network reads them."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterable, Sequence

import numpy as np

from molecule_rnn.smiles_rnn import dataset as smiles_dataset
from molecule_rnn.smiles_rnn import source as smiles_source
from molecule_rnn.smiles_rnn.config import START_TOKEN, TrainingConfig
from molecule_rnn.smiles_rnn.dataset import SmilesDataset
from molecule_rnn.vocabulary import EOS, Vocabulary
from rl_tuner.networks.network import Network
from rl_tuner.pretraining.batches import Batch, shuffled_sequences
from rl_tuner.pretraining.corpus import Corpus


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


def corpus(
    config: TrainingConfig, dataset: SmilesDataset, prior: Network | None = None
) -> Corpus:
    """The molecules as the network reads them, whole, in batches of like length.

    Args:
      config: how to train.
      dataset: the molecules, in the vocabulary of the prior if there is one.
      prior: what training goes on from; None: it begins with random weights.
    """
    vocabulary = dataset.vocabulary
    begins = config.protocol == START_TOKEN
    training = token_sequences(dataset.training, vocabulary, begins)
    evaluation = token_sequences(dataset.evaluation, vocabulary, begins)

    def batches(first_batch: int) -> Iterable[Batch]:
        return shuffled_sequences(training, config.batch_size, config.seed, first_batch)

    checksums = {
        name: split["sha256"] for name, split in dataset.description["splits"].items()
    }
    begun_from = {} if prior is None else {"begun_from": prior.fingerprint()}
    return Corpus(
        name="smiles_rnn",
        num_classes=vocabulary.num_classes,
        training=training,
        evaluation=evaluation,
        stopping=evaluation[: config.max_eval_molecules],
        batches=batches,
        identity=checksums | vocabulary.to_json() | begun_from,
        metadata={
            "vocabulary": vocabulary.to_json(),
            "statistics": dataset.statistics.to_json(),
            "start_token": begins,
            "data": {
                key: dataset.description[key]
                for key in ("settings", "source", "counts")
            },
            **begun_from,
        },
        unit=f"nats per token ({vocabulary.tokenizer}), the end of the sequence "
        "among them; whole molecules from a zero state",
        title="on eval molecules",
        counts={
            "training_molecules": len(dataset.training),
            "eval_molecules": len(dataset.evaluation),
        },
        context_token=EOS,
        prior=prior,
    )


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
