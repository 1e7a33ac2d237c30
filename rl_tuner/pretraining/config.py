"""How a sequence RNN is trained on a corpus, before any reinforcement learning."""

from __future__ import annotations

import dataclasses

from rl_tuner import settings
from rl_tuner.settings import setting


@settings.documented
@dataclasses.dataclass(frozen=True)
class PretrainingConfig:
    """How to train; the defaults follow Jaques et al. 2017."""

    layer_sizes: tuple[int, ...] = setting(
        (100,), "LSTM cells per layer, separated by commas.", low=1
    )
    batch_size: int = setting(128, "Sequences per training step.", low=1)
    learning_rate: float = setting(
        0.01, "Adam's learning rate at the beginning.", above=0
    )
    decay_rate: float = setting(
        0.85,
        "Factor on the learning rate every decay_steps.",
        above=0,
        flag="learning_rate_decay",
    )
    decay_steps: int = setting(1000, "Steps between two decays.", low=1)
    clip_norm: float = setting(
        5.0, "Global norm that gradients are clipped to.", above=0
    )
    clip_each: bool = setting(
        False, "Clip the gradient of each variable by itself, not by the global norm."
    )
    dropout: float = setting(
        0.0, "Share of each layer's outputs that training leaves out.", low=0, high=0.95
    )
    l2: float = setting(
        0.0, "Weight of the L2 penalty, half the squared norm of the matrices.", low=0
    )
    num_training_steps: int = setting(30_000, "The most steps to do.", low=1)
    eval_every: int = setting(250, "Steps between evaluations and checkpoints.", low=1)
    patience: int = setting(
        12, "Evaluations without a better one that end the training.", low=1
    )
    seed: int = setting(0, "Decides the initial weights and the choice of data.", low=0)

    def __post_init__(self) -> None:
        """Refuses values that make no sense, by a `UserError` that names them."""
        settings.check(self)
