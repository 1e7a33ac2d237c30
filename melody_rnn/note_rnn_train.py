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

from rl_tuner import cli
from rl_tuner.errors import UserError

FLAGS = flags.FLAGS

flags.DEFINE_string("output_dir", None, "The run's folder, for a new run or to go on.")
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
flags.DEFINE_integer("num_training_steps", 30_000, "The most training steps to do.")
flags.DEFINE_list("layer_sizes", "100", "LSTM cells per layer, separated by commas.")
flags.DEFINE_integer("batch_size", 128, "Sequences per training step.")
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
flags.DEFINE_float(
    "learning_rate",
    0.01,
    "Adam's learning rate at the beginning. The paper names .5, which does not train "
    "with Adam.",
)
flags.DEFINE_float(
    "learning_rate_decay", 0.85, "Factor on the learning rate every --decay_steps."
)
flags.DEFINE_integer("decay_steps", 1000, "Steps between two decays.")
flags.DEFINE_float("clip_norm", 5.0, "Global norm that gradients are clipped to.")
flags.DEFINE_float("l2", 2.5e-5, "Weight of the L2 penalty on the weight matrices.")
flags.DEFINE_integer("eval_every", 250, "Steps between evaluations and checkpoints.")
flags.DEFINE_integer(
    "patience", 12, "Evaluations without a better one that end the training."
)
flags.DEFINE_integer("seed", 0, "Decides the initial weights and the windows.")
flags.DEFINE_integer(
    "num_threads",
    1,
    "Threads for TensorFlow; 0: as many as it likes. One is fastest for 100 cells.",
)

_AT_LEAST = {
    "num_training_steps": 1,
    "batch_size": 1,
    "window_steps": 2,
    "unscored_steps": 0,
    "decay_steps": 1,
    "eval_every": 1,
    "patience": 1,
    "seed": 0,
    "num_threads": 0,
}
_ABOVE_ZERO = ("learning_rate", "learning_rate_decay", "clip_norm")


def main() -> None:
    """Reads the flags and trains."""
    layer_sizes = _check_flags()
    output_dir = cli.writable_directory(FLAGS.output_dir)
    if FLAGS.dataset_dir:  # refused before TensorFlow is waited for
        from melody_rnn import note_rnn_dataset

        note_rnn_dataset.read_description(pathlib.Path(FLAGS.dataset_dir))
    cli.load_tensorflow()
    from melody_rnn import note_rnn_run

    if FLAGS.num_threads:
        note_rnn_run.limit_threads(FLAGS.num_threads)
    if FLAGS.sequence_example_file:
        data = note_rnn_run.read_files(
            FLAGS.sequence_example_file, FLAGS.eval_sequence_example_file
        )
    elif FLAGS.dataset_dir:
        data = note_rnn_run.read_dataset(pathlib.Path(FLAGS.dataset_dir))
    else:
        data = note_rnn_run.default_dataset(output_dir / "dataset")
    config = note_rnn_run.TrainingConfig(
        layer_sizes=layer_sizes,
        batch_size=FLAGS.batch_size,
        window_steps=FLAGS.window_steps,
        unscored_steps=FLAGS.unscored_steps,
        learning_rate=FLAGS.learning_rate,
        decay_rate=FLAGS.learning_rate_decay,
        decay_steps=FLAGS.decay_steps,
        clip_norm=FLAGS.clip_norm,
        l2=FLAGS.l2,
        num_training_steps=FLAGS.num_training_steps,
        eval_every=FLAGS.eval_every,
        patience=FLAGS.patience,
        seed=FLAGS.seed,
    )
    report = note_rnn_run.train(config, data, output_dir)
    print(note_rnn_run.report_text(report))
    print(f"written to {output_dir / 'note_rnn'}")


def _check_flags() -> tuple[int, ...]:
    """Returns the layer sizes; raises `UserError` on a flag that makes no sense."""
    if not FLAGS.output_dir:
        raise UserError("--output_dir is missing; name a directory to write to")
    for name, least in _AT_LEAST.items():
        if FLAGS[name].value < least:
            raise UserError(f"--{name}={FLAGS[name].value} must be at least {least}")
    for name in _ABOVE_ZERO:
        if not 0 < FLAGS[name].value < float("inf"):
            raise UserError(f"--{name}={FLAGS[name].value:g} must be above 0")
    if not 0 <= FLAGS.l2 < float("inf"):
        raise UserError(f"--l2={FLAGS.l2:g} must not be negative")
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
    try:
        sizes = tuple(int(size) for size in FLAGS.layer_sizes)
    except ValueError:
        sizes = ()
    if not sizes or min(sizes) < 1:
        raise UserError(
            f"--layer_sizes={','.join(FLAGS.layer_sizes)} must be numbers of cells "
            "above 0, as 100 or 128,128"
        )
    return sizes


def console_entry() -> None:
    """Runs the binary."""
    cli.run(main)


if __name__ == "__main__":
    console_entry()
