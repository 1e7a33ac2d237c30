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

from rl_tuner import cli, config, worlds
from rl_tuner.errors import UserError

FLAGS = flags.FLAGS
DEFAULTS = config.RLTunerConfig()
DEFAULT_RUNS = "rl_tuner_runs"

flags.DEFINE_string(
    "task", worlds.DEFAULT_TASK, "What is tuned for; some.module:SomeTask for your own."
)
flags.DEFINE_string(
    "note_rnn_checkpoint_dir",
    "",
    "Folder of the model to tune: what note_rnn_train wrote, or a Magenta checkpoint. "
    "By default the model that comes with the package.",
)
flags.DEFINE_string(
    "note_rnn_checkpoint_file", "", "The same, but a TensorFlow checkpoint file."
)
flags.DEFINE_string(
    "corpus_dir",
    "",
    "The dataset that the model was trained on, to count what is copied from it.",
)
flags.DEFINE_string(
    "output_dir", "", f"Where to write; by default a new folder in ./{DEFAULT_RUNS}."
)
flags.DEFINE_integer(
    "training_steps",
    300_000,
    "Environment steps, a token of a sequence each; the paper's tables take 3000000.",
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
flags.DEFINE_string(
    "exploration_mode",
    DEFAULTS.exploration_mode,
    f"One of {', '.join(config.EXPLORATION_MODES)}.",
)
flags.DEFINE_integer(
    "exploration_steps",
    None,
    "Steps over which epsilon falls; by default half of the training steps.",
)
flags.DEFINE_string(
    "terminal",
    DEFAULTS.terminal,
    f"One of {', '.join(config.TERMINALS)}: whether the state after the last token "
    "has a value.",
)
for _name, _help in (
    ("reward_scaler", "1/c, the weight of the task's reward against log p(a|s)."),
    ("discount_rate", "Gamma."),
    ("initial_epsilon", "Share of random actions at the first step."),
    ("final_epsilon", "Share of random actions after --exploration_steps."),
    ("learning_rate", "Of Adam."),
    ("clip_norm", "L2 norm that each weight's gradient is clipped to."),
    ("target_network_update_rate", "How fast the target network follows."),
):
    flags.DEFINE_float(_name, getattr(DEFAULTS, _name), _help)
for _name, _help in (
    ("minibatch_size", "Transitions an update."),
    ("train_every_nth", "Environment steps an update."),
    ("num_sequences", "Sequences that are played side by side."),
    ("replay_capacity", "Transitions that are remembered."),
    ("seed", "Of all randomness."),
):
    flags.DEFINE_integer(_name, getattr(DEFAULTS, _name), _help)
flags.DEFINE_bool(
    "reference_g_update",
    DEFAULTS.reference_g_update,
    "Under G, train the Reward RNN too, as the reference implementation did.",
)


def main() -> None:
    """Reads the flags, tunes, and prints what changed."""
    world = worlds.find_world(FLAGS.task)
    for name in ("training_steps", "output_every_nth", "num_samples", "num_melodies"):
        if FLAGS[name].value < 1:
            raise UserError(f"--{name}={FLAGS[name].value} must be at least 1")
    tuner_config = _config()
    settings = world.task_settings()
    prior_path = _prior_path(world)
    label = f"{tuner_config.algorithm} {world.run_label(settings)}"
    output_dir = _output_dir(label)

    cli.load_tensorflow()
    from rl_tuner import run_directory, training_run
    from rl_tuner.diversity import Corpus
    from rl_tuner.rl_tuner import RLTuner
    from rl_tuner.sequence_rnn import SequenceRNN

    task = world.make_task(settings)
    prior = SequenceRNN.load(prior_path)
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


def _config() -> config.RLTunerConfig:
    names = [field.name for field in dataclasses.fields(config.RLTunerConfig)]
    values = {name: FLAGS[name].value for name in names}
    if values["exploration_steps"] is None:
        values["exploration_steps"] = FLAGS.training_steps // 2
    return config.RLTunerConfig(**values)


def _prior_path(world: worlds.World) -> pathlib.Path:
    directory, file = FLAGS.note_rnn_checkpoint_dir, FLAGS.note_rnn_checkpoint_file
    if directory and file:
        raise UserError(
            "give --note_rnn_checkpoint_dir or --note_rnn_checkpoint_file, not both"
        )
    if directory or file:
        return pathlib.Path(directory or file).expanduser()
    return worlds.shipped_checkpoint(world)


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


def _define_flags(argv: list[str]) -> None:
    worlds.find_world(worlds.task_in(argv)).define_task_flags()


def console_entry() -> None:
    """Runs the binary."""
    cli.run(main, _define_flags)


if __name__ == "__main__":
    console_entry()
