"""MoleculeWorld: molecules, their flags and models; imports no TensorFlow."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING, Any

from absl import flags

from molecule_rnn.molecule_file import MoleculeFile
from molecule_rnn.scoring.rewards import (
    PAPER_WEIGHTS,
    SCORE,
    RewardSettings,
    parse_reward_components,
    parse_reward_weights,
    read_scoring_function,
    scoring_of_flags,
)
from molecule_rnn.smiles_rnn.config import PROTOCOLS, RANDOM_TOKEN, START_TOKEN
from rl_tuner import worlds
from rl_tuner.config import POLICY_GRADIENTS
from rl_tuner.errors import UserError
from rl_tuner.world import World

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from rl_tuner.metrics import Evaluation
    from rl_tuner.reports.publication import Publication
    from rl_tuner.reports.web_page import WebPage
    from rl_tuner.task import Task

FLAGS = flags.FLAGS
PAPER_CHECKPOINT = "smiles_rnn_paper"

_COMMON_TUNING = {
    "num_sequences": 128,
    "rounds_per_scoring": 1,
    "replay_mode": "whole_sequence",
    # A molecule ends: after that there is nothing to be earned.
    "terminal": "zero",
    "save_every_secs": 600.0,
}
# Jaques et al. 2017, section 6, and their research code, but for the replay: they read
# the prefixes of 512 transitions anew for each update, fifty steps apart.
PAPER_TUNING: dict[str, Any] = {
    **_COMMON_TUNING,
    "algorithm": "psi",
    "initial_values": "prior",
    "train_every_nth": 1152,
    "minibatch_size": 128,
    "reward_scaler": 0.35,
    "discount_rate": 0.95,
    "exploration_mode": "egreedy",
    "target_network_update_rate": 0.05,
    "initial_epsilon": 0.01,
    "final_epsilon": 0.01,
    "learning_rate": 1e-4,
    "replay": "prioritized",
    # With none, molecules of two atoms are what is learned: they are rewarded at once.
    "trace_decay": 1.0,
    "replay_capacity": 16_384,
    "training_steps": 2_500_000,
    "output_every_nth": 100_000,
}
# Closer to the prior: rewards of the paper's size, weighed as the paper does, end in a
# few molecules. One first token cannot be explored greedily either.
START_TUNING = {
    **_COMMON_TUNING,
    "algorithm": "g",
    "initial_values": "median",
    "reward_scaler": 0.007,
    "discount_rate": 1.0,
    "exploration_mode": "boltzmann",
    "target_network_update_rate": 0.2,
    "learning_rate": 5e-4,
    "train_every_nth": 2304,
    "minibatch_size": 256,
    "replay": "uniform",
    "trace_decay": 1.0,
    # What was acted a while ago teaches little: the policy has moved on.
    "replay_capacity": 2304,
    "training_steps": 2_500_000,
    "output_every_nth": 250_000,
}
# What is best there: 64,000 molecules or so.
START_POLICY_GRADIENT = {
    "algorithm": "reinforce",
    "training_steps": 2_200_000,
    "output_every_nth": 220_000,
    "save_every_secs": 600.0,
}
POLICY_GRADIENT_SETTINGS = {
    "num_sequences": 128,
    "learning_rate": 2e-4,
    "updates_per_batch": 2,
    "reward_scaler": 0.017,
}
# What terms are worth where it is not as in the paper. From a start token only whole
# molecules are rewarded, for being drug-like: to reward prefixes that are molecules
# teaches to write no rings and branches.
REWARD_WEIGHTS = {
    RANDOM_TOKEN: {},
    START_TOKEN: {
        "valid": 0.0,
        "prefix": 0.0,
        "prefix_score": 0.0,
        "log_p": 0.0,
        "qed": 300.0,
    },
}
# Of a scoring function nothing else counts.
SCORING_WEIGHTS = {**dict.fromkeys(PAPER_WEIGHTS, 0.0), SCORE: 300.0}


class MoleculeWorld(World):
    """SMILES strings, for being valid, drug-like and easy to make."""

    name = "molecule"
    shipped_checkpoint = "smiles_rnn"

    def define_task_flags(self) -> None:
        """Defines the flags that choose what a molecule is rewarded for."""
        flags.DEFINE_string(
            "protocol",
            None,
            f"What the network reads first, one of {', '.join(PROTOCOLS)}. "
            "start_token: the end of the sequence. random_token: a random token that "
            "is no part of the molecule, as in the paper, which is why two of three "
            "are not valid there. By default what the model was trained for; without "
            "a model, start_token.",
        )
        flags.DEFINE_string(
            "reward_weights",
            "",
            "What terms of the reward are worth, where it is not as in the paper, or, "
            "from a start token, not valid=0,prefix=0,prefix_score=0,log_p=0,qed=300. "
            "0 switches one off: qed=100,log_p=0. The terms are valid, prefix, "
            "prefix_score (what prefixes earn of the next four), log_p, sa, ring, "
            "qed, length, carbon, and those of --reward.",
        )
        flags.DEFINE_string(
            "reward",
            "",
            "Terms of your own: my_module:my_score,... each a Python function of an "
            "RDKit molecule.",
        )
        flags.DEFINE_string(
            "scoring",
            "",
            "A scoring file, my_scoring.toml: components with transforms and weights, "
            "joined by a mean to the term score. Other terms are then 0 unless "
            "--reward_weights says otherwise.",
        )
        flags.DEFINE_string(
            "oracle",
            "",
            "In place of a scoring file: one oracle of the PMO benchmark alone, as "
            "perindopril_mpo.",
        )
        flags.DEFINE_bool(
            "diversity_filter",
            False,
            "While tuning, let a molecule earn nothing whose scaffold was found often "
            "enough, or that was found before, as REINVENT's IdenticalMurckoScaffold.",
        )
        flags.DEFINE_integer(
            "scaffold_bucket_size",
            25,
            "Molecules of a scaffold that earn what they are worth, with "
            "--diversity_filter.",
        )
        flags.DEFINE_float(
            "scaffold_minimum_score",
            0.4,
            "What a molecule must be worth to be remembered by --diversity_filter: by "
            "--scoring or --oracle 0 to 1, else what it earns at its end, before 1/c.",
        )
        flags.DEFINE_integer(
            "max_length", 120, "Tokens in a molecule, its end included where it fits."
        )
        flags.DEFINE_integer(
            "scoring_processes",
            None,
            "Processes that score molecules; by default one for each core.",
        )

    def define_generate_flags(self) -> None:
        """Defines the flags of generation: those of the task, and what is written."""
        self.define_task_flags()
        flags.DEFINE_bool(
            "sdf", False, "Write the molecules as an SD file, too, with their scores."
        )

    def write_settings(self) -> dict[str, Any]:
        """Whether an SD file is written.

        Raises:
          UserError: it is asked for of shards, which are text.
        """
        if FLAGS.sdf and FLAGS.num_shards:
            raise UserError("--sdf is not for --num_shards; leave one of them out")
        return {"sdf": True} if FLAGS.sdf else {}

    def define_score_flags(self) -> None:
        """Defines the flags of the task, and of files of molecules."""
        self.define_task_flags()
        flags.DEFINE_string(
            "smiles_column",
            "",
            "The column of SMILES in a .csv or .tsv. Empty: one of a usual name.",
        )

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
        if FLAGS.protocol is not None and FLAGS.protocol not in PROTOCOLS:
            raise UserError(
                f"unknown --protocol={FLAGS.protocol}; choose one of "
                f"{', '.join(PROTOCOLS)}"
            )
        components = parse_reward_components(FLAGS.reward)
        scoring = scoring_of_flags(FLAGS.scoring, FLAGS.oracle)
        own = (*components, SCORE) if scoring else components
        return {
            "protocol": FLAGS.protocol,
            "reward_weights": parse_reward_weights(FLAGS.reward_weights, own),
            "reward": list(components),
            "max_length": FLAGS.max_length,
            **({"scoring": scoring} if scoring else {}),
            "diversity_filter": FLAGS.diversity_filter,
            "scaffold_bucket_size": FLAGS.scaffold_bucket_size,
            "scaffold_minimum_score": FLAGS.scaffold_minimum_score,
        }

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
            max_length=settings.get("max_length", 120),
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
