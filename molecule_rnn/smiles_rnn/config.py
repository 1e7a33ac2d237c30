"""How a SMILES RNN is trained."""

from __future__ import annotations

import dataclasses

from rl_tuner import settings
from rl_tuner.pretraining.config import PretrainingConfig
from rl_tuner.settings import setting

RANDOM_TOKEN, START_TOKEN = "random_token", "start_token"
PROTOCOLS = (RANDOM_TOKEN, START_TOKEN)
# Tokens of a molecule, where its model was trained on no longer ones; and the most.
USUAL_LENGTH, LONGEST = 120, 4096


@settings.documented
@dataclasses.dataclass(frozen=True)
class TrainingConfig(PretrainingConfig):
    """How to train; the defaults follow Jaques et al. 2017, section 6.

    The paper does not say for how many steps.
    """

    num_training_steps: int = settings.with_default(
        PretrainingConfig, "num_training_steps", 10_000
    )
    eval_every: int = settings.with_default(PretrainingConfig, "eval_every", 500)
    protocol: str = setting(
        RANDOM_TOKEN,
        "what the network reads first. random_token: the first token of the molecule, "
        "which it never learns to predict, as in the paper; to generate, it is drawn "
        "at random. start_token: the end of the sequence, so that it also learns how "
        "molecules begin.",
        choices=PROTOCOLS,
    )
    max_eval_molecules: int = setting(
        5000,
        "The most evaluation molecules that the best model is chosen by; the scores at "
        "the end are taken on all.",
        low=1,
    )
