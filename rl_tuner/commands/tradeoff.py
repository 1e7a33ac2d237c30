"""Plots what tuning gains in reward against how far it goes from the prior, along c.

The constant c weighs the prior against the task's reward: the larger c, the closer the
tuned policy stays. Each algorithm is trained at each c, some side by side, and
tradeoff.csv and tradeoff.png show what came of it. What was cut resumes with the runs
that are not finished when the same command is given again:

  rl_tuner_tradeoff --output_dir=tradeoff
  rl_tuner_tradeoff --output_dir=tradeoff --c=0.5,5 --algorithms=psi,g
"""

from rl_tuner.commands import cli, grid_flags, tuning_flags
from rl_tuner.runs import run_directory

grid_flags.define_flags(
    constants=["0.25", "0.5", "1", "2", "5", "20"], num_melodies=2_000
)


def main() -> None:
    """Carries out what is not there yet, and draws."""
    finished = grid_flags.carry_out()
    from rl_tuner.reports import tradeoff

    points: list[tradeoff.Point] = [
        {
            "algorithm": run.model,
            "c": run.c,
            **run_directory.needed_evaluation(run.directory).metrics,
        }
        for run in finished.runs
    ]
    untuned = run_directory.needed_evaluation(finished.untuned_directory).metrics
    tradeoff.write_points(finished.directory / "tradeoff.csv", points)
    tradeoff.plot_tradeoff(points, untuned, finished.directory / "tradeoff.png")
    print(f"tradeoff.csv and tradeoff.png are in {finished.directory}")


def console_entry() -> None:
    """Runs the binary."""
    cli.run(main, tuning_flags.define_task_flags)


if __name__ == "__main__":
    console_entry()
