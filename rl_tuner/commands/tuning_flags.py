"""Flags that every binary which tunes has: the task, its prior, and how it is tuned."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

from absl import flags

from rl_tuner import config, worlds
from rl_tuner.commands import world_flags
from rl_tuner.errors import UserError

FLAGS = flags.FLAGS
DEFAULTS = config.RLTunerConfig()

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
flags.DEFINE_string(
    "exploration_mode",
    DEFAULTS.exploration_mode,
    f"One of {', '.join(config.EXPLORATION_MODES)}.",
)
flags.DEFINE_integer(
    "exploration_steps",
    None,
    "Steps over which epsilon falls; by default half of the training steps.",
)
flags.DEFINE_string(
    "terminal",
    DEFAULTS.terminal,
    f"One of {', '.join(config.TERMINALS)}: whether the state after the last token "
    "has a value.",
)
flags.DEFINE_string(
    "initial_values",
    DEFAULTS.initial_values,
    f"One of {', '.join(config.INITIAL_VALUES)}: what the Q network begins with; zero "
    "and median, the median return of the prior's sequences, are for G only, whose "
    "policy then begins as the prior's.",
)
flags.DEFINE_string(
    "replay",
    DEFAULTS.replay,
    f"One of {', '.join(config.REPLAYS)}: whether transitions are sampled alike, or by "
    "the size of their last error.",
)
flags.DEFINE_string(
    "replay_mode",
    DEFAULTS.replay_mode,
    f"One of {', '.join(config.REPLAY_MODES)}: stored_state learns from one step, from "
    "the states that the networks acted in; whole_prefix reads each sequence again "
    "from its start, which takes many times as long; whole_sequence does so once for "
    "all of a sequence, and its --minibatch_size and --replay_capacity are sequences.",
)
for _name, _help in (
    ("discount_rate", "Gamma."),
    ("initial_epsilon", "Share of random actions at the first step."),
    ("final_epsilon", "Share of random actions after --exploration_steps."),
    ("learning_rate", "Of Adam."),
    ("clip_norm", "L2 norm that each weight's gradient is clipped to."),
    ("target_network_update_rate", "How fast the target network follows."),
    (
        "trace_decay",
        "Lambda: how much of a sequence's later errors counts in each target; 0 is as "
        "in the papers. For --replay_mode=whole_sequence.",
    ),
    ("priority_exponent", "Alpha of prioritized replay; 0 is uniform."),
    ("importance_exponent", "Beta of prioritized replay; 0 weighs all losses alike."),
):
    flags.DEFINE_float(_name, getattr(DEFAULTS, _name), _help)
for _name, _help in (
    ("minibatch_size", "Transitions an update."),
    ("train_every_nth", "Environment steps an update."),
    ("num_sequences", "Sequences that are played side by side."),
    ("replay_capacity", "Transitions that are remembered."),
    (
        "rounds_per_scoring",
        "Rounds of acting that are scored at once, for rewards that cannot be "
        "compiled; a round has as many steps as --num_sequences or --train_every_nth.",
    ),
    ("seed", "Of all randomness."),
):
    flags.DEFINE_integer(_name, getattr(DEFAULTS, _name), _help)
flags.DEFINE_bool(
    "reference_g_update",
    DEFAULTS.reference_g_update,
    "Under G, train the Reward RNN too, as the reference implementation did.",
)


def define_task_flags(argv: list[str]) -> None:
    """Defines the flags of the world that the command line names, and its defaults."""
    world = world_flags.define_task_flags(argv)
    set_defaults(world.tuning_defaults(argv))


def set_defaults(values: Mapping[str, Any]) -> None:
    """Sets what flags are if they are not given, of those that the binary has."""
    for name, value in values.items():
        if name in FLAGS:
            FLAGS.set_default(name, value)


def check_counts(*names: str) -> None:
    """Proves that flags are counts; a `UserError` names the first that is not."""
    for name in names:
        if FLAGS[name].value < 1:
            raise UserError(f"--{name}={FLAGS[name].value} must be at least 1")


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


def tuner_config(**settings: Any) -> config.RLTunerConfig:
    """The config that the flags give; `settings` stand before them."""
    names = {field.name for field in dataclasses.fields(config.RLTunerConfig)}
    values = {name: FLAGS[name].value for name in names if name in FLAGS} | settings
    if values["exploration_steps"] is None:
        values["exploration_steps"] = FLAGS.training_steps // 2
    return config.RLTunerConfig(**values)
