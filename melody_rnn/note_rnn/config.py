"""How a Note RNN is trained."""

from __future__ import annotations

import dataclasses
from typing import Any

from rl_tuner import settings
from rl_tuner.errors import UserError
from rl_tuner.pretraining.config import PretrainingConfig
from rl_tuner.settings import setting

# How Magenta trains its configs, where that is not as a Note RNN is trained here:
# whole melodies of up to 512 steps, a constant learning rate, dropout of half.
_MAGENTAS: dict[str, Any] = {
    "layer_sizes": (128, 128),
    "learning_rate": 0.001,
    "decay_rate": 1.0,
    "clip_each": True,
    "dropout": 0.5,
    "l2": 0.0,
    "window_steps": 512,
    "whole_melodies": True,
}
CONFIG_DEFAULTS: dict[str, dict[str, Any]] = {
    "note_rnn": {},
    "basic_rnn": _MAGENTAS,
    "mono_rnn": _MAGENTAS,
    "lookback_rnn": _MAGENTAS,
    "attention_rnn": _MAGENTAS | {"clip_norm": 3.0, "attn_length": 40},
}


@settings.documented
@dataclasses.dataclass(frozen=True)
class TrainingConfig(PretrainingConfig):
    """How to train; the defaults follow Jaques et al. 2017 but for what is said.

    The paper's learning rate of .5 gets no further than a unigram model with Adam. Its
    8 unscored steps leave a melody's first steps to chance: reinforcement learning
    begins there, with a zero state and a random note.
    """

    l2: float = settings.with_default(PretrainingConfig, "l2", 2.5e-5)
    config: str = setting(
        "note_rnn",
        "what is trained: the Note RNN of the papers, or a model of Magenta's, at its "
        "settings where flags do not say others.",
        choices=tuple(CONFIG_DEFAULTS),
    )
    attn_length: int = setting(
        0, "Outputs that attention reaches back to; 0 for none.", low=0, high=4096
    )
    whole_melodies: bool = setting(
        False,
        "Train on melodies from their beginning, up to window_steps of each, not on "
        "windows cut at random places. Lookback and attention count the bar from it.",
    )
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
