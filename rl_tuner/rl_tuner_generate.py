r"""Generates sequences from a tuned run, or from an untuned model.

rl_tuner_generate --run_dir=rl_tuner_runs/psi_paper_rules_001 --output_dir=melodies
rl_tuner_generate --run_dir=my_run --output_dir=melodies --num_steps=128 \
      --primer_melody="[60, -2, 64, -2]" --temperature=0.9
rl_tuner_generate --note_rnn_checkpoint_dir=my_note_rnn --output_dir=melodies
rl_tuner_generate --bundle_file=basic_rnn.mag --output_dir=melodies --qpm=120
"""

import pathlib

from absl import flags

from rl_tuner import cli, model_flags, worlds
from rl_tuner.errors import UserError

FLAGS = flags.FLAGS

flags.DEFINE_string(
    "task", worlds.DEFAULT_TASK, "What an untuned model generates; a run knows its own."
)
flags.DEFINE_string("run_dir", "", "What rl_tuner_train wrote.")
flags.DEFINE_string("output_dir", "", "Where to write.")
flags.DEFINE_integer("num_outputs", 10, "Sequences to generate.")
flags.DEFINE_integer(
    "num_steps",
    None,
    "Tokens in each, with the primer if it is written; by default as many as the "
    "task's sequences have, after the primer.",
)
flags.DEFINE_float(
    "temperature", 1.0, "Above 1 is more random, below 1 keeps to the likely."
)
flags.DEFINE_bool(
    "condition_on_primer", True, "Whether the model reads the primer before it begins."
)
flags.DEFINE_bool(
    "inject_primer_during_generation",
    True,
    "Whether the primer is the beginning of what is written.",
)
flags.DEFINE_integer("seed", 0, "The same seed generates the same.")


def main() -> None:
    """Reads the flags and generates."""
    _check_flags()
    source = model_flags.path()
    if bool(source) == bool(FLAGS.run_dir):
        raise UserError(
            "name one model: --run_dir of a tuned one, or "
            f"{', '.join(f'--{name}' for name in model_flags.NAMES)} of an untuned one"
        )
    from rl_tuner import run_directory

    settings = None
    if FLAGS.run_dir:
        source = pathlib.Path(FLAGS.run_dir).expanduser()
        settings = run_directory.read_settings(source)
    world = worlds.find_world(settings.task if settings else FLAGS.task)
    if not FLAGS.output_dir:
        raise UserError("--output_dir is missing; name a directory to write to")
    output_dir = cli.writable_directory(FLAGS.output_dir)

    cli.load_tensorflow()
    from rl_tuner.policy import Policy

    task = world.make_task(settings.task_settings if settings else {})
    if settings:
        policy = run_directory.load_policy(source, settings)
    else:
        policy = Policy.of_prior(model_flags.load(source, world))
    task.check_model(policy.q_network)
    primers = world.primers_from_flags(FLAGS.num_outputs)
    write_settings = worlds.write_settings_of(world)
    sequences = _generate(policy, task, primers)
    task.write_samples(sequences, output_dir, str(source), **write_settings)
    print(f"{len(sequences)} sequences of {sequences.shape[1]} steps in {output_dir}")


def _generate(policy, task, primers):
    """The sequences [N, T] that the flags ask for."""
    import numpy as np

    from rl_tuner.evaluation import generate_for_task

    is_read, is_written = (
        FLAGS.condition_on_primer,
        FLAGS.inject_primer_during_generation,
    )
    if not is_read and (primers is None or not is_written):
        raise UserError("--nocondition_on_primer needs a primer, and to write it")
    if not is_written and primers is None:
        raise UserError("--noinject_primer_during_generation needs a primer")
    length = 0 if primers is None or not is_written else len(primers[0])
    num_steps = FLAGS.num_steps or length + task.max_length
    if num_steps <= length:
        raise UserError(
            f"--num_steps={num_steps} leaves nothing to generate after a primer of "
            f"{length} steps; give a larger one"
        )
    num_steps -= length
    if primers is None or not is_read:
        generated = generate_for_task(
            policy, task, FLAGS.num_outputs, FLAGS.temperature, FLAGS.seed, num_steps
        )
    else:
        generated = policy.generate(
            np.asarray(primers), num_steps, FLAGS.temperature, FLAGS.seed
        )
    if not length:
        return generated.sequences
    return np.concatenate([np.asarray(primers), generated.sequences], axis=1)


def _check_flags() -> None:
    if not 1 <= FLAGS.num_outputs <= 1_000_000:
        raise UserError(f"--num_outputs={FLAGS.num_outputs} must be 1 to 1000000")
    if FLAGS.num_steps is not None and not 1 <= FLAGS.num_steps <= 1_000_000:
        raise UserError(f"--num_steps={FLAGS.num_steps} must be 1 to 1000000")
    if not 0.0 < FLAGS.temperature < float("inf"):
        raise UserError(f"--temperature={FLAGS.temperature} must be above 0 and finite")
    if not 0 <= FLAGS.seed < 2**31:
        raise UserError(f"--seed={FLAGS.seed} must be 0 to {2**31 - 1}")


def _define_flags(argv: list[str]) -> None:
    worlds.find_world(worlds.task_in(argv)).define_generate_flags()


def console_entry() -> None:
    """Runs the binary."""
    cli.run(main, _define_flags)


if __name__ == "__main__":
    console_entry()
