"""The flags of molecules: of which task, what is tuned for, read and written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from absl import flags

from molecule_rnn.scoring.rewards import (
    own_terms,
    parse_reward_components,
    parse_reward_weights,
    scoring_of_flags,
)
from molecule_rnn.smiles_rnn.config import PROTOCOLS
from rl_tuner.errors import UserError

FLAGS = flags.FLAGS
# Settings of the task that several flags make, or one of another name.
FLAGS_OF_SETTINGS = {"scoring": ("scoring", "oracle")}


def define_scored() -> None:
    """Defines the flags of which model, and of what molecules are scored by."""
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
    flags.DEFINE_integer(
        "max_length",
        None,
        "Tokens in a molecule, its end included where it fits; by default 120, or as "
        "many as the longest that the model was trained on.",
    )
    flags.DEFINE_integer(
        "scoring_processes",
        None,
        "Processes that score molecules; by default one for each core.",
    )


def define_task() -> None:
    """Defines these, and the flag of what the terms of the reward are worth."""
    define_scored()
    flags.DEFINE_string(
        "reward_weights",
        "",
        "What terms of the reward are worth, where it is not as in the paper, or, "
        "from a start token, not valid=0,prefix=0,prefix_score=0,log_p=0,qed=300. "
        "0 switches one off: qed=100,log_p=0. The terms are valid, prefix, "
        "prefix_score (what prefixes earn of the next four), log_p, sa, ring, "
        "qed, length, carbon, and those of --reward.",
    )


def define_tuning() -> None:
    """Defines the flags of what holds while tuning only."""
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


def define_generate() -> None:
    """Defines the flags of generation: what molecules are scored by, and written as."""
    define_scored()
    flags.DEFINE_bool(
        "sdf", False, "Write the molecules as an SD file, too, with their scores."
    )


def define_score() -> None:
    """Defines the flags of the task, and of files of molecules."""
    define_task()
    flags.DEFINE_string(
        "smiles_column",
        "",
        "The column of SMILES in a .csv or .tsv. Empty: one of a usual name.",
    )


def task_settings(terms: Sequence[str] = ()) -> dict[str, Any]:
    """What `MoleculeWorld.make_task` needs of those flags that the command has.

    Args:
      terms: of a run's own, which have weights beside those that the flags name.

    Raises:
      UserError: one is unknown or makes no sense.
    """
    if FLAGS.protocol is not None and FLAGS.protocol not in PROTOCOLS:
        raise UserError(
            f"unknown --protocol={FLAGS.protocol}; choose one of {', '.join(PROTOCOLS)}"
        )
    components = parse_reward_components(FLAGS.reward)
    scoring = scoring_of_flags(FLAGS.scoring, FLAGS.oracle)
    own = own_terms({"reward": components, "scoring": scoring})
    weights = FLAGS.reward_weights if "reward_weights" in FLAGS else ""
    settings = {
        "protocol": FLAGS.protocol,
        "reward_weights": parse_reward_weights(weights, (*own, *terms)),
        "reward": list(components),
        "max_length": FLAGS.max_length,
        **({"scoring": scoring} if scoring else {}),
    }
    for name in ("diversity_filter", "scaffold_bucket_size", "scaffold_minimum_score"):
        if name in FLAGS:
            settings[name] = FLAGS[name].value
    return settings
