"""Tunes a sequence model by reinforcement learning with KL control.

With no flags it tunes the Note RNN that comes with the package by Psi-learning, for a
tenth of the steps that the paper trains, and leaves melodies, pictures, curves and a
table of what changed in ./rl_tuner_runs:

  rl_tuner_train
  rl_tuner_train --rules=corrected --algorithm=q --training_steps=3000000
  rl_tuner_train --note_rnn_checkpoint_dir=my_note_rnn --output_dir=my_run

A run may be cut at any time: the same command with its --output_dir resumes from the
last save, and ends as if it had not been cut, bit for bit on the same machine.
"""

import contextlib
import dataclasses
import os
import pathlib

from absl import flags

from rl_tuner import worlds
from rl_tuner.commands import (
    cli,
    device_flags,
    model_flags,
    setting_flags,
    tuning_flags,
)
from rl_tuner.config import RLTunerConfig
from rl_tuner.errors import UserError
from rl_tuner.runs import resuming, run_directory
from rl_tuner.system import stop_request

FLAGS = flags.FLAGS
DEFAULT_RUNS = "rl_tuner_runs"
OUTPUT_FLAGS = ("output_every_nth", "num_samples", "num_melodies")
RECORD_FLAGS = ("write_scored",)
DISTRIBUTION_FLAGS = ("distribution", "num_replicas", "mixed_precision")

flags.DEFINE_string(
    "corpus_dir",
    "",
    "The dataset that the model was trained on, to count what is copied from it.",
)
flags.DEFINE_string(
    "output_dir", "", f"Where to write; by default a new folder in ./{DEFAULT_RUNS}."
)
flags.DEFINE_bool(
    "restart",
    False,
    "Start over in an --output_dir that holds a run; that run is set aside under "
    "another name.",
)
flags.DEFINE_float(
    "save_every_secs", 60.0, "Seconds between saves that a cut run resumes from."
)
flags.DEFINE_integer(
    "output_every_nth", 50_000, "Environment steps between points of the curves."
)
flags.DEFINE_integer("num_samples", 10, "Sequences to write, before and after.")
flags.DEFINE_integer(
    "num_melodies", 2_000, "Sequences that the closing table is measured on."
)
flags.DEFINE_alias("num_evaluated", "num_melodies")
flags.DEFINE_bool(
    "write_scored",
    False,
    "Write each sequence that is scored while tuning, with its step and its score, to "
    "scored/scored-00000.csv.gz and so on; for tasks as that of molecules.",
)

setting_flags.define(RLTunerConfig, tuning_flags.VARIED)
device_flags.define_flags()


def main() -> None:
    """Reads the flags, tunes, and prints what changed."""
    world = worlds.find_world(FLAGS.task)
    cli.check_at_least(
        **dict.fromkeys(
            (
                "training_steps",
                *OUTPUT_FLAGS,
            ),
            1,
        )
    )
    if not FLAGS.save_every_secs >= 0.0:
        raise UserError(f"--save_every_secs={FLAGS.save_every_secs} must be at least 0")
    device_flags.check_flags()
    tuner_config = tuning_flags.tuner_config()
    settings = world.task_settings()
    prior_path = model_flags.untuned_path(world)
    label = f"{tuner_config.algorithm} {world.run_label(settings)}"
    run_settings = run_directory.RunSettings(
        task=FLAGS.task,
        task_settings=settings,
        prior=str(prior_path.absolute()),
        training_steps=FLAGS.training_steps,
        config=dataclasses.asdict(tuner_config),
        outputs={
            name: FLAGS[name].value
            for name in (*OUTPUT_FLAGS, *RECORD_FLAGS, *DISTRIBUTION_FLAGS)
        }
        | {"corpus_dir": FLAGS.corpus_dir and os.path.abspath(FLAGS.corpus_dir)},
    )
    output_dir = _named_dir()

    cli.load_tensorflow()
    strategy = device_flags.prepare()
    from rl_tuner.generation.diversity import Corpus
    from rl_tuner.runs import dependencies, training_run

    prior = model_flags.load(prior_path, world)
    settings = world.complete_settings(settings, prior)
    run_settings = dataclasses.replace(run_settings, task_settings=settings)
    task = world.make_task(settings, prior)
    tuning_flags.try_own_task(task)
    contents = dependencies.of_run(world, settings, prior, prior_path)
    corpus = None
    if FLAGS.corpus_dir:
        corpus = Corpus(task.from_corpus(world.read_corpus(FLAGS.corpus_dir)))
        contents |= dependencies.of_corpus(corpus, FLAGS.corpus_dir)
    # Workers may have to begin together, with saves or without.
    is_restored = bool(
        output_dir
        and not strategy
        and not FLAGS.restart
        and run_directory.holds_saves(output_dir)
    )
    tuner = device_flags.make_tuner(prior, task, tuner_config, strategy, is_restored)
    run_settings = dataclasses.replace(
        run_settings,
        prior_sha256=prior.fingerprint(),
        contents=contents,
    )
    output_dir = output_dir or run_directory.new_folder(DEFAULT_RUNS, label)
    directory = output_dir.absolute()  # own code may call os.chdir
    if FLAGS.write_scored:
        tuner.loop.write_scored(directory)
    held = resuming.begin_or_go_on(
        cli.writable_directory(str(output_dir)),
        run_settings,
        tuning_flags.defaults(),
        FLAGS.restart,
    )
    print(
        f"tuning {prior_path} by {tuner_config.algorithm} for {FLAGS.training_steps} "
        "steps; compiling takes some seconds",
        flush=True,
    )
    with held, stop_request.stopping(output_dir) as stop:
        outputs = training_run.Outputs(
            directory=directory,
            curve_every=FLAGS.output_every_nth,
            num_samples=FLAGS.num_samples,
            num_evaluated=FLAGS.num_melodies,
            title=f"{label}, {FLAGS.training_steps:,} steps",
            save_every=FLAGS.save_every_secs,
            should_stop=stop,
            # Workers stop together: one that left would leave the others waiting.
            stopping_at_once=contextlib.nullcontext if strategy else stop.at_once,
        )
        metrics = training_run.run(tuner, prior, FLAGS.training_steps, outputs, corpus)
    print(f"\n{training_run.table(metrics, task)}\n")
    print(f"samples, pictures, curves and the tuned networks are in {output_dir}")


def _named_dir() -> pathlib.Path | None:
    """The folder of the flag; None for a new one, where they can be made."""
    if FLAGS.output_dir:
        own = device_flags.own_folder(FLAGS.output_dir)
        return cli.writable_directory(own)
    cli.writable_directory(DEFAULT_RUNS)
    return None


def console_entry() -> None:
    """Runs the binary."""
    cli.run(main, tuning_flags.define_task_flags)


if __name__ == "__main__":
    console_entry()
