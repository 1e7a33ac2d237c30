"""Flags that every binary which tunes has: the task, its prior, and how it is tuned."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from absl import flags

from rl_tuner import settings, worlds
from rl_tuner.commands import setting_flags, world_flags
from rl_tuner.config import (
    ALGORITHMS,
    PAPER_ALGORITHMS,
    POLICY_GRADIENTS,
    RLTunerConfig,
)
from rl_tuner.errors import UserError

if TYPE_CHECKING:
    from rl_tuner.task import Task

FLAGS = flags.FLAGS

flags.DEFINE_string(
    "task",
    worlds.default_task(),
    "What is tuned for; some.module:SomeTask for your own.",
)
flags.DEFINE_integer(
    "training_steps",
    300_000,
    "Environment steps, a token of a sequence each; the paper's tables take 3000000.",
)
_OF_ANY_ALGORITHM = ("algorithm", "reward_scaler", "seed")
# Binaries that vary these over many runs have other flags for them.
VARIED = ("algorithm", "reward_scaler")
# Whose settings these are: other algorithms do nothing with them.
_OF_SOME: dict[str, Sequence[str]] = {
    **dict.fromkeys(
        (
            *("exploration_mode", "exploration_steps", "initial_epsilon"),
            *("final_epsilon", "target_network_update_rate", "minibatch_size"),
            *("train_every_nth", "rounds_per_scoring", "replay_capacity", "replay"),
            *("priority_exponent", "importance_exponent", "replay_mode"),
            *("trace_decay", "terminal", "initial_values"),
        ),
        PAPER_ALGORITHMS,
    ),
    **dict.fromkeys(
        (
            *("target_kl", "initial_reward_scaler", "learning_rate_decay"),
            *("updates_per_batch", "num_best"),
        ),
        POLICY_GRADIENTS,
    ),
    "reference_g_update": ("g",),
    "clip_ratio": ("ppo",),
    "lowest_share": ("dpg",),
}
setting_flags.define(
    RLTunerConfig,
    [name for name in settings.fields(RLTunerConfig) if name not in VARIED],
)


def define_task_flags(argv: list[str]) -> None:
    """Defines the flags of the world that the command line names, and its defaults."""
    world = world_flags.define_task_flags(argv)
    world.define_tuning_flags()
    set_defaults(world.tuning_defaults(argv))
    if "algorithm" in FLAGS:  # what `values_for` says, for --help
        best = str(FLAGS["algorithm"].default)
        algorithm = worlds.value_in(argv, "algorithm", best)
        if algorithm in POLICY_GRADIENTS:
            set_defaults(world.policy_gradient_settings())


def set_defaults(values: Mapping[str, Any]) -> None:
    """Sets what flags are if they are not given, of those that the binary has."""
    for name, value in values.items():
        if name in FLAGS:
            FLAGS.set_default(name, value)


def try_own_task(task: Task) -> None:
    """Tries a task of the user's own, and prints what is odd about it.

    Raises:
      UserError: it cannot be tuned for.
    """
    from rl_tuner.runs import task_trial

    if ":" in FLAGS.task and (oddity := task_trial.try_task(task)):
        print(oddity, file=sys.stderr)


def constants(texts: Sequence[str]) -> list[float]:
    """The values of `--c`, each once."""
    try:
        values = [float(text) for text in texts]
    except ValueError:
        values = []
    if not values or not all(0.0 < c < math.inf for c in values):
        raise UserError(f"--c={','.join(texts)} must be numbers above 0: --c=0.5,1,2")
    return list(dict.fromkeys(values))


def defaults() -> dict[str, Any]:
    """What every flag is if it is not given."""
    return {name: FLAGS[name].default for name in FLAGS}


def tuner_config(**settings_before: Any) -> RLTunerConfig:
    """The config that the flags give; `settings_before` stand before them."""
    algorithm = setting_flags.values(RLTunerConfig).get("algorithm")
    if algorithm is not None:
        check_used([algorithm])
    return RLTunerConfig(**values_for(algorithm) | settings_before)


def check_used(algorithms: Sequence[str]) -> None:
    """Refuses flags that are given and that none of these algorithms would heed.

    What an algorithm of the user's own heeds is not known; one that is none is refused
    later.

    Raises:
      UserError: there is one.
    """
    if not set(algorithms) <= set(ALGORITHMS):
        return
    for name, users in _OF_SOME.items():
        is_given = name in FLAGS and FLAGS[name].present
        if is_given and not set(users) & set(algorithms):
            raise UserError(
                f"--{name} does nothing for {', '.join(algorithms)}; it is for "
                f"{', '.join(users)}: leave it out, or choose another algorithm"
            )


def values_for(algorithm: str | None) -> dict[str, Any]:
    """Fields of `RLTunerConfig` that the flags give for an algorithm.

    What is not given on the command line is, of a policy gradient, what the world says
    of these, or the setting's own default for it: the world's other defaults are for
    what learns from single steps.
    """
    values = setting_flags.values(RLTunerConfig)
    if values["exploration_steps"] is None:
        values["exploration_steps"] = FLAGS.training_steps // 2
    if algorithm not in POLICY_GRADIENTS:
        return values
    own = worlds.find_world(FLAGS.task).policy_gradient_settings()
    for name in values:
        if not FLAGS[name].present and name not in _OF_ANY_ALGORITHM:
            values[name] = getattr(RLTunerConfig, name)
        if not FLAGS[name].present and name in own:
            values[name] = own[name]
    return values
