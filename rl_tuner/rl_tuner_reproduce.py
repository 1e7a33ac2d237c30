"""Repeats the paper: Table 1, Figures 2 and 4, from one command.

Trains Q, Psi, G and rewards only at the paper's setting, measures each and the untuned
model, and writes table1.md, .csv and .json, figure2.png, figure4.png, ten samples of
each model and index.html, which shows all of it. Runs are trained side by side; what
was cut goes on with the runs that are not finished when the same command is given
again:

  rl_tuner_reproduce --output_dir=paper
  rl_tuner_reproduce --output_dir=paper --seeds=3 --steps=1000000 --reference_g_update
  rl_tuner_reproduce --output_dir=corrected --rules=corrected --c=0.5,1,2

--reference_g_update adds a model: G as the reference implementation updated it, beside
G with the Reward RNN frozen.
"""

import dataclasses
import datetime

from absl import flags

from rl_tuner import (
    cli,
    config,
    grid,
    model_flags,
    provenance,
    run_directory,
    tuning_flags,
    worlds,
)
from rl_tuner.errors import UserError

FLAGS = flags.FLAGS
PAPER_STEPS = 3_000_000

flags.DEFINE_alias("steps", "training_steps")
FLAGS.set_default("training_steps", PAPER_STEPS)
flags.DEFINE_string("output_dir", "", "Where to write, and to go on where it was cut.")
flags.DEFINE_list("algorithms", list(config.ALGORITHMS), "Algorithms.")
flags.DEFINE_list("c", ["0.5"], "Values of c, the weight of the prior.")
flags.DEFINE_integer("seeds", 1, "Runs of each model, with --seed and those after it.")
flags.DEFINE_integer(
    "num_melodies", 100_000, "Sequences that each model is measured on."
)
flags.DEFINE_integer(
    "output_every_nth", 100_000, "Environment steps between points of Figure 2."
)
flags.DEFINE_integer("num_samples", 10, "Sequences of each model to write.")
flags.DEFINE_integer(
    "num_workers", None, "Runs side by side; by default as many as there are cores."
)


def main() -> None:
    """Reads the flags, carries out what is not there yet, and writes the report."""
    tuning_flags.check_counts(
        "training_steps", "seeds", "num_melodies", "output_every_nth", "num_samples"
    )
    num_workers = FLAGS.num_workers
    if num_workers is None:
        num_workers = provenance.available_cores()
    elif num_workers < 1:
        raise UserError(f"--num_workers={num_workers} must be at least 1")
    if not FLAGS.output_dir:
        raise UserError("--output_dir is missing; name a directory to write to")
    if not FLAGS.algorithms:
        raise UserError(f"--algorithms is empty; name {', '.join(config.ALGORITHMS)}")
    base = dataclasses.asdict(tuning_flags.tuner_config(reference_g_update=False))
    configs = grid.grid_configs(
        FLAGS.algorithms,
        tuning_flags.constants(FLAGS.c),
        range(FLAGS.seed, FLAGS.seed + FLAGS.seeds),
        base,
        FLAGS.reference_g_update,
    )
    world = worlds.find_world(FLAGS.task)
    settings = world.task_settings()
    prior_path = tuning_flags.prior_path(world)
    output_dir = cli.writable_directory(FLAGS.output_dir)

    cli.load_tensorflow()
    from rl_tuner import grid_training, reproduction
    from rl_tuner.policy import Policy

    task = world.make_task(settings)
    prior = model_flags.load(prior_path, world)
    task.check_model(prior)
    varied = ("algorithm", "reward_scaler", "seed", "reference_g_update")
    made_with = {
        "task": FLAGS.task,
        "task_settings": settings,
        "prior_sha256": run_directory.fingerprint(prior),
        "training_steps": FLAGS.training_steps,
        "output_every_nth": FLAGS.output_every_nth,
        "num_samples": FLAGS.num_samples,
        "config": {name: base[name] for name in base if name not in varied},
    }
    run_directory.claim(output_dir / "grid.json", made_with)
    untuned_dir = output_dir / grid.UNTUNED
    prior.save(untuned_dir / "model")
    runs = [
        grid.GridRun(
            directory=output_dir / "runs" / grid.run_name(model, c, seed),
            model=model,
            c=c,
            settings=run_directory.RunSettings(
                task=FLAGS.task,
                task_settings=settings,
                prior=str(prior_path.absolute()),
                training_steps=FLAGS.training_steps,
                config=dataclasses.asdict(tuner_config),
            ),
            prior=untuned_dir / "model",
            curve_every=FLAGS.output_every_nth,
            num_samples=FLAGS.num_samples,
            num_evaluated=FLAGS.num_melodies,
        )
        for (model, c, seed), tuner_config in configs.items()
    ]
    log = _log(made_with, runs, num_workers)
    run_directory.write_json(output_dir / "log.json", log)
    experiment = worlds.experiment_of(world)
    measured = run_directory.read_evaluation(untuned_dir)
    if measured is None or measured.num_sequences != FLAGS.num_melodies:
        print(f"measuring {experiment.prior_label}, {prior_path}", flush=True)
        grid_training.measure_and_save(
            Policy.of_prior(prior),
            task,
            experiment,
            untuned_dir,
            experiment.prior_label,
            FLAGS.num_samples,
            FLAGS.num_melodies,
        )
    (output_dir / "logs").mkdir(exist_ok=True)
    grid_training.carry_out_grid(runs, num_workers, output_dir / "logs")
    finished = reproduction.Reproduction(
        output_dir, task, settings, experiment, prior, runs
    )
    log["runs"] = [run.record() for run in runs]
    log["finished"] = _now()
    run_directory.write_json(output_dir / "log.json", log)
    print(f"\n{reproduction.write_all(finished, log)}\n")
    print(f"{reproduction.PAGE_NAME} in {output_dir} shows all of it")


def _log(made_with: dict, runs: list[grid.GridRun], num_workers: int) -> dict:
    """Every setting, seed and version."""
    return {
        "command": provenance.command_line(),
        "started": _now(),
        "prior": runs[0].settings.prior,
        **made_with,
        "num_melodies": FLAGS.num_melodies,
        "num_workers": num_workers,
        "versions": provenance.versions(),
        "runs": [run.record() for run in runs],
    }


def _now() -> str:
    return datetime.datetime.now().astimezone().isoformat(timespec="seconds")


def console_entry() -> None:
    """Runs the binary."""
    cli.run(main, tuning_flags.define_task_flags)


if __name__ == "__main__":
    console_entry()
