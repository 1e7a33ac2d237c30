"""How a Note RNN is trained."""

from __future__ import annotations

import dataclasses

from rl_tuner import settings
from rl_tuner.errors import UserError
from rl_tuner.pretraining.config import PretrainingConfig
from rl_tuner.settings import setting


@settings.documented
@dataclasses.dataclass(frozen=True)
class TrainingConfig(PretrainingConfig):
    """How to train; the defaults follow Jaques et al. 2017 but for what is said.

    The paper's learning rate of .5 gets no further than a unigram model with Adam. Its
    8 unscored steps leave a melody's first steps to chance: reinforcement learning
    begins there, with a zero state and a random note.
    """

    l2: float = settings.with_default(PretrainingConfig, "l2", 2.5e-5)
    window_steps: int = setting(
        128,
        "Sixteenths that training sequences are cut to; they begin anywhere in a tune.",
        low=2,
    )
    unscored_steps: int = setting(
        0,
        "Predictions at the beginning of a training sequence without a loss. The paper "
        "has 8; 0 also teaches how to begin. Evaluation always leaves out the first 8.",
        low=0,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.unscored_steps >= self.window_steps:
            raise UserError(
                f"unscored_steps is {self.unscored_steps}; it must be below "
                f"window_steps, {self.window_steps}"
            )
