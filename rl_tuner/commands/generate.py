r"""Generates sequences from a tuned run, or from an untuned model.

Where none is named, from the one that comes with --task:

rl_tuner_generate --run_dir=rl_tuner_runs/psi_paper_rules_001 --output_dir=melodies
rl_tuner_generate --run_dir=my_run --output_dir=melodies --num_steps=128 \
      --primer_melody="[60, -2, 64, -2]" --temperature=0.9
rl_tuner_generate --note_rnn_checkpoint_dir=my_note_rnn --output_dir=melodies
rl_tuner_generate --bundle_file=basic_rnn.mag --output_dir=melodies --qpm=120

Millions of them, as text, a sequence a line, in files that several machines can make;
rl_tuner_score reads them:

rl_tuner_generate --run_dir=my_run --output_dir=many --num_outputs=1000000 \
      --num_shards=100 --runner=DirectRunner
"""

from __future__ import annotations

import json
import pathlib
from typing import TYPE_CHECKING, Any

from absl import flags

from rl_tuner.commands import cli, job_flags, model_flags, world_flags
from rl_tuner.errors import UserError

if TYPE_CHECKING:
    import numpy as np

    from rl_tuner.generation.policy import Policy
    from rl_tuner.runs.bulk_generation import Generation
    from rl_tuner.task import Task

FLAGS = flags.FLAGS

model_flags.define_run_flags("What an untuned model generates; a run knows its own.")
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
flags.DEFINE_integer(
    "num_shards",
    0,
    "Write text, a sequence a line, to so many files; 0 writes what is nice to have of "
    "a few.",
)
job_flags.define_flags()


def main() -> None:
    """Reads the flags and generates."""
    _check_flags()
    model = model_flags.named_model()
    if not FLAGS.output_dir:
        raise UserError("--output_dir is missing; name a directory to write to")
    output_dir = cli.writable_directory(FLAGS.output_dir)

    world = model.world
    primers = world.primers_from_flags(FLAGS.num_outputs)
    write_settings = world.write_settings()
    task_settings = world.generate_settings()
    if model.run:
        task_settings = model.run.task_settings | task_settings

    cli.load_tensorflow()
    from rl_tuner.runs import bulk_generation

    policy = model.policy()
    task = world.make_task(task_settings, policy.q_network)
    task.check_model(policy.q_network)
    if primers is not None:
        primers, more = world.fit_primers(primers, task)
        write_settings |= more
    generation = bulk_generation.Generation(
        task=model.task,
        task_settings=json.dumps(task_settings),
        algorithm=policy.algorithm.name,
        count=FLAGS.num_outputs,
        temperature=FLAGS.temperature,
        seed=FLAGS.seed,
        **_lengths_and_primer(task, primers, world.writes_beginnings()),
    )
    if FLAGS.num_shards:
        _write_shards(generation, policy, output_dir)
        return
    sequences = bulk_generation.sequences(generation, policy, task)
    before = _when_written(output_dir)
    task.write_samples(sequences, output_dir, str(model.path), **write_settings)
    most = "up to " if task.end_token is not None else ""
    steps = f"{most}{sequences.shape[1]} steps"
    print(f"{len(sequences)} sequences of {steps} in {output_dir}")
    remarks = [] if generation.is_beginning_written else task.remarks_on(sequences)
    for remark in remarks:
        print(remark)
    older = sorted(dict(before.items() & _when_written(output_dir).items()))
    if older:
        print(f"of before, and not of these, are {len(older)} files: {older[0]} ...")


def _when_written(directory: pathlib.Path) -> dict[str, int]:
    """The times at which the files of a folder were written, in ns, by name."""
    return {path.name: path.stat().st_mtime_ns for path in directory.iterdir()}


def _write_shards(
    generation: Generation, policy: Policy, output_dir: pathlib.Path
) -> None:
    """Writes sequences as text, and says so."""
    from tqdm import tqdm

    from rl_tuner.runs import bulk_generation

    with tqdm(total=FLAGS.num_shards, unit=" shards") as bar:
        paths = bulk_generation.generate_shards(
            generation,
            policy,
            output_dir,
            FLAGS.num_shards,
            FLAGS.runner,
            FLAGS.beam_options,
            lambda _: bar.update(),
        )
    print(f"{generation.count} sequences in {paths[0]} and so on")


def _lengths_and_primer(
    task: Task, primers: np.ndarray | list[list[int]] | None, with_beginning: bool
) -> dict[str, Any]:
    """The part of a generation that the flags of primers decide."""
    is_read, is_written = (
        FLAGS.condition_on_primer,
        FLAGS.inject_primer_during_generation,
    )
    if not is_read and (primers is None or not is_written):
        raise UserError("--nocondition_on_primer needs a primer, and to write it")
    if not is_written and primers is None:
        raise UserError("--noinject_primer_during_generation needs a primer")
    length = 0
    if with_beginning:
        from rl_tuner.generation.evaluation import sample_primes

        length = int(sample_primes(task, 1).shape.num_elements())
    if primers is not None and is_written:
        length = len(primers[0])
    num_steps = FLAGS.num_steps or length + task.max_length
    if num_steps <= length:
        raise UserError(
            f"--num_steps={num_steps} leaves nothing to generate after a primer of "
            f"{length} steps; give a larger one"
        )
    return {
        "num_steps": num_steps - length,
        "primer": () if primers is None else tuple(primers[0]),
        "is_primer_read": is_read,
        "is_primer_written": is_written,
        "is_beginning_written": with_beginning,
    }


def _check_flags() -> None:
    most = 100_000_000 if FLAGS.num_shards else 1_000_000
    if not 1 <= FLAGS.num_outputs <= most:
        raise UserError(f"--num_outputs={FLAGS.num_outputs} must be 1 to {most}")
    if not 0 <= FLAGS.num_shards <= min(FLAGS.num_outputs, 99_999):
        raise UserError(
            f"--num_shards={FLAGS.num_shards} must be 0, or up to one for each of "
            f"--num_outputs={FLAGS.num_outputs}, and at most 99999"
        )
    if not job_flags.is_local() and not FLAGS.num_shards:
        raise UserError(f"--runner={FLAGS.runner} needs --num_shards")
    if FLAGS.num_steps is not None and not 1 <= FLAGS.num_steps <= 1_000_000:
        raise UserError(f"--num_steps={FLAGS.num_steps} must be 1 to 1000000")
    if not 0.0 < FLAGS.temperature < float("inf"):
        raise UserError(f"--temperature={FLAGS.temperature} must be above 0 and finite")
    if not 0 <= FLAGS.seed < 2**31:
        raise UserError(f"--seed={FLAGS.seed} must be 0 to {2**31 - 1}")


def console_entry() -> None:
    """Runs the binary."""
    cli.run(main, world_flags.define_generate_flags)


if __name__ == "__main__":
    console_entry()
