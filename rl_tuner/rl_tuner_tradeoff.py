"""Plots what tuning gains in reward against how far it goes from the prior, along c.

The constant c weighs the prior against the task's reward: the larger c, the closer the
tuned policy stays. Each algorithm is trained at each c; the points go to tradeoff.csv
as they come, so that a run that was cut goes on where it stopped, and the figure to
tradeoff.png:

  rl_tuner_tradeoff --output_dir=tradeoff
  rl_tuner_tradeoff --output_dir=tradeoff --c=0.5,5 --algorithms=psi,g
"""

import dataclasses
import json
import pathlib

from absl import flags

from rl_tuner import cli, config, model_flags, tuning_flags, worlds
from rl_tuner.errors import UserError

FLAGS = flags.FLAGS

flags.DEFINE_list("c", ["0.25", "0.5", "1", "2", "5", "20"], "Values of c.")
flags.DEFINE_list("algorithms", list(config.ALGORITHMS), "Algorithms.")
flags.DEFINE_string("output_dir", "", "Where to write.")
flags.DEFINE_integer("num_melodies", 2_000, "Sequences that a point is measured on.")


def main() -> None:
    """Reads the flags, trains what is not there yet, and draws."""
    tuning_flags.check_counts("training_steps", "num_melodies")
    if not FLAGS.output_dir:
        raise UserError("--output_dir is missing; name a directory to write to")
    configs = {
        (algorithm, c): tuning_flags.tuner_config(
            algorithm=algorithm, reward_scaler=1.0 / c
        )
        for algorithm in FLAGS.algorithms
        for c in _constants()
    }
    world = worlds.find_world(FLAGS.task)
    settings = world.task_settings()
    prior_path = tuning_flags.prior_path(world)
    output_dir = cli.writable_directory(FLAGS.output_dir)

    cli.load_tensorflow()
    from tqdm import tqdm

    from rl_tuner import tradeoff
    from rl_tuner.evaluation import evaluate_policy
    from rl_tuner.policy import Policy
    from rl_tuner.rl_tuner import RLTuner

    task = world.make_task(settings)
    prior = model_flags.load(prior_path, world)
    untuned = evaluate_policy(Policy.of_prior(prior), task, FLAGS.num_melodies)
    varied = {"algorithm", "reward_scaler"}
    fixed = dataclasses.asdict(next(iter(configs.values())))
    made_with = {
        "prior": str(prior_path),
        "task": FLAGS.task,
        "task_settings": settings,
        "training_steps": FLAGS.training_steps,
        "num_melodies": FLAGS.num_melodies,
        "config": {name: fixed[name] for name in fixed if name not in varied},
        "untuned": untuned,
    }
    _refuse_other_settings(output_dir / "settings.json", made_with)
    points = tradeoff.read_points(output_dir / "tradeoff.csv")
    done = {(point["algorithm"], point["c"]) for point in points}
    with tqdm(configs.items(), unit=" runs") as bar:
        for (algorithm, c), tuner_config in bar:
            bar.set_postfix_str(f"{algorithm}, c={c:g}")
            if (algorithm, c) in done:
                continue
            tuner = RLTuner(prior, task, tuner_config)
            tuner.train(FLAGS.training_steps)
            metrics = evaluate_policy(tuner.policy, task, FLAGS.num_melodies)
            points.append({"algorithm": algorithm, "c": c, **metrics})
            tradeoff.write_points(output_dir / "tradeoff.csv", points)
    tradeoff.plot_tradeoff(points, untuned, output_dir / "tradeoff.png")
    print(f"tradeoff.csv and tradeoff.png are in {output_dir}")


def _constants() -> list[float]:
    """The values of --c."""
    try:
        values = [float(c) for c in FLAGS.c]
    except ValueError:
        values = []
    if not values or not all(0.0 < c < float("inf") for c in values):
        raise UserError(f"--c={','.join(FLAGS.c)} must be numbers above 0: --c=0.5,1,2")
    return values


def _refuse_other_settings(path: pathlib.Path, made_with: dict) -> None:
    """Writes the settings, or proves that they are those that are there already."""
    text = json.dumps(made_with, indent=2) + "\n"
    if path.exists() and path.read_text(encoding="utf-8") != text:
        raise UserError(
            f"{path.parent} holds points of other settings, listed in {path.name}; "
            "choose another --output_dir"
        )
    path.write_text(text, encoding="utf-8")


def console_entry() -> None:
    """Runs the binary."""
    cli.run(main, tuning_flags.define_task_flags)


if __name__ == "__main__":
    console_entry()
