"""MoleculeWorld: molecules, their flags and models; imports no TensorFlow."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from absl import flags

from molecule_rnn import task_flags
from molecule_rnn.molecule_file import MoleculeFile
from molecule_rnn.policy_gradient_defaults import (
    POLICY_GRADIENT_SETTINGS,
    START_POLICY_GRADIENT,
)
from molecule_rnn.scoring.rewards import (
    RewardSettings,
    own_terms,
    read_scoring_function,
)
from molecule_rnn.smiles_rnn.config import (
    LONGEST,
    RANDOM_TOKEN,
    START_TOKEN,
    USUAL_LENGTH,
)
from molecule_rnn.tuning_defaults import (
    PAPER_TUNING,
    REWARD_WEIGHTS,
    SCORING_WEIGHTS,
    START_TUNING,
)
from rl_tuner import worlds
from rl_tuner.config import POLICY_GRADIENTS
from rl_tuner.errors import UserError
from rl_tuner.world import World

if TYPE_CHECKING:
    import numpy as np

    from rl_tuner.metrics import Evaluation
    from rl_tuner.reports.publication import Publication
    from rl_tuner.reports.web_page import WebPage
    from rl_tuner.task import Task

FLAGS = flags.FLAGS
PAPER_CHECKPOINT = "smiles_rnn_paper"


class MoleculeWorld(World):
    """SMILES strings, for being valid, drug-like and easy to make."""

    name = "molecule"
    shipped_checkpoint = "smiles_rnn"
    flags_of_settings = task_flags.FLAGS_OF_SETTINGS

    def define_task_flags(self) -> None:
        """Defines the flags that choose what a molecule is rewarded for."""
        task_flags.define_task()

    def define_tuning_flags(self) -> None:
        """Defines the flags of the diversity filter."""
        task_flags.define_tuning()

    def define_generate_flags(self) -> None:
        """Defines the flags of what molecules are scored by, and written as."""
        task_flags.define_generate()

    def define_score_flags(self) -> None:
        """Defines the flags of the task, and of files of molecules."""
        task_flags.define_score()

    def write_settings(self) -> dict[str, Any]:
        """Whether an SD file is written.

        Raises:
          UserError: it is asked for of shards, which are text.
        """
        if FLAGS.sdf and FLAGS.num_shards:
            raise UserError("--sdf is not for --num_shards; leave one of them out")
        return {"sdf": True} if FLAGS.sdf else {}

    def source_settings(self) -> dict[str, Any]:
        """The column of SMILES."""
        return {"smiles_column": FLAGS.smiles_column}

    def sequence_source(
        self, path: pathlib.Path, settings: dict[str, Any]
    ) -> MoleculeFile:
        """A file of molecules, as smiles_rnn_create_dataset reads it too."""
        return MoleculeFile(path, settings.get("smiles_column", ""))

    def task_settings(self) -> dict[str, Any]:
        """What `make_task` needs of the flags.

        Raises:
          UserError: one is unknown or makes no sense.
        """
        return task_flags.task_settings()

    def given_settings(self, run: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """As of `World`; --reward_weights knows the terms of the run."""
        return self.only_given(task_flags.task_settings(own_terms(run or {})))

    def generate_settings(self) -> dict[str, Any]:
        """The same: generation has them but for what terms are worth."""
        return self.given_settings()

    def complete_settings(self, settings: dict[str, Any], model: Any) -> dict[str, Any]:
        """With the length limit of the model, if none is given."""
        if settings.get("max_length") is not None:
            return settings
        return {**settings, "max_length": _longest_of(model)}

    def make_task(self, settings: dict[str, Any], model: Any = None) -> Task:
        """The `MoleculeTask` of these settings for a `SequenceRNN` of molecules.

        The vocabulary and the statistics of the training set come from the model.

        Raises:
          UserError: the model is none of molecules, or is not trained for the protocol.
        """
        from molecule_rnn.scoring.component_trial import try_components
        from molecule_rnn.scoring.diversity_filter import ScaffoldSettings
        from molecule_rnn.smiles_rnn.statistics import TrainingStatistics
        from molecule_rnn.task import MoleculeTask
        from molecule_rnn.vocabulary import Vocabulary

        if model is None or "vocabulary" not in model.metadata:
            raise UserError(
                "the model is none of molecules, since it holds no vocabulary; name "
                "what smiles_rnn_train wrote"
            )
        vocabulary = Vocabulary.from_json(model.metadata["vocabulary"])
        statistics = TrainingStatistics.from_json(model.metadata.get("statistics"))
        trained_for = START_TOKEN if model.metadata.get("start_token") else RANDOM_TOKEN
        protocol = settings.get("protocol") or trained_for
        if protocol != trained_for:
            raise UserError(
                f"the model was trained for --protocol={trained_for}, not {protocol}; "
                "leave the flag out, or name another model"
            )
        defaults = (
            SCORING_WEIGHTS if "scoring" in settings else REWARD_WEIGHTS[protocol]
        )
        reward = RewardSettings.for_training_set(
            statistics.to_json(),
            weights={**defaults, **settings.get("reward_weights", {})},
            components=tuple(settings.get("reward", ())),
            scoring=read_scoring_function(settings),
        )
        diversity = None
        if settings.get("diversity_filter"):
            diversity = ScaffoldSettings(
                settings["scaffold_bucket_size"], settings["scaffold_minimum_score"]
            )
        if reward.components:
            try_components(reward.components)
        is_binary = FLAGS.is_parsed() and "scoring_processes" in FLAGS
        return MoleculeTask(
            vocabulary,
            reward,
            protocol,
            max_length=self.complete_settings(settings, model)["max_length"],
            num_processes=FLAGS.scoring_processes if is_binary else None,
            diversity=diversity,
        )

    def checkpoint_from_flags(self) -> str | None:
        """The shipped model that was trained for --protocol."""
        is_paper = "protocol" in FLAGS and FLAGS.protocol == RANDOM_TOKEN
        return PAPER_CHECKPOINT if is_paper else self.shipped_checkpoint

    def tuning_defaults(self, argv: list[str]) -> dict[str, Any]:
        """The flags of tuning whose defaults are other than the melodies'."""
        protocol = worlds.value_in(argv, "protocol", START_TOKEN)
        if protocol == RANDOM_TOKEN:
            return PAPER_TUNING
        best = str(START_POLICY_GRADIENT["algorithm"])
        algorithm = worlds.value_in(argv, "algorithm", best)
        if algorithm in POLICY_GRADIENTS and "algorithm" in FLAGS:
            return START_POLICY_GRADIENT
        return START_TUNING

    def policy_gradient_settings(self) -> dict[str, Any]:
        """Batches and steps for molecules, and how much they are worth."""
        return POLICY_GRADIENT_SETTINGS

    def paper_defaults(self) -> dict[str, Any]:
        """The flags that repeat Table 2 of Jaques et al. 2017."""
        scaler = PAPER_TUNING["reward_scaler"]
        return {
            **PAPER_TUNING,
            "protocol": RANDOM_TOKEN,
            "algorithms": ["psi"],
            "c": [repr(1.0 / scaler)],
        }

    def add_to_page(
        self,
        page: WebPage,
        task: Task,
        sequences: Mapping[str, np.ndarray],
        evaluations: Mapping[str, Evaluation],
        directory: pathlib.Path,
    ) -> None:
        """Properties, the best molecules and some at random, drawn."""
        from molecule_rnn.molecule_page import add_molecules
        from molecule_rnn.task import MoleculeTask

        assert isinstance(task, MoleculeTask)
        add_molecules(page, task, sequences, evaluations, directory)

    def publication(self) -> Publication:
        """Table 2 and the section on molecules of Jaques et al. 2017."""
        from molecule_rnn.publication import MoleculePublication

        return MoleculePublication()

    def read_corpus(self, directory: str) -> list[Any]:
        """The training molecules of what smiles_rnn_create_dataset wrote, as SMILES.

        Not as classes: those of a dataset need not be those of a model.
        """
        from molecule_rnn.smiles_rnn.dataset import read_dataset

        return list(read_dataset(pathlib.Path(directory)).training)

    def run_label(self, settings: dict[str, Any]) -> str:
        """The protocol, if it was chosen."""
        return settings["protocol"] or "molecules"


def _longest_of(model: Any) -> int:
    """Tokens that a molecule of a model may have: those of its training set, or 120."""
    longest = model.metadata.get("statistics", {}).get("max_length", 0)
    return min(max(USUAL_LENGTH, longest), LONGEST)
