"""Flags that every binary which trains on a corpus has."""

from __future__ import annotations

from typing import Any

from absl import flags

from rl_tuner.errors import UserError
from rl_tuner.pretraining.config import PretrainingConfig

FLAGS = flags.FLAGS


def define(defaults: PretrainingConfig) -> None:
    """Defines the flags, with a world's defaults."""
    flags.DEFINE_string(
        "output_dir", None, "The run's folder, for a new run or to go on."
    )
    flags.DEFINE_integer(
        "num_training_steps", defaults.num_training_steps, "The most steps to do."
    )
    flags.DEFINE_list(
        "layer_sizes",
        ",".join(map(str, defaults.layer_sizes)),
        "LSTM cells per layer, separated by commas.",
    )
    flags.DEFINE_integer(
        "batch_size", defaults.batch_size, "Sequences per training step."
    )
    flags.DEFINE_float(
        "learning_rate",
        defaults.learning_rate,
        "Adam's learning rate at the beginning.",
    )
    flags.DEFINE_float(
        "learning_rate_decay",
        defaults.decay_rate,
        "Factor on the learning rate every --decay_steps.",
    )
    flags.DEFINE_integer(
        "decay_steps", defaults.decay_steps, "Steps between two decays."
    )
    flags.DEFINE_float(
        "clip_norm",
        defaults.clip_norm,
        "Global norm that gradients are clipped to.",
    )
    flags.DEFINE_float(
        "l2", defaults.l2, "Weight of the L2 penalty on the weight matrices."
    )
    flags.DEFINE_integer(
        "eval_every", defaults.eval_every, "Steps between evaluations and checkpoints."
    )
    flags.DEFINE_integer(
        "patience",
        defaults.patience,
        "Evaluations without a better one that end the training.",
    )
    flags.DEFINE_integer(
        "seed", defaults.seed, "Decides the initial weights and the choice of data."
    )
    flags.DEFINE_integer(
        "num_threads",
        1,
        "Threads for TensorFlow; 0: as many as it likes. One is fastest for 100 cells.",
    )


def settings() -> dict[str, Any]:
    """The fields of `PretrainingConfig` that the flags give.

    Raises:
      UserError: a flag makes no sense, or the output directory is missing.
    """
    if not FLAGS.output_dir:
        raise UserError("--output_dir is missing; name a directory to write to")
    check_at_least(
        num_training_steps=1,
        batch_size=1,
        decay_steps=1,
        eval_every=1,
        patience=1,
        seed=0,
        num_threads=0,
    )
    for name in ("learning_rate", "learning_rate_decay", "clip_norm"):
        if not 0 < FLAGS[name].value < float("inf"):
            raise UserError(f"--{name}={FLAGS[name].value:g} must be above 0")
    if not 0 <= FLAGS.l2 < float("inf"):
        raise UserError(f"--l2={FLAGS.l2:g} must not be negative")
    return {
        "layer_sizes": _layer_sizes(),
        "batch_size": FLAGS.batch_size,
        "learning_rate": FLAGS.learning_rate,
        "decay_rate": FLAGS.learning_rate_decay,
        "decay_steps": FLAGS.decay_steps,
        "clip_norm": FLAGS.clip_norm,
        "l2": FLAGS.l2,
        "num_training_steps": FLAGS.num_training_steps,
        "eval_every": FLAGS.eval_every,
        "patience": FLAGS.patience,
        "seed": FLAGS.seed,
    }


def check_at_least(**least: int) -> None:
    """Raises `UserError` for a flag whose value is below the one given here."""
    for name, number in least.items():
        if FLAGS[name].value < number:
            raise UserError(f"--{name}={FLAGS[name].value} must be at least {number}")


def _layer_sizes() -> tuple[int, ...]:
    try:
        sizes = tuple(int(size) for size in FLAGS.layer_sizes)
    except ValueError:
        sizes = ()
    if not sizes or min(sizes) < 1:
        raise UserError(
            f"--layer_sizes={','.join(FLAGS.layer_sizes)} must be numbers of cells "
            "above 0, as 100 or 128,128"
        )
    return sizes
