"""One tuning run from start to end: training, curves, networks, samples, tables."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import math
import pathlib
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
from tqdm import tqdm

from rl_tuner.errors import UserError
from rl_tuner.generation.diversity import Corpus
from rl_tuner.generation.evaluation import evaluate_policy, generate_for_task
from rl_tuner.generation.policy import Policy
from rl_tuner.networks.network import Network
from rl_tuner.reports import tables
from rl_tuner.reports.tensorboard_curves import TensorBoardCurves
from rl_tuner.rl_tuner import RLTuner, TrainingProgress
from rl_tuner.runs import curves as curve_points
from rl_tuner.runs import progress_bar, ruin, run_directory
from rl_tuner.system import saves as training_state
from rl_tuner.system import whole_files
from rl_tuner.system.stop_request import Stopped
from rl_tuner.task import Task
from rl_tuner.training.divergence import Diverged

# Environment steps between points of TensorBoard's curves, at the most.
REPORT_EVERY = 10_000
_TRAINING_CURVES = ("task_reward", "log_prior", "loss", "epsilon", "kl")


@dataclasses.dataclass(frozen=True)
class Outputs:
    """What a run measures and leaves.

    Attributes:
      directory: where to.
      curve_every: environment steps between points of the curves.
      num_samples: sequences that are written.
      num_evaluated: sequences that the closing table is measured on.
      title: of the figures.
      save_every: seconds between saves of the whole run.
      should_stop: asked about once a second; True saves, and raises `Stopped`.
      stopping_at_once: a context in which a request to stop is a KeyboardInterrupt, for
        what takes long and has nothing to save.
    """

    directory: pathlib.Path
    curve_every: int
    num_samples: int
    num_evaluated: int
    title: str
    save_every: float = 60.0
    should_stop: Callable[[], bool] = lambda: False
    stopping_at_once: Callable[[], AbstractContextManager[Any]] = contextlib.nullcontext


def run(
    tuner: RLTuner,
    prior: Network,
    num_steps: int,
    outputs: Outputs,
    corpus: Corpus | None = None,
) -> dict[str, dict[str, float]]:
    """Trains, and writes all that the run leaves into its directory.

    Progress goes to standard error. Sampled before and after the training, the
    sequences come from the same seeds. With the corpus that the prior was trained on,
    those that are copied from it are counted.

    Returns:
      the metrics `before` and `after`, as in `evaluation.evaluate_policy`.
    """
    task, directory = tuner.task, outputs.directory
    untuned, samples = Policy.of_prior(prior), directory / "samples"
    with _writing_to(directory):
        measure = functools.partial(
            evaluate_policy,
            task=task,
            num_sequences=outputs.num_evaluated,
            corpus=corpus,
        )
        number = outputs.num_samples
        with _stopping_at_once(tuner, outputs):
            _warn(f"measuring the untuned model on {outputs.num_evaluated} sequences")
            before = measure(untuned)
            write_samples(untuned, task, number, samples / "before", "untuned")
        with tqdm(total=num_steps, unit=" steps", smoothing=0.1) as bar:
            bar.set_postfix_str("compiling")
            show = functools.partial(progress_bar.show, bar)
            curves = train_and_save(tuner, num_steps, outputs, show)
        with _stopping_at_once(tuner, outputs):
            _warn(f"measuring the tuned model on {outputs.num_evaluated} sequences")
            write_samples(tuner.policy, task, number, samples / "after", outputs.title)
            after = measure(tuner.policy, reward_scaler=_scaler(tuner))
            if tuner.config.target_kl is not None:
                after.metrics["held_c"] = 1.0 / tuner.reward_scaler
        metrics = {"before": before.metrics, "after": after.metrics}
        _write_metrics(metrics, task, directory)
    discard_saves(directory)
    for line in ruin.remarks(curves, before, after):
        _warn(line)
    return metrics


def table(metrics: Mapping[str, Mapping[str, float]], task: Task) -> str:
    """The task's metrics and the policy's, before and after, in Markdown."""
    rows = [*task.metric_rows(), *tables.POLICY_ROWS]
    return tables.comparison_table(rows, metrics)


def train_and_save(
    tuner: RLTuner,
    num_steps: int,
    outputs: Outputs,
    report: Callable[[TrainingProgress], None],
) -> list[dict[str, float]]:
    """Trains, and leaves the networks and then the curves in the run's directory.

    A run that was cut resumes from its last save, and ends as if it had not been cut.
    The saves stay until `discard_saves`.

    Args:
      tuner: what is trained.
      num_steps: environment steps.
      outputs: where to, and how often the curves are measured.
      report: called with the progress about once a second.

    Returns:
      the points of the curves.

    Raises:
      Stopped: it was asked to stop, and is saved.
      UserError: the training diverged, every save is damaged, or the results cannot be
        written.
    """
    with _writing_to(outputs.directory):
        curves = _train(tuner, num_steps, outputs, report)
        run_directory.save_networks(outputs.directory, tuner)
        curve_points.write(curves, tuner, outputs.directory, outputs.title)
    return curves


def write_samples(
    policy: Policy, task: Task, number: int, directory: pathlib.Path, title: str
) -> np.ndarray:
    """Writes sequences as the task does; the same ones every time: [number, T]."""
    directory.mkdir(parents=True, exist_ok=True)
    sequences = generate_for_task(policy, task, number, seed=1).sequences
    task.write_samples(sequences, directory, title)
    return sequences


def _train(
    tuner: RLTuner,
    num_steps: int,
    outputs: Outputs,
    report: Callable[[TrainingProgress], None],
) -> list[dict[str, float]]:
    """Trains; returns the points of the curves."""
    saves = outputs.directory / run_directory.SAVES_NAME
    if outputs.save_every < math.inf:
        memories = [replica.memory for replica in tuner.replicas]
        sizes = [memory.bytes_after(num_steps) for memory in memories]
        training_state.check_disk(saves, sum(sizes))
    curves = _resume_from(saves, tuner)
    if curves is None:
        start = TrainingProgress(0, math.nan, math.nan, math.nan, math.nan)
        curves = [curve_points.measure(tuner, start)]
    tensorboard = TensorBoardCurves(outputs.directory / "tensorboard", _warn)
    last_save = time.monotonic()
    check_place = run_directory.watch(outputs.directory)

    def note(progress: TrainingProgress) -> None:
        now = progress._asdict()
        points = {
            f"training/{name}": now[name]
            for name in _TRAINING_CURVES
            if math.isfinite(now[name])
        }
        due = len(curves) * outputs.curve_every
        if progress.step >= min(due, num_steps):
            curves.append(curve_points.measure(tuner, progress))
            for name in curve_points.labels(tuner):
                if name != "loss" and math.isfinite(curves[-1][name]):
                    points[f"evaluation/{name}"] = curves[-1][name]
        tensorboard.write(progress.step, points)

    def look(progress: TrainingProgress) -> None:
        nonlocal last_save
        check_place()
        gone: BrokenPipeError | None = None
        try:
            report(progress)
        except BrokenPipeError as error:  # nobody reads it any more
            gone = error
        is_last = progress.step >= num_steps
        is_stopped = tuner.loop.any_wishes(outputs.should_stop()) and not is_last
        is_due = bool(gone) or time.monotonic() - last_save >= outputs.save_every
        if tuner.loop.any_wishes(is_due) or is_stopped or is_last:
            tuner.loop.flush()
            is_saved = training_state.try_to_save(
                saves, tuner.step, tuner.state(), {"curves": curves}, _warn
            )
            last_save = time.monotonic()
            if gone:
                raise gone
            if is_stopped and is_saved:
                raise Stopped(progress.step)

    stretch = min(REPORT_EVERY, outputs.curve_every)
    try:
        tuner.train(num_steps - tuner.step, note, stretch, look)
    except Diverged as error:
        last = training_state.latest(saves)
        good = f"the last good save is {last}" if last else "nothing was saved before"
        raise UserError(
            f"{error}, in another --output_dir or with --restart; {good}"
        ) from error
    return curves


def _resume_from(saves: pathlib.Path, tuner: RLTuner) -> list[dict[str, float]] | None:
    """Restores the last save; returns its curves, None if nothing was saved."""
    saved = training_state.load_latest(saves, _warn)
    # All processes that train resume from the same step.
    step = tuner.loop.least(saved.step if saved else 0)
    if saved and saved.step > step:
        saved = training_state.load_latest(saves, _warn, step) if step else None
    if tuner.loop.least(saved.step if saved else 0) != step:
        raise UserError(
            f"the workers have no save of the same step: {saves} has none of {step}; "
            "start over with --restart"
        )
    if saved is None:
        return None
    try:
        tuner.restore(saved.arrays)
        curves = saved.record["curves"]
    except (KeyError, ValueError) as error:
        raise UserError(
            f"the saves in {saves} are of another version of rl_tuner: {error}; resume "
            "with that version, or start over with --restart"
        ) from error
    _warn(f"resuming from step {tuner.step}")
    return curves


@contextlib.contextmanager
def _stopping_at_once(tuner: RLTuner, outputs: Outputs) -> Iterator[None]:
    """Stops outside the training, where nothing is lost."""
    try:
        with outputs.stopping_at_once():
            yield
    except KeyboardInterrupt:
        if outputs.should_stop():
            raise Stopped(tuner.step) from None
        raise
    if tuner.loop.any_wishes(outputs.should_stop()):
        raise Stopped(tuner.step)


@contextlib.contextmanager
def _writing_to(directory: pathlib.Path) -> Iterator[None]:
    """Turns a full disk that can no longer be waited for into a `UserError`."""
    try:
        yield
    except BrokenPipeError:  # of the terminal
        raise
    except OSError as error:
        raise UserError(
            f"cannot write the results to {directory}: {error.strerror or error}; make "
            "room there, and the same command resumes from the last save"
        ) from error


def discard_saves(directory: pathlib.Path) -> None:
    """Deletes the saves of a run that has ended: hundreds of megabytes of memory."""
    shutil.rmtree(directory / run_directory.SAVES_NAME, ignore_errors=True)


def _warn(text: str) -> None:
    tqdm.write(text, file=sys.stderr)


def _write_metrics(
    metrics: dict[str, Any], task: Task, directory: pathlib.Path
) -> None:
    (directory / "metrics.md").write_text(table(metrics, task) + "\n")
    # Last: it is done.
    whole_files.write_json(directory / run_directory.METRICS_NAME, metrics)


def _scaler(tuner: RLTuner) -> float | None:
    """1/c, where the Reward RNN is still the prior, so that there is an optimum."""
    return None if tuner.config.reference_g_update else tuner.reward_scaler
