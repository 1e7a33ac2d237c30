"""How a sequence RNN is trained on a corpus, before any reinforcement learning."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class PretrainingConfig:
    """How to train; the defaults follow Jaques et al. 2017.

    Attributes:
      layer_sizes: LSTM cells per layer.
      batch_size: sequences per step.
      learning_rate: Adam's, at the beginning.
      decay_rate: the learning rate is multiplied with it ...
      decay_steps: ... each time so many steps are done.
      clip_norm: the global norm that gradients are clipped to.
      l2: weight of half the squared norm of all weight matrices.
      num_training_steps: the most steps to do.
      eval_every: steps between two evaluations, each with a checkpoint.
      patience: evaluations without a better one before training ends.
      seed: of the initial weights and the choice of sequences.
    """

    layer_sizes: tuple[int, ...] = (100,)
    batch_size: int = 128
    learning_rate: float = 0.01
    decay_rate: float = 0.85
    decay_steps: int = 1000
    clip_norm: float = 5.0
    l2: float = 0.0
    num_training_steps: int = 30_000
    eval_every: int = 250
    patience: int = 12
    seed: int = 0
