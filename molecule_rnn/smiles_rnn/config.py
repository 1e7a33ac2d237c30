"""How a SMILES RNN is trained."""

from __future__ import annotations

import dataclasses

from rl_tuner.pretraining.config import PretrainingConfig

RANDOM_TOKEN, START_TOKEN = "random_token", "start_token"
PROTOCOLS = (RANDOM_TOKEN, START_TOKEN)


@dataclasses.dataclass(frozen=True)
class TrainingConfig(PretrainingConfig):
    """How to train; the defaults follow Jaques et al. 2017, section 6.

    The paper does not say for how many steps.

    Attributes:
      num_training_steps: the most steps to do.
      eval_every: steps between two evaluations.
      protocol: what the network reads first. "random_token": the first token of the
        molecule, which it never learns to predict, as in the paper; to generate, that
        token is drawn at random. "start_token": the end of the sequence, so that the
        network also learns how molecules begin.
      max_eval_molecules: the most molecules of the eval split that the best model is
        chosen by; the final scores are taken on all.
    """

    num_training_steps: int = 10_000
    eval_every: int = 500
    protocol: str = RANDOM_TOKEN
    max_eval_molecules: int = 5000
