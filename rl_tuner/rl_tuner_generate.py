r"""Generates sequences from a tuned run, or from an untuned model.

rl_tuner_generate --run_dir=rl_tuner_runs/psi_paper_rules_001 --output_dir=melodies
rl_tuner_generate --run_dir=my_run --output_dir=melodies --num_steps=128 \
      --primer_melody="[60, -2, 64, -2]" --temperature=0.9
rl_tuner_generate --note_rnn_checkpoint_dir=my_note_rnn --output_dir=melodies
"""

import pathlib

from absl import flags

from rl_tuner import cli, worlds
from rl_tuner.errors import UserError

FLAGS = flags.FLAGS

flags.DEFINE_string(
    "task", worlds.DEFAULT_TASK, "What an untuned model generates; a run knows its own."
)
flags.DEFINE_string("run_dir", "", "What rl_tuner_train wrote.")
flags.DEFINE_string(
    "note_rnn_checkpoint_dir",
    "",
    "Folder of an untuned model instead: what note_rnn_train wrote, or a Magenta "
    "checkpoint.",
)
flags.DEFINE_string(
    "note_rnn_checkpoint_file", "", "The same, but a TensorFlow checkpoint file."
)
flags.DEFINE_string("output_dir", "", "Where to write.")
flags.DEFINE_integer("num_outputs", 10, "Sequences to generate.")
flags.DEFINE_integer(
    "num_steps",
    None,
    "Tokens in each, the primer included; by default as many as the task's sequences "
    "have, after the primer.",
)
flags.DEFINE_float(
    "temperature", 1.0, "Above 1 is more random, below 1 keeps to the likely."
)
flags.DEFINE_integer("seed", 0, "The same seed generates the same.")


def main() -> None:
    """Reads the flags and generates."""
    _check_flags()
    sources = [
        name
        for name in ("run_dir", "note_rnn_checkpoint_dir", "note_rnn_checkpoint_file")
        if FLAGS[name].value
    ]
    if len(sources) != 1:
        raise UserError(
            "name one model: --run_dir of a tuned one, or --note_rnn_checkpoint_dir or "
            "--note_rnn_checkpoint_file of an untuned one"
        )
    source = pathlib.Path(FLAGS[sources[0]].value).expanduser()
    from rl_tuner import run_directory

    is_run = sources[0] == "run_dir"
    settings = run_directory.read_settings(source) if is_run else None
    world = worlds.find_world(settings.task if settings else FLAGS.task)
    if not FLAGS.output_dir:
        raise UserError("--output_dir is missing; name a directory to write to")
    output_dir = cli.writable_directory(FLAGS.output_dir)

    cli.load_tensorflow()
    import numpy as np

    from rl_tuner.evaluation import generate_for_task
    from rl_tuner.policy import Policy
    from rl_tuner.sequence_rnn import SequenceRNN

    task = world.make_task(settings.task_settings if settings else {})
    if settings:
        policy = run_directory.load_policy(source, settings)
    else:
        policy = Policy.of_prior(SequenceRNN.load(source))
    task.check_model(policy.q_network)
    primers = world.primers_from_flags(FLAGS.num_outputs)
    if primers is None:
        sequences = generate_for_task(
            policy,
            task,
            FLAGS.num_outputs,
            FLAGS.temperature,
            FLAGS.seed,
            FLAGS.num_steps,
        ).sequences
    else:
        primers = np.asarray(primers)
        num_steps = FLAGS.num_steps or primers.shape[1] + task.max_length
        if num_steps <= primers.shape[1]:
            raise UserError(
                f"--num_steps={num_steps} leaves nothing to generate after a primer of "
                f"{primers.shape[1]} steps; give a larger one"
            )
        generated = policy.generate(
            primers, num_steps - primers.shape[1], FLAGS.temperature, FLAGS.seed
        )
        sequences = np.concatenate([primers, generated.sequences], axis=1)
    task.write_samples(sequences, output_dir, str(source))
    print(f"{len(sequences)} sequences of {sequences.shape[1]} steps in {output_dir}")


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
