"""What binaries that train a grid of runs share: their flags, and carrying it out."""

from __future__ import annotations

import dataclasses
import datetime
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from absl import flags

from rl_tuner import config, worlds
from rl_tuner.algorithms import ALGORITHMS
from rl_tuner.commands import cli, job_flags, model_flags, tuning_flags
from rl_tuner.errors import UserError
from rl_tuner.reports import models
from rl_tuner.runs import grid, resuming, run_directory
from rl_tuner.runs.finished_grid import FinishedGrid
from rl_tuner.system import provenance, same_settings, whole_files

FLAGS = flags.FLAGS
_VARIED = ("algorithm", "reward_scaler", "seed", "reference_g_update")


def define_flags(constants: Sequence[str], num_melodies: int) -> None:
    """Defines the flags of a grid, with these values of c and sequences by default."""
    flags.DEFINE_string(
        "output_dir", "", "Where to write, and to resume where it was cut."
    )
    flags.DEFINE_list(
        "algorithms",
        list(config.PAPER_ALGORITHMS),
        f"Algorithms, of {', '.join(ALGORITHMS)}.",
    )
    flags.DEFINE_list("c", list(constants), "Values of c, the weight of the prior.")
    flags.DEFINE_integer(
        "seeds", 1, "Runs of each model, with --seed and those after it."
    )
    flags.DEFINE_integer(
        "num_melodies", num_melodies, "Sequences that each model is measured on."
    )
    flags.DEFINE_integer(
        "output_every_nth", 100_000, "Environment steps between points of the curves."
    )
    flags.DEFINE_integer("num_samples", 10, "Sequences of each model to write.")
    flags.DEFINE_integer(
        "num_workers", None, "Runs side by side; by default as many as there are cores."
    )
    job_flags.define_flags()
    flags.DEFINE_float(
        "save_every_secs", 300.0, "Seconds between saves that a cut run resumes from."
    )


def carry_out() -> FinishedGrid:
    """Trains and measures what the flags ask for and is not there yet.

    Raises:
      UserError: a flag makes no sense, or a run failed.
    """
    num_workers = _check_flags()
    base = dataclasses.asdict(tuning_flags.tuner_config(reference_g_update=False))
    configs = grid.grid_configs(
        FLAGS.algorithms,
        tuning_flags.constants(FLAGS.c),
        range(FLAGS.seed, FLAGS.seed + FLAGS.seeds),
        tuning_flags.values_for,
        FLAGS.reference_g_update,
    )
    world = worlds.find_world(FLAGS.task)
    task_settings = world.task_settings()
    prior_path = model_flags.untuned_path(world)
    output_dir = cli.writable_directory(FLAGS.output_dir)
    with resuming.lock(output_dir):
        cli.load_tensorflow()
        from rl_tuner.runs import dependencies, grid_training

        prior = model_flags.load(prior_path, world)
        task_settings = world.complete_settings(task_settings, prior)
        task = world.make_task(task_settings, prior)
        task.check_model(prior)
        tuning_flags.try_own_task(task)
        made_with = {
            "task": FLAGS.task,
            "task_settings": task_settings,
            "prior_sha256": prior.fingerprint(),
            "training_steps": FLAGS.training_steps,
            "output_every_nth": FLAGS.output_every_nth,
            "num_samples": FLAGS.num_samples,
            "config": {name: base[name] for name in base if name not in _VARIED},
        }
        contents = dependencies.of_run(world, task_settings, prior, prior_path)
        named = {f"the fingerprint of {name}": contents[name] for name in contents}
        same_settings.claim(output_dir / "grid.json", made_with | named, newer=[*named])
        runs = _runs(configs, task_settings, prior_path, contents, output_dir)
        log = {
            "command": provenance.command_line(),
            "started": _now(),
            "prior": str(prior_path),
            **made_with,
            "num_melodies": FLAGS.num_melodies,
            "num_workers": num_workers,
            "versions": provenance.versions(),
            "runs": [run.record() for run in runs],
        }
        whole_files.write_json(output_dir / "log.json", log)
        finished = FinishedGrid(
            directory=output_dir,
            task=task,
            task_settings=task_settings,
            publication=world.publication(),
            prior=prior,
            runs=runs,
            log=log,
        )
        prior.save(finished.untuned_directory / "model")
        _measure_untuned(finished)
        (output_dir / "logs").mkdir(exist_ok=True)
        if job_flags.is_local():
            grid_training.carry_out_grid(runs, num_workers, output_dir / "logs")
        else:
            grid_training.carry_out_grid_on_beam(
                runs, output_dir, FLAGS.runner, FLAGS.beam_options
            )
        log |= {"runs": [run.record() for run in runs], "finished": _now()}
        whole_files.write_json(output_dir / "log.json", log)
        return finished


def _runs(
    configs: Mapping[tuple[str, float, int], config.RLTunerConfig],
    task_settings: dict[str, Any],
    prior_path: pathlib.Path,
    contents: dict[str, str],
    output_dir: pathlib.Path,
) -> list[grid.GridRun]:
    """The runs of these configs, and where each is kept."""
    return [
        grid.GridRun(
            directory=output_dir / "runs" / grid.run_name(model, c, seed),
            model=model,
            c=c,
            settings=run_directory.RunSettings(
                task=FLAGS.task,
                task_settings=task_settings,
                prior=str(prior_path.absolute()),
                training_steps=FLAGS.training_steps,
                config=dataclasses.asdict(tuner_config),
                contents=contents,
            ),
            prior=output_dir / models.UNTUNED / "model",
            curve_every=FLAGS.output_every_nth,
            num_samples=FLAGS.num_samples,
            num_evaluated=FLAGS.num_melodies,
            save_every=FLAGS.save_every_secs,
        )
        for (model, c, seed), tuner_config in configs.items()
    ]


def _measure_untuned(finished: FinishedGrid) -> None:
    """Measures the untuned model, unless that is done."""
    from rl_tuner.generation.policy import Policy
    from rl_tuner.runs.grid_training import measure_and_save

    measured = run_directory.read_evaluation(finished.untuned_directory)
    if measured and measured.num_sequences == FLAGS.num_melodies:
        return
    print("measuring the untuned model", flush=True)
    measure_and_save(
        Policy.of_prior(finished.prior),
        finished.task,
        finished.untuned_directory,
        finished.publication.prior_label,
        FLAGS.num_samples,
        FLAGS.num_melodies,
    )


def _check_flags() -> int:
    """Refuses what makes no sense; returns how many runs go side by side."""
    cli.check_at_least(
        training_steps=1, seeds=1, num_melodies=1, output_every_nth=1, num_samples=1
    )
    if not FLAGS.save_every_secs >= 0.0:
        raise UserError(f"--save_every_secs={FLAGS.save_every_secs} must be at least 0")
    if FLAGS.num_workers is not None:
        cli.check_at_least(num_workers=1)
    if not FLAGS.output_dir:
        raise UserError("--output_dir is missing; name a directory to write to")
    if not FLAGS.algorithms:
        raise UserError(f"--algorithms is empty; name {', '.join(ALGORITHMS)}")
    reference = ["g"] if FLAGS.reference_g_update else []  # which is a model more
    tuning_flags.check_used([*FLAGS.algorithms, *reference])
    if FLAGS.target_kl is not None:
        _check_target_kl()
    return FLAGS.num_workers or provenance.available_cores()


def _check_target_kl() -> None:
    """Refuses a target KL of runs that cannot hold it, or that would do so twice."""
    others = [name for name in FLAGS.algorithms if name in config.PAPER_ALGORITHMS]
    if others:
        raise UserError(
            f"--target_kl is for policy gradients, not for {', '.join(others)}; name "
            f"some of {', '.join(config.POLICY_GRADIENTS)} by --algorithms"
        )
    if len(tuning_flags.constants(FLAGS.c)) > 1:
        raise UserError(
            f"--target_kl moves c from where it begins, and --c={','.join(FLAGS.c)} "
            "names several; name one: --c=2"
        )


def _now() -> str:
    return datetime.datetime.now().astimezone().isoformat(timespec="seconds")
