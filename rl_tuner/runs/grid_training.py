"""Trains and measures the runs of a grid, each in a process of its own."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import sys
import time
from collections.abc import Callable, Sequence

import tensorflow as tf
from tqdm import tqdm

from rl_tuner import user_code, worlds
from rl_tuner.config import RLTunerConfig
from rl_tuner.errors import UserError
from rl_tuner.generation.evaluation import evaluate_policy
from rl_tuner.generation.policy import Policy
from rl_tuner.networks.network import Network
from rl_tuner.rl_tuner import RLTuner, TrainingProgress
from rl_tuner.runs import dependencies, resuming, run_directory, training_run
from rl_tuner.runs.grid import GridRun, mark_as_trained
from rl_tuner.system import jobs as job_runners
from rl_tuner.system.stop_request import Stopped, StopRequest
from rl_tuner.system.worker_processes import run_side_by_side
from rl_tuner.task import Task

# Work done in a run, in steps of training, and what it is doing.
News = tuple[float, str]


def carry_out_grid(
    runs: Sequence[GridRun], num_workers: int, log_directory: str | os.PathLike
) -> None:
    """Trains and measures what is not there yet, some runs side by side.

    Finished runs are left as they are, so that a grid which was cut resumes. Progress
    goes to standard error.

    Raises:
      UserError: a run failed.
    """
    left = {run.name: run for run in runs if not run.is_complete}
    work = {name: run.work for name, run in left.items()}
    done = dict.fromkeys(left, 0.0)
    now: dict[str, str] = {}
    with tqdm(
        total=sum(work.values()),
        bar_format="{percentage:3.0f}% {bar:20} {elapsed}, {remaining} left; {desc}",
        mininterval=0.5 if sys.stderr.isatty() else 30.0,
        smoothing=0.05,
        disable=not left,
    ) as bar:

        def listen(name: str, news: News) -> None:
            steps, now[name] = news
            if steps >= work[name]:
                del now[name]
            bar.update(steps - done[name])
            done[name] = steps
            finished = sum(done[other] >= work[other] for other in left)
            running = ", ".join(f"{other} {doing}" for other, doing in now.items())
            text = f"{len(runs) - len(left) + finished} of {len(runs)} runs; {running}"
            bar.set_description_str(text, refresh=False)

        run_side_by_side(_carry_out, left, num_workers, listen, log_directory)


def carry_out_grid_on_beam(
    runs: Sequence[GridRun],
    output_dir: pathlib.Path,
    runner: str,
    beam_options: str = "",
) -> None:
    """The same as `carry_out_grid`, on a Beam runner's machines.

    Args:
      runs: of the grid.
      output_dir: the grid's folder, that all machines see under the same name.
      runner: as of `jobs.run_jobs`.
      beam_options: the same.

    Raises:
      UserError: a run failed, which the message names.
    """
    jobs = {
        run.name: dataclasses.replace(
            run, directory=run.directory.absolute(), prior=run.prior.absolute()
        )
        for run in runs
        if not run.is_complete
    }
    job_runners.run_jobs(carry_out_alone, jobs, output_dir, runner, beam_options)


def carry_out_alone(run: GridRun) -> None:
    """Trains and measures a run in a process of its own, beside nothing else.

    Raises:
      UserError: it failed.
    """
    logs = run.directory.parents[1] / "logs"
    run_side_by_side(_carry_out, {run.name: run}, 1, lambda name, news: None, logs)


def measure_and_save(
    policy: Policy,
    task: Task,
    directory: pathlib.Path,
    title: str,
    num_samples: int,
    num_evaluated: int,
    seed: int = 0,
    untuned: Network | None = None,
    reward_scaler: float | None = None,
) -> None:
    """Writes samples of a policy, to see and to hear, and what is measured of it.

    The last are as of `evaluate_policy`.
    """
    samples = directory / "samples"
    sequences = training_run.write_samples(policy, task, num_samples, samples, title)
    task.write_audio(sequences, samples)
    evaluation = evaluate_policy(
        policy,
        task,
        num_evaluated,
        seed,
        untuned=untuned,
        reward_scaler=reward_scaler,
    )
    if untuned is None:  # then the Reward RNN is the prior still
        for figures in (evaluation.metrics, evaluation.standard_errors):
            figures["log_untuned"] = figures["log_prior"]
    run_directory.write_evaluation(directory, evaluation)


def _carry_out(run: GridRun, report: Callable[[News], None]) -> None:
    """Trains and measures a run; called in its own process.

    Raises:
      UserError: the training failed, or was stopped by a signal.
    """
    # Networks this small are quicker with one thread each, side by side.
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    for device in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(device, True)
    settings = run.settings
    work = run.work
    world = worlds.find_world(settings.task)
    prior = Network.load(run.prior)
    task = world.make_task(settings.task_settings, prior)
    # Own code and files may have changed since the grid was begun.
    contents = dependencies.of_task(world, settings.task_settings)
    now = dataclasses.replace(settings, contents=contents)
    resuming.refuse_changed_contents(settings, now)
    report((0, "starting"))
    run.directory.mkdir(parents=True, exist_ok=True)
    with resuming.lock(run.directory), user_code.blamed():
        if not run.is_trained:
            _train(run, prior, task, report)
        report((work - run.work, "measuring"))
        _measure(run, prior, task)
    report((work, "done"))


def _measure(run: GridRun, prior: Network, task: Task) -> None:
    has_moved = run.settings.config["reference_g_update"]
    measure_and_save(
        run_directory.load_policy(run.directory, run.settings),
        task,
        run.directory,
        run.title,
        run.num_samples,
        run.num_evaluated,
        run.seed,
        untuned=prior if has_moved else None,
        reward_scaler=run_directory.final_scaler(run.directory, run.settings),
    )


def _train(
    run: GridRun, prior: Network, task: Task, report: Callable[[News], None]
) -> None:
    """Trains a run from its start, or its last save, and marks it as trained."""
    settings = run.settings
    run_directory.write_settings(run.directory, settings)
    tuner = RLTuner(prior, task, RLTunerConfig(**settings.config))
    steps = settings.training_steps

    def tell(now: TrainingProgress) -> None:
        report((min(now.step, steps), f"{min(1.0, now.step / steps):.0%}"))

    start = time.monotonic()
    with StopRequest() as stop:
        outputs = training_run.Outputs(
            directory=run.directory,
            curve_every=run.curve_every,
            num_samples=run.num_samples,
            num_evaluated=run.num_evaluated,
            title=run.title,
            save_every=run.save_every,
            should_stop=stop,
        )
        try:
            training_run.train_and_save(tuner, steps, outputs, tell)
        except Stopped as stopped:
            raise UserError(f"{stopped}; the same command resumes from there") from None
    mark_as_trained(run, seconds=round(time.monotonic() - start, 1))
    training_run.discard_saves(run.directory)
