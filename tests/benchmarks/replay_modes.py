"""Trains molecules in both replay modes at a reduced setting, and compares them.

  python tests/benchmarks/replay_modes.py [--protocol=random_token] [--training_steps=N]

Same seed, same settings but for --replay_mode; any flag of rl_tuner_train's tuning may
be given. Prints, every --output_every_nth steps, what a thousand sampled strings come
to, and the seconds that the training took.
"""

import time

from absl import flags

from rl_tuner import cli, config, model_flags, tuning_flags, worlds

FLAGS = flags.FLAGS
REDUCED = {
    "training_steps": 100_000,
    "output_every_nth": 20_000,
    "minibatch_size": 64,
    "train_every_nth": 20,
    "replay_capacity": 50_000,
}
COLUMNS = ("percent_valid", "mean_qed", "mean_log_p", "task_reward", "kl", "unique")

flags.DEFINE_string("algorithm", "psi", "As rl_tuner_train's.")
flags.DEFINE_float("reward_scaler", 0.35, "As rl_tuner_train's.")
flags.DEFINE_integer("output_every_nth", 20_000, "Steps between lines.")
flags.DEFINE_list("replay_modes", list(config.REPLAY_MODES), "Those to compare.")


def main() -> None:
    """Trains in each mode."""
    cli.load_tensorflow()
    from rl_tuner.evaluation import evaluate_policy
    from rl_tuner.rl_tuner import RLTuner

    world = worlds.find_world("molecule")
    prior = model_flags.load(tuning_flags.prior_path(world), world)
    task = world.make_task(world.task_settings(), prior)
    print(f"{'mode':14}{'steps':>9}{'seconds':>9}", *(f"{c:>14}" for c in COLUMNS))
    for mode in FLAGS.replay_modes:
        tuner = RLTuner(prior, task, tuning_flags.tuner_config(replay_mode=mode))
        seconds = 0.0
        while True:
            measured = evaluate_policy(tuner.policy, task, 1000)
            figures = (f"{measured[column]:14.3f}" for column in COLUMNS)
            print(f"{mode:14}{tuner.step:9}{seconds:9.0f}", *figures, flush=True)
            if tuner.step >= FLAGS.training_steps:
                break
            start = time.monotonic()
            tuner.train(FLAGS.output_every_nth)
            seconds += time.monotonic() - start


def _define_flags(argv: list[str]) -> None:
    tuning_flags.define_task_flags(["--task=molecule", *argv])
    for name, value in REDUCED.items():
        FLAGS.set_default(name, value)


if __name__ == "__main__":
    cli.run(main, _define_flags)
