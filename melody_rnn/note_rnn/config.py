"""How a Note RNN is trained."""

import dataclasses

from rl_tuner.pretraining.config import PretrainingConfig


@dataclasses.dataclass(frozen=True)
class TrainingConfig(PretrainingConfig):
    """How to train; the defaults follow Jaques et al. 2017 but for what is said.

    The paper's learning rate of .5 gets no further than a unigram model with Adam.

    Attributes:
      l2: as in the paper.
      window_steps: steps that a sequence is cut to.
      unscored_steps: predictions at the beginning of a sequence without a loss. The
        paper has 8, which leaves a melody's first steps to chance: reinforcement
        learning begins there, with a zero state and a random note.
    """

    l2: float = 2.5e-5
    window_steps: int = 128
    unscored_steps: int = 0
