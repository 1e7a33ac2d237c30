"""Trains a Note RNN on a dataset made by note_rnn_create_dataset.

  note_rnn_train --output_dir=/tmp/note_rnn_run --dataset_dir=/tmp/note_rnn_data

Without --dataset_dir the dataset is made from music21's folk tunes, in
OUTPUT_DIR/dataset. Training ends when the evaluation tunes gain no more; the best
model is in OUTPUT_DIR/note_rnn, with its figures beside those of a unigram and of a
trigram model in evaluation.json. The same command goes on with a run that was cut.
Curves: tensorboard --logdir=OUTPUT_DIR/logs
"""

import pathlib

from absl import flags

from melody_rnn.note_rnn.config import TrainingConfig
from rl_tuner.commands import cli, pretraining_flags
from rl_tuner.errors import UserError

FLAGS = flags.FLAGS

# The paper's learning rate of .5 does not train with Adam.
pretraining_flags.define(TrainingConfig())
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
flags.DEFINE_integer(
    "window_steps",
    128,
    "Sixteenths that training sequences are cut to; they begin anywhere in a tune.",
)
flags.DEFINE_integer(
    "unscored_steps",
    0,
    "Predictions at the beginning of a training sequence without a loss. The paper has "
    "8; 0 also teaches how to begin. Evaluation always leaves out the first 8.",
)


def main() -> None:
    """Reads the flags and trains."""
    config = _config()
    output_dir = cli.writable_directory(FLAGS.output_dir)
    if FLAGS.dataset_dir:  # refused before TensorFlow is waited for
        from melody_rnn.note_rnn import dataset

        dataset.read_description(pathlib.Path(FLAGS.dataset_dir))
    cli.load_tensorflow()
    from melody_rnn.note_rnn import training
    from rl_tuner.pretraining import trainer
    from rl_tuner.runs import resuming
    from rl_tuner.system import stop_request

    if FLAGS.num_threads:
        trainer.limit_threads(FLAGS.num_threads)
    if FLAGS.sequence_example_file:
        data = training.read_files(
            FLAGS.sequence_example_file, FLAGS.eval_sequence_example_file
        )
    elif FLAGS.dataset_dir:
        data = training.read_dataset(pathlib.Path(FLAGS.dataset_dir))
    else:
        data = training.default_dataset(output_dir / "dataset")
    with resuming.lock(output_dir), stop_request.stopping(output_dir) as stop:
        report = training.train(config, data, output_dir, stop)
    print(training.report_text(report))
    print(f"written to {output_dir / 'note_rnn'}")


def _config() -> TrainingConfig:
    """Returns what the flags say; raises `UserError` if they make no sense."""
    settings = pretraining_flags.settings()
    pretraining_flags.check_at_least(window_steps=2, unscored_steps=0)
    if FLAGS.unscored_steps >= FLAGS.window_steps:
        raise UserError(
            f"--unscored_steps={FLAGS.unscored_steps} must be below "
            f"--window_steps={FLAGS.window_steps}"
        )
    if bool(FLAGS.sequence_example_file) != bool(FLAGS.eval_sequence_example_file):
        raise UserError(
            "--sequence_example_file and --eval_sequence_example_file go together"
        )
    if FLAGS.sequence_example_file and FLAGS.dataset_dir:
        raise UserError("give --dataset_dir or --sequence_example_file, not both")
    return TrainingConfig(
        window_steps=FLAGS.window_steps,
        unscored_steps=FLAGS.unscored_steps,
        **settings,
    )


def console_entry() -> None:
    """Runs the binary."""
    cli.run(main)


if __name__ == "__main__":
    console_entry()
