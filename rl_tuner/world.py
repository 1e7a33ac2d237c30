"""World: what the commands ask of a world, and what they take where it does not say."""

from __future__ import annotations

import abc
import pathlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from absl import flags

from rl_tuner.errors import UserError
from rl_tuner.reports.publication import Publication
from rl_tuner.system.text_source import TextSource

if TYPE_CHECKING:
    import numpy as np

    from rl_tuner.formats.model_format import ModelFormat
    from rl_tuner.metrics import Evaluation
    from rl_tuner.networks.sequence_rnn import SequenceRNN
    from rl_tuner.reports.web_page import WebPage
    from rl_tuner.task import Task

FLAGS = flags.FLAGS


class World(abc.ABC):
    """A kind of sequences: its tasks, flags, models, data and published results.

    Only `name` and `make_task` must be written. A package declares its world under the
    entry point group `rl_tuner.worlds`; a user's own is named by
    `--task=some.module:SomeWorld`.
    The module of a declared world imports no TensorFlow, so that `--help` is quick.

    Attributes:
      name: as users name it.
      shipped_checkpoint: folder in `checkpoints/` of the prior that commands take when
        none is named; None if there is none.
      is_default: whether commands take this world when no `--task` is given.
      flags_of_settings: those of `task_settings` that several flags make, or one of
        another name: name -> flags.
    """

    name: str
    shipped_checkpoint: str | None = None
    is_default: bool = False
    flags_of_settings: Mapping[str, Sequence[str]] = {}

    @abc.abstractmethod
    def make_task(
        self, settings: dict[str, Any], model: SequenceRNN | None = None
    ) -> Task:
        """The task of these settings, for this model or one of its kind.

        Args:
          settings: as `task_settings` returns them; an empty one has all defaults.
          model: has the task's vocabulary; None where the caller has no model yet.

        Raises:
          UserError: a setting makes no sense, or the model is of another world.
        """

    def define_task_flags(self) -> None:  # noqa: B027 - optional
        """Defines the absl flags that choose the task's settings; by default none."""

    def define_tuning_flags(self) -> None:  # noqa: B027 - optional
        """Defines the absl flags of what holds while tuning only; by default none."""

    def define_generate_flags(self) -> None:  # noqa: B027 - optional
        """Defines the absl flags of generation; by default none."""

    def define_score_flags(self) -> None:
        """Defines the absl flags of rl_tuner_score; by default those of the task."""
        self.define_task_flags()

    def define_model_flags(self) -> None:  # noqa: B027 - optional
        """Defines the absl flags that say what a model file does not."""

    def task_settings(self) -> dict[str, Any]:
        """The task's settings from the flags; JSON-serializable.

        Raises:
          UserError: a flag makes no sense.
        """
        return {}

    def given_settings(self, run: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Those of `task_settings` whose flags are on the command line.

        Args:
          run: the settings of the run that they are for; flags may speak of what is
            there, as of the weight of a term of its own.
        """
        del run
        return self.only_given(self.task_settings())

    def only_given(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Those whose flags are on the command line."""
        return {
            name: value
            for name, value in settings.items()
            if any(
                flag in FLAGS and FLAGS[flag].present
                for flag in self.flags_of_settings.get(name, (name,))
            )
        }

    def generate_settings(self) -> dict[str, Any]:
        """The same from the generate flags, where these choose settings of the task."""
        return {}

    def complete_settings(
        self, settings: dict[str, Any], model: SequenceRNN
    ) -> dict[str, Any]:
        """The task's settings with what only the model can say, to be kept with a run.

        Args:
          settings: as `task_settings` returns them.
          model: what is tuned, or generates.
        """
        del model
        return settings

    def tuning_defaults(self, argv: list[str]) -> dict[str, Any]:
        """Defaults of tuning flags, by name, where this world has its own.

        Args:
          argv: the command line, which is not parsed yet: see `worlds.value_in`.
        """
        del argv
        return {}

    def policy_gradient_settings(self) -> dict[str, Any]:
        """Fields of `RLTunerConfig` whose defaults for policy gradients are others."""
        return {}

    def paper_defaults(self) -> dict[str, Any]:
        """The same for rl_tuner_reproduce: the values of the paper."""
        return {}

    def files_of(self, settings: dict[str, Any]) -> list[pathlib.Path]:
        """The files that `make_task` reads: a run of others is not resumed.

        Args:
          settings: as `task_settings` returns them.
        """
        del settings
        return []

    def run_label(self, settings: dict[str, Any]) -> str:
        """A word or two for these settings, in titles and names of folders."""
        del settings
        return self.name

    def checkpoint_from_flags(self) -> str | None:
        """The shipped checkpoint that suits the flags."""
        return self.shipped_checkpoint

    def formats(self) -> Sequence[ModelFormat]:
        """The formats of models, beside our own, that this world reads or writes."""
        return ()

    def apply_model_flags(  # noqa: B027 - optional
        self, model: SequenceRNN
    ) -> None:
        """Adds to a model's metadata what `define_model_flags` says of it.

        Raises:
          UserError: a flag does not suit the model.
        """

    def source_settings(self) -> dict[str, Any]:
        """How rl_tuner_score reads its sources, from its flags; JSON-serializable."""
        return {}

    def sequence_source(
        self, path: pathlib.Path, settings: dict[str, Any]
    ) -> TextSource:
        """A file of sequences, as rl_tuner_score is given it.

        Args:
          path: of the file.
          settings: as `source_settings` returns them; an empty one has all defaults.

        Raises:
          UserError: it cannot be read.
        """
        del settings
        return TextSource(path)

    def read_corpus(self, directory: str) -> list[Any]:
        """The training sequences of a dataset, each [length] integers.

        Where a dataset has a vocabulary of its own, which need not be the model's, each
        is a text instead, as `Task.to_lines` writes them.

        Raises:
          UserError: there is none, or it is damaged.
        """
        raise UserError(
            f"--task={self.name} cannot read a corpus; leave out "
            f"--corpus_dir={directory}"
        )

    def primers_from_flags(
        self, num_outputs: int
    ) -> np.ndarray | list[list[int]] | None:
        """Primers [N, P] from the generate flags; None leaves it to the task."""
        del num_outputs
        return None

    def fit_primers(
        self, primers: Any, task: Task
    ) -> tuple[np.ndarray | list[list[int]], dict[str, Any]]:
        """Primers as the model reads them, and arguments for `write_samples`.

        Args:
          primers: of `primers_from_flags`, which knows no model.
          task: of the model.

        Raises:
          UserError: the model cannot read them.
        """
        del task
        return primers, {}

    def writes_beginnings(self) -> bool:
        """Whether the generate flags ask for what sequences begin from as well."""
        return False

    def write_settings(self) -> dict[str, Any]:
        """Arguments from the generate flags for the task's `write_samples`."""
        return {}

    def add_to_page(
        self,
        page: WebPage,
        task: Task,
        sequences: Mapping[str, np.ndarray],
        evaluations: Mapping[str, Evaluation],
        directory: pathlib.Path,
    ) -> None:
        """Shows what models generate; by default what the run wrote of it.

        Args:
          page: what it is added to.
          task: of the models.
          sequences: of each model, some [N, T], by what it is called; the tuned last.
          evaluations: of each.
          directory: of the run, or where the model lies.
        """
        del task, sequences, evaluations
        folders = {x: directory / "samples" / x for x in ("before", "after")}
        if all(folder.is_dir() for folder in folders.values()):
            page.heading("Samples")
            page.samples(folders)

    def publication(self) -> Publication:
        """What was published of this world; by default nothing."""
        return Publication()
