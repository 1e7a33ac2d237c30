"""Exports a tuned run, or an untuned model, for Magenta, magenta.js or TensorFlow.

  rl_tuner_export --format=savedmodel --output=note_rnn
  rl_tuner_export --run_dir=my_run --format=magenta_checkpoint --output=checkpoint
  rl_tuner_export --run_dir=my_run --format=mag --output=tuned.mag
  rl_tuner_export --run_dir=my_run --format=magentajs --output=public/model
  rl_tuner_export --note_rnn_checkpoint_dir=my_note_rnn --format=keras --output=m.keras
  rl_tuner_export --bundle_file=basic_rnn.mag --format=savedmodel --output=model

Where no model is named, the one that comes with --task is exported.

What it writes are the weights of a policy, whose softmax it is. A run of G-learning
plays softmax(G + log p) of two networks; it is exported as one network that holds the
cells of both, which plays just the same.
"""

import pathlib

from absl import flags

from rl_tuner.commands import cli, model_flags, world_flags
from rl_tuner.errors import UserError
from rl_tuner.formats import writing

FLAGS = flags.FLAGS
FORMATS = writing.known_formats()

model_flags.define_run_flags("Whose model is exported if none is named.")
flags.DEFINE_string(
    "format",
    "",
    "; ".join(f"{name}: {each.description}" for name, each in FORMATS.items()) + ".",
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
    named = model_flags.named_model()
    output = pathlib.Path(FLAGS.output).expanduser()

    cli.load_tensorflow()

    if named.run:
        policy = named.policy()
        model = policy.as_network()
        print(policy.q_network.read_from)
        if model is not policy.q_network:
            print(f"{policy.reward_rnn.read_from}; both in one network")
    else:
        model = model_flags.load(named.path, named.world)
    how_to_use = writing.export(model, FLAGS.format, output)
    print(f"written: {output}\nto use it:\n{how_to_use}")


def console_entry() -> None:
    """Runs the binary."""
    cli.run(main, world_flags.define_model_flags)


if __name__ == "__main__":
    console_entry()
