"""Transfer learning: a focused set of molecules, learned from a prior on.

As in REINVENT, whose priors are trained on many molecules and then on few of a kind
(Olivecrona et al. 2017; Segler et al. 2018).
"""

from __future__ import annotations

import collections
import dataclasses
import pathlib
from typing import Any

from molecule_rnn.smiles_rnn.config import RANDOM_TOKEN, START_TOKEN, TrainingConfig
from molecule_rnn.smiles_rnn.dataset import SmilesDataset
from molecule_rnn.smiles_rnn.statistics import TrainingStatistics
from molecule_rnn.vocabulary import Vocabulary, tokenize
from rl_tuner.errors import UserError
from rl_tuner.formats import reading

# Few molecules are learned in few small steps; a held-out loss that gains no more for a
# while ends it.
SCHEDULE = {
    "learning_rate": 3e-4,
    "batch_size": 64,
    "num_training_steps": 2000,
    "eval_every": 10,
    "patience": 10,
}


def settings_from(prior: pathlib.Path) -> dict[str, Any]:
    """The settings of training that a prior decides, and the others' defaults.

    Raises:
      UserError: it is no model of molecules.
    """
    stored = reading.read(prior)
    try:
        Vocabulary.from_json(stored.metadata.get("vocabulary", {}))
    except UserError as error:
        raise UserError(
            f"--checkpoint_dir={prior} is no model of molecules; name what "
            f"smiles_rnn_train wrote ({error})"
        ) from error
    begins = stored.metadata.get("start_token")
    return {
        **SCHEDULE,
        "protocol": START_TOKEN if begins else RANDOM_TOKEN,
        "layer_sizes": tuple(stored.architecture["layer_sizes"]),
    }


def check(config: TrainingConfig, prior: dict[str, Any]) -> None:
    """Proves that a config leaves as it is what `settings_from` a prior says.

    Raises:
      UserError: a flag asks for another network or another protocol.
    """
    for name in ("protocol", "layer_sizes"):
        asked, given = getattr(config, name), prior[name]
        if asked != given:
            raise UserError(
                f"--{name}={_text(asked)} is not that of the model in "
                f"--checkpoint_dir, {_text(given)}; leave the flag out"
            )


def in_vocabulary(
    dataset: SmilesDataset, vocabulary: Vocabulary
) -> tuple[SmilesDataset, dict[str, int]]:
    """The molecules that a vocabulary can write, and the tokens that it lacks.

    Returns:
      the dataset of those molecules, and how many molecules each missing token is in.

    Raises:
      UserError: too few are left to train on and to stop by.
    """
    known = set(vocabulary.tokens)
    lacking: collections.Counter[str] = collections.Counter()

    def can_be_written(smiles: str) -> bool:
        missing = set(tokenize(smiles, vocabulary.tokenizer)) - known
        lacking.update(missing)
        return not missing

    training = list(filter(can_be_written, dataset.training))
    evaluation = list(filter(can_be_written, dataset.evaluation))
    if not (training and evaluation):
        raise UserError(
            f"of the molecules {len(training)} to train on and {len(evaluation)} to "
            "stop by are of the tokens of the model in --checkpoint_dir; it lacks "
            f"{_counted(lacking) or 'none'}; a training needs some of both"
        )
    focused = dataclasses.replace(
        dataset,
        training=training,
        evaluation=evaluation,
        vocabulary=vocabulary,
        statistics=TrainingStatistics.measure(training, vocabulary),
    )
    return focused, dict(lacking)


def summary_text(dataset: SmilesDataset, lacking: dict[str, int]) -> str:
    """What is trained on, and what the vocabulary lacks."""
    text = (
        f"{len(dataset.training)} molecules to train on, {len(dataset.evaluation)} to "
        "stop by"
    )
    if lacking:
        text += (
            "; left out are molecules with tokens that the model lacks: "
            f"{_counted(collections.Counter(lacking))}"
        )
    return text


def _counted(tokens: collections.Counter[str]) -> str:
    return ", ".join(f"{token} in {n}" for token, n in tokens.most_common(20))


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
