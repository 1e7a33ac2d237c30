"""What binaries that train on a corpus share: their flags, and carrying it out."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from absl import flags

from rl_tuner import settings
from rl_tuner.commands import cli, setting_flags
from rl_tuner.errors import UserError
from rl_tuner.pretraining.config import PretrainingConfig

if TYPE_CHECKING:
    from rl_tuner.pretraining.corpus import Corpus

FLAGS = flags.FLAGS
_Config = TypeVar("_Config", bound=PretrainingConfig)


def define(config_class: type[PretrainingConfig]) -> None:
    """Defines the flags, with those of a world's settings."""
    flags.DEFINE_string(
        "output_dir", None, "The run's folder, for a new run or one to resume."
    )
    setting_flags.define(config_class, settings.fields(config_class))
    flags.DEFINE_integer(
        "num_threads",
        1,
        "Threads for TensorFlow; 0: as many as it likes. One is fastest for 100 cells.",
    )


def read_config(
    config_class: type[_Config], defaults: Mapping[str, Any] | None = None
) -> _Config:
    """The config that the flags give.

    Args:
      config_class: its class.
      defaults: values of flags that are not given, where they are not the class's.

    Raises:
      UserError: a flag makes no sense, or the output directory is missing.
    """
    if not FLAGS.output_dir:
        raise UserError("--output_dir is missing; name a directory to write to")
    if FLAGS.num_threads < 0:
        raise UserError(f"--num_threads={FLAGS.num_threads} must be at least 0")
    values = setting_flags.values(config_class, defaults)
    values["layer_sizes"] = _layer_sizes(values["layer_sizes"])
    return config_class(**values)


def carry_out(
    config: _Config, make_corpus: Callable[[_Config, pathlib.Path], Corpus]
) -> None:
    """Trains or resumes in `--output_dir`, and prints the scores.

    Args:
      config: how to train.
      make_corpus: from the config and the output directory, what to train on.
    """
    output_dir = cli.writable_directory(FLAGS.output_dir)
    cli.load_tensorflow()
    from rl_tuner.pretraining import report, run, trainer
    from rl_tuner.runs import resuming
    from rl_tuner.system import stop_request

    if FLAGS.num_threads:
        trainer.limit_threads(FLAGS.num_threads)
    corpus = make_corpus(config, output_dir)
    with resuming.lock(output_dir), stop_request.stopping(output_dir) as stop:
        scores = run.train(config, corpus, output_dir, stop)
    print(report.report_text(scores, corpus.title))
    print(f"written to {output_dir / corpus.name}")


def _layer_sizes(given: Sequence[Any]) -> tuple[int, ...]:
    try:
        sizes = tuple(int(size) for size in given)
    except ValueError:
        sizes = ()
    if not sizes or min(sizes) < 1:
        raise UserError(
            f"--layer_sizes={','.join(map(str, given))} must be numbers of cells "
            "above 0, as 100 or 128,128"
        )
    return sizes
