"""Exports a tuned run, or an untuned model, for Magenta, magenta.js or TensorFlow.

  rl_tuner_export --run_dir=my_run --format=magenta_checkpoint --output=checkpoint
  rl_tuner_export --run_dir=my_run --format=mag --output=tuned.mag
  rl_tuner_export --run_dir=my_run --format=magentajs --output=public/model
  rl_tuner_export --note_rnn_checkpoint_dir=my_note_rnn --format=keras --output=m.keras
  rl_tuner_export --bundle_file=basic_rnn.mag --format=savedmodel --output=model

What it writes are the weights of a policy, whose softmax it is. A run of G-learning
plays softmax(G + log p) of two networks; it is exported as one network that holds the
cells of both, which plays just the same.
"""

import pathlib

from absl import flags

from rl_tuner.commands import cli, model_flags
from rl_tuner.errors import UserError

FLAGS = flags.FLAGS
FORMATS = ("magenta_checkpoint", "mag", "magentajs", "keras", "savedmodel")

flags.DEFINE_string("run_dir", "", "What rl_tuner_train wrote.")
flags.DEFINE_string(
    "format",
    "",
    "magenta_checkpoint: a folder that Magenta's NoteRNNLoader and melody_rnn restore; "
    "mag: a bundle for melody_rnn_generate; magentajs: a folder for MusicRNN of "
    "@magenta/music; keras: a .keras file; savedmodel: a TensorFlow SavedModel.",
)
flags.DEFINE_string(
    "output", "", "What to write: a file for mag and keras, else a folder."
)


def main() -> None:
    """Reads the flags and exports."""
    if FLAGS.format not in FORMATS:
        raise UserError(
            f"unknown --format={FLAGS.format!r}; choose one of {', '.join(FORMATS)}"
        )
    if not FLAGS.output:
        raise UserError("--output is missing; name what to write")
    source = model_flags.path()
    if bool(source) == bool(FLAGS.run_dir):
        raise UserError(
            "name one model: --run_dir of a tuned one, or "
            f"{', '.join(f'--{name}' for name in model_flags.NAMES)} of an untuned one"
        )
    from rl_tuner.runs import run_directory

    if FLAGS.run_dir:
        source = pathlib.Path(FLAGS.run_dir).expanduser()
        settings = run_directory.read_settings(source)
    output = pathlib.Path(FLAGS.output).expanduser()

    cli.load_tensorflow()
    from rl_tuner.formats.writing import export

    if FLAGS.run_dir:
        policy = run_directory.load_policy(source, settings)
        model = policy.as_network()
        print(policy.q_network.read_from)
        if model is not policy.q_network:
            print(f"{policy.reward_rnn.read_from}; both in one network")
    else:
        model = model_flags.load(source)
    how_to_use = export(model, FLAGS.format, output)
    print(f"written: {output}\nto use it:\n{how_to_use}")


def console_entry() -> None:
    """Runs the binary."""
    cli.run(main)


if __name__ == "__main__":
    console_entry()
