"""Tunes a sequence model by reinforcement learning with KL control.

With no flags it tunes the Note RNN that comes with the package by Psi-learning, for a
tenth of the steps that the paper trains, and leaves melodies, pictures, curves and a
table of what changed in ./rl_tuner_runs:

  rl_tuner_train
  rl_tuner_train --rules=corrected --algorithm=q --training_steps=3000000
  rl_tuner_train --note_rnn_checkpoint_dir=my_note_rnn --output_dir=my_run
"""

import dataclasses
import itertools
import pathlib

from absl import flags

from rl_tuner import cli, config, model_flags, tuning_flags, worlds
from rl_tuner.errors import UserError

FLAGS = flags.FLAGS
DEFAULTS = tuning_flags.DEFAULTS
DEFAULT_RUNS = "rl_tuner_runs"

flags.DEFINE_string(
    "corpus_dir",
    "",
    "The dataset that the model was trained on, to count what is copied from it.",
)
flags.DEFINE_string(
    "output_dir", "", f"Where to write; by default a new folder in ./{DEFAULT_RUNS}."
)
flags.DEFINE_integer(
    "output_every_nth", 50_000, "Environment steps between points of the curves."
)
flags.DEFINE_integer("num_samples", 10, "Sequences to write, before and after.")
flags.DEFINE_integer(
    "num_melodies", 2_000, "Sequences that the closing table is measured on."
)

flags.DEFINE_string(
    "algorithm",
    DEFAULTS.algorithm,
    f"One of {', '.join(config.ALGORITHMS)}: Q-learning with the log prior, "
    "Psi-learning, G-learning, or rewards only.",
)
flags.DEFINE_float(
    "reward_scaler",
    DEFAULTS.reward_scaler,
    "1/c, the weight of the task's reward against log p(a|s).",
)


def main() -> None:
    """Reads the flags, tunes, and prints what changed."""
    world = worlds.find_world(FLAGS.task)
    tuning_flags.check_counts(
        "training_steps", "output_every_nth", "num_samples", "num_melodies"
    )
    tuner_config = tuning_flags.tuner_config()
    settings = world.task_settings()
    prior_path = tuning_flags.prior_path(world)
    label = f"{tuner_config.algorithm} {world.run_label(settings)}"
    output_dir = _output_dir(label)

    cli.load_tensorflow()
    from rl_tuner import run_directory, training_run
    from rl_tuner.diversity import Corpus
    from rl_tuner.rl_tuner import RLTuner

    task = world.make_task(settings)
    prior = model_flags.load(prior_path, world)
    corpus = None
    if FLAGS.corpus_dir:
        corpus = Corpus(world.read_corpus(FLAGS.corpus_dir))
    tuner = RLTuner(prior, task, tuner_config)
    output_dir = cli.writable_directory(str(output_dir))
    run_directory.write_settings(
        output_dir,
        run_directory.RunSettings(
            task=FLAGS.task,
            task_settings=settings,
            prior=str(prior_path),
            training_steps=FLAGS.training_steps,
            config=dataclasses.asdict(tuner_config),
        ),
    )
    outputs = training_run.Outputs(
        directory=output_dir,
        curve_every=FLAGS.output_every_nth,
        num_samples=FLAGS.num_samples,
        num_evaluated=FLAGS.num_melodies,
        title=f"{label}, {FLAGS.training_steps:,} steps",
    )
    print(
        f"tuning {prior_path} by {tuner_config.algorithm} for {FLAGS.training_steps} "
        "steps (the paper's tables: 3000000); compiling takes some seconds",
        flush=True,
    )
    metrics = training_run.run(tuner, prior, FLAGS.training_steps, outputs, corpus)
    print(f"\n{training_run.table(metrics, task)}\n")
    print(f"samples, pictures, curves and the tuned networks are in {output_dir}")


def _output_dir(label: str) -> pathlib.Path:
    """The folder to write to: the flag's, which holds no run yet, or a new one."""
    from rl_tuner.run_directory import holds_run

    if FLAGS.output_dir:
        path = cli.writable_directory(FLAGS.output_dir)
        if holds_run(path):
            raise UserError(f"{path} holds a run already; choose another --output_dir")
        return path
    runs = cli.writable_directory(DEFAULT_RUNS)
    for number in itertools.count(1):
        path = runs / f"{label} {number:03}".replace(" ", "_")
        if not path.exists():
            return path
    raise AssertionError("unreachable")


def console_entry() -> None:
    """Runs the binary."""
    cli.run(main, tuning_flags.define_task_flags)


if __name__ == "__main__":
    console_entry()
