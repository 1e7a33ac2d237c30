"""Trains a Note RNN on a dataset made by note_rnn_create_dataset.

  note_rnn_train --output_dir=/tmp/note_rnn_run --dataset_dir=/tmp/note_rnn_data

  note_rnn_train --config=attention_rnn --output_dir=/tmp/attention_rnn_run

Without --dataset_dir the dataset is made from music21's folk tunes, in
OUTPUT_DIR/dataset. Training ends when the evaluation tunes gain no more; the best
model is in OUTPUT_DIR/note_rnn, with its figures beside those of a unigram and of a
trigram model in evaluation.json; that of another --config is in the folder called so.
The same command resumes a run that was cut.
Curves: tensorboard --logdir=OUTPUT_DIR/logs
"""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING

from absl import flags

from melody_rnn.note_rnn.config import CONFIG_DEFAULTS, TrainingConfig
from rl_tuner.commands import cli, pretraining_flags
from rl_tuner.errors import UserError

if TYPE_CHECKING:
    from rl_tuner.pretraining.corpus import Corpus

FLAGS = flags.FLAGS

pretraining_flags.define(TrainingConfig)
flags.DEFINE_string(
    "dataset_dir", None, "A folder that note_rnn_create_dataset has written."
)
flags.DEFINE_string(
    "sequence_example_file",
    None,
    "Instead of --dataset_dir: TFRecords of training melodies in Magenta's layout, as "
    "a glob pattern. Needs --eval_sequence_example_file.",
)
flags.DEFINE_string(
    "eval_sequence_example_file", None, "TFRecords of evaluation melodies, likewise."
)


def main() -> None:
    """Reads the flags and trains."""
    defaults = CONFIG_DEFAULTS.get(FLAGS.config)  # an unknown one is refused below
    config = pretraining_flags.read_config(TrainingConfig, defaults)
    if bool(FLAGS.sequence_example_file) != bool(FLAGS.eval_sequence_example_file):
        raise UserError(
            "--sequence_example_file and --eval_sequence_example_file go together"
        )
    if FLAGS.sequence_example_file and FLAGS.dataset_dir:
        raise UserError("give --dataset_dir or --sequence_example_file, not both")
    if FLAGS.dataset_dir:  # refused before TensorFlow is waited for
        from melody_rnn.note_rnn import dataset

        dataset.read_description(pathlib.Path(FLAGS.dataset_dir))
    pretraining_flags.carry_out(config, _corpus)


def _corpus(config: TrainingConfig, output_dir: pathlib.Path) -> Corpus:
    """The melodies that the flags name, or music21's folk tunes."""
    from melody_rnn.note_rnn import training

    if FLAGS.sequence_example_file:
        data = training.read_files(
            FLAGS.sequence_example_file,
            FLAGS.eval_sequence_example_file,
            training.num_classes(config),
        )
    elif FLAGS.dataset_dir:
        data = training.read_dataset(pathlib.Path(FLAGS.dataset_dir))
    else:
        data = training.default_dataset(output_dir / "dataset")
    return training.corpus(config, data)


def console_entry() -> None:
    """Runs the binary."""
    cli.run(main)


if __name__ == "__main__":
    console_entry()
