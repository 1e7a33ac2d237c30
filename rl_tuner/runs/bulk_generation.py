"""Generates millions of sequences, in shards that can be spread over machines."""

from __future__ import annotations

import dataclasses
import functools
import json
import pathlib
from collections.abc import Callable

import numpy as np

from rl_tuner import worlds
from rl_tuner.algorithms import get_algorithm
from rl_tuner.generation.evaluation import generate_for_task, sample_primes
from rl_tuner.generation.policy import Policy
from rl_tuner.networks.network import Network
from rl_tuner.system import jobs as job_runners
from rl_tuner.system import same_settings, shards, whole_files
from rl_tuner.task import Task

STEM = "sequences"
_MODEL = ".model"


@dataclasses.dataclass(frozen=True)
class Generation:
    """What is generated; the same one always generates the same.

    Attributes:
      task: as in `--task`.
      task_settings: what the world makes the task of, as JSON.
      algorithm: whose policy the two networks make.
      count: how many sequences.
      num_steps: tokens in each.
      temperature: the policy scores are divided by it.
      seed: of all randomness.
      primer: a melody or the like to continue; empty for a beginning of the task's.
      is_primer_read: whether the networks read the primer before they begin.
      is_primer_written: whether sequences begin with the primer.
      is_beginning_written: whether they begin with the beginning of the task's.
    """

    task: str
    task_settings: str
    algorithm: str
    count: int
    num_steps: int
    temperature: float
    seed: int
    primer: tuple[int, ...] = ()
    is_primer_read: bool = True
    is_primer_written: bool = True
    is_beginning_written: bool = False


@dataclasses.dataclass(frozen=True)
class GenerationJob:
    """A shard of it.

    Attributes:
      generation: of which it is a part.
      model: a folder with the two networks.
      rows: which sequences of it.
      output: where they go.
    """

    generation: Generation
    model: pathlib.Path
    rows: tuple[int, int]
    output: pathlib.Path


def generate_shards(
    generation: Generation,
    policy: Policy,
    output_dir: pathlib.Path,
    num_shards: int,
    runner: str = job_runners.LOCAL,
    beam_options: str = "",
    done: Callable[[str], None] = lambda name: None,
) -> list[pathlib.Path]:
    """Writes sequences as lines of text to `sequences-00000-of-...txt` and so on.

    Put together, the shards hold the same however many there are and wherever they
    were made. Shards that are there already are left as they are.

    Args:
      generation: what is generated.
      policy: by which.
      output_dir: that all machines see; the files of one generation only.
      num_shards: how many files.
      runner: as of `jobs.run_jobs`, as are the other two.
      beam_options: the same.
      done: the same.

    Raises:
      UserError: the folder holds another generation.
    """
    from rl_tuner.runs import run_directory

    same_settings.claim(
        output_dir / "generation.json",
        dataclasses.asdict(generation)
        | {
            "num_shards": num_shards,
            "networks": [
                network.fingerprint()
                for network in (policy.q_network, policy.reward_rnn)
            ],
        },
        newer=("is_beginning_written",),
    )
    model = (output_dir / _MODEL).absolute()
    policy.q_network.save(model / run_directory.Q_NETWORK_NAME)
    policy.reward_rnn.save(model / run_directory.REWARD_RNN_NAME)
    names = shards.shard_names(STEM, ".txt", num_shards)
    paths = [output_dir.absolute() / name for name in names]
    ranges = shards.row_ranges(generation.count, num_shards)
    jobs = {
        path.stem: GenerationJob(generation, model, rows, path)
        for path, rows in zip(paths, ranges, strict=True)
        if not path.exists()
    }
    job_runners.run_jobs(generate_shard, jobs, output_dir, runner, beam_options, done)
    return paths


def generate_shard(job: GenerationJob) -> None:
    """Generates a shard and writes it."""
    generation = job.generation
    policy, task = _load(
        job.model, generation.task, generation.task_settings, generation.algorithm
    )
    text = "".join(
        f"{line}\n"
        for line in task.to_lines(sequences(generation, policy, task, job.rows))
    )
    whole_files.write_atomically(job.output, text.encode())


def sequences(
    generation: Generation,
    policy: Policy,
    task: Task,
    rows: tuple[int, int] | None = None,
) -> np.ndarray:
    """Some sequences of a generation, or all: [N, T] int32."""
    steps, temperature, seed = (
        generation.num_steps,
        generation.temperature,
        generation.seed,
    )
    primer = np.array([generation.primer], np.int32)
    if generation.primer and generation.is_primer_read:
        primers = np.repeat(primer, generation.count, axis=0)
        generated = policy.generate(
            primers, steps, temperature, seed, task.end_token, rows
        ).sequences
    else:
        generated = generate_for_task(
            policy, task, generation.count, temperature, seed, steps, rows
        ).sequences
    if generation.is_beginning_written:
        primes = sample_primes(task, generation.count, seed)
        first, last = rows or (0, generation.count)
        beginnings = np.asarray(primes)[first:last].reshape(len(generated), -1)
        return np.concatenate([beginnings, generated], 1)
    if not generation.is_primer_written:
        return generated
    return np.concatenate([np.repeat(primer, len(generated), axis=0), generated], 1)


@functools.lru_cache(maxsize=1)
def _load(
    model: pathlib.Path, task_name: str, task_settings: str, algorithm: str
) -> tuple[Policy, Task]:
    """The policy and the task; a process keeps the last ones."""
    from rl_tuner.runs import run_directory

    q_network = Network.load(model / run_directory.Q_NETWORK_NAME)
    reward_rnn = Network.load(model / run_directory.REWARD_RNN_NAME)
    world = worlds.find_world(task_name)
    task = world.make_task(json.loads(task_settings), q_network)
    policy = Policy(q_network, reward_rnn, get_algorithm(algorithm))
    return policy, task
