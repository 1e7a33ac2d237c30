"""Trains molecules in all replay modes at a reduced setting, and compares them.

  python tests/benchmarks/replay_modes.py [--protocol=random_token] [--training_steps=N]

Same seed, same settings but for --replay_mode, without traces; any flag of
rl_tuner_train's tuning may be given. Batches and memories of whole sequences are as
many times smaller as a sequence has tokens, so that each mode learns from about as many
transitions. Prints, every --output_every_nth steps, what a thousand sampled strings
come to, and the seconds that the training took.
"""

import time

from absl import flags

from rl_tuner import config, worlds
from rl_tuner.commands import cli, model_flags, tuning_flags

FLAGS = flags.FLAGS
REDUCED = {
    "training_steps": 50_000,
    "output_every_nth": 10_000,
    "minibatch_size": 120,
    "train_every_nth": 50,
    "num_sequences": 50,
    "rounds_per_scoring": 10,
    "replay_capacity": 30_000,
    "trace_decay": 0.0,
}
TOKENS_OF_A_SEQUENCE = 30
COLUMNS = ("percent_valid", "mean_qed", "mean_log_p", "task_reward", "kl", "unique")

flags.DEFINE_string("algorithm", "psi", "As rl_tuner_train's.")
flags.DEFINE_float("reward_scaler", 0.35, "As rl_tuner_train's.")
flags.DEFINE_integer("output_every_nth", 20_000, "Steps between lines.")
flags.DEFINE_list("replay_modes", list(config.REPLAY_MODES), "Those to compare.")


def main() -> None:
    """Trains in each mode."""
    cli.load_tensorflow()
    from rl_tuner.generation.evaluation import evaluate_policy
    from rl_tuner.rl_tuner import RLTuner
    from rl_tuner.training.replay.replay_modes import REPLAY_MODES

    world = worlds.find_world("molecule")
    prior = model_flags.load(model_flags.untuned_path(world), world)
    task = world.make_task(world.task_settings(), prior)
    print(f"{'mode':14}{'steps':>9}{'seconds':>9}", *(f"{c:>14}" for c in COLUMNS))
    for mode in FLAGS.replay_modes:
        settings = {"replay_mode": mode}
        if REPLAY_MODES[mode].stores_sequences:
            for name in ("minibatch_size", "replay_capacity"):
                settings[name] = FLAGS[name].value // TOKENS_OF_A_SEQUENCE
        tuner = RLTuner(prior, task, tuning_flags.tuner_config(**settings))
        seconds = 0.0
        while True:
            measured = evaluate_policy(tuner.policy, task, 1000).metrics
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
