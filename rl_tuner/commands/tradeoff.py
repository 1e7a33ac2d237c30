r"""Plots what tuning gains in reward against how far it goes from the prior, along c.

The constant c weighs the prior against the task's reward: the larger c, the closer the
tuned policy stays. Each algorithm is trained at each c, some side by side, and
tradeoff.csv, tradeoff.md and tradeoff.png show what came of it, beside the exact
optimum where it is known. What was cut resumes with the runs that are not finished when
the same command is given again:

  rl_tuner_tradeoff --output_dir=tradeoff
  rl_tuner_tradeoff --output_dir=tradeoff --c=0.5,5 --algorithms=psi,g --seeds=5
  rl_tuner_tradeoff --output_dir=both --algorithms=reinforce \
      --beside="whole sequences=tradeoff/tradeoff.csv"
"""

import pathlib

from absl import flags

from rl_tuner.commands import cli, grid_flags, tuning_flags
from rl_tuner.errors import UserError
from rl_tuner.runs import run_directory

FLAGS = flags.FLAGS

grid_flags.define_flags(
    constants=["0.25", "0.5", "1", "2", "5", "20"], num_melodies=2_000
)
flags.DEFINE_multi_string(
    "beside",
    [],
    "Points of another trade-off to show too, by a name: name=folder/tradeoff.csv.",
)
flags.DEFINE_integer(
    "num_prior_sequences",
    20_000,
    "Sequences of the prior that tell the exact optimum near it; 0 for none.",
)


def main() -> None:
    """Carries out what is not there yet, and draws."""
    beside = [_named(text) for text in FLAGS.beside]
    finished = grid_flags.carry_out()
    from rl_tuner.reports import tradeoff
    from rl_tuner.reports.models import OPTIMUM
    from rl_tuner.runs import optimum

    points: list[tradeoff.Point] = [
        {
            "algorithm": run.model,
            "c": run.c,
            "seed": run.seed,
            "seconds": run.record()["training_seconds"],
            **run_directory.needed_evaluation(run.directory).metrics,
        }
        for run in finished.runs
    ]
    if FLAGS.target_kl is not None:
        scalers = [
            run_directory.final_scaler(run.directory, run.settings)
            for run in finished.runs
        ]
        points = tradeoff.at_moved_c(points, [1.0 / scaler for scaler in scalers])
    others = [
        point for name, path in beside for point in tradeoff.read_points(path, name)
    ]
    known = [point for point in others if point["algorithm"] == OPTIMUM]
    points += [point for point in others if point["algorithm"] != OPTIMUM]
    optima = optimum.optimum_points(finished, points, FLAGS.num_prior_sequences, known)
    points = [*optimum.distances(points, optima), *optima]
    untuned = run_directory.needed_evaluation(finished.untuned_directory).metrics
    tradeoff.write_points(finished.directory / "tradeoff.csv", points)
    tradeoff.plot_tradeoff(points, untuned, finished.directory / "tradeoff.png")
    table = tradeoff.table(points)
    (finished.directory / "tradeoff.md").write_text(table + "\n", encoding="utf-8")
    print(f"\n{table}\n")
    print(f"tradeoff.csv, .md and .png are in {finished.directory}")


def _named(text: str) -> tuple[str, pathlib.Path]:
    """A value of `--beside`."""
    name, equals, path = text.rpartition("=")
    if not (name and equals and pathlib.Path(path).is_file()):
        raise UserError(
            f"--beside={text} must be a name and the tradeoff.csv of another "
            "trade-off: name=folder/tradeoff.csv"
        )
    return name, pathlib.Path(path)


def console_entry() -> None:
    """Runs the binary."""
    cli.run(main, tuning_flags.define_task_flags)


if __name__ == "__main__":
    console_entry()
