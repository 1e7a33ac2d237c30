"""Magenta's lookback_rnn and attention_rnn, as networks with its defaults."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from melody_rnn.networks.melody_rnn import MelodyRNN


class LookbackRNN(MelodyRNN):
    """Magenta's lookback_rnn: what followed one and two bars ago is read too."""

    def __init__(
        self,
        num_classes: int = 38,
        layer_sizes: Sequence[int] = (128, 128),
        encoding: str = "lookback",
        name: str = "lookback_rnn",
        **settings: Any,
    ):
        """As of `MelodyRNN`."""
        super().__init__(num_classes, layer_sizes, encoding, name=name, **settings)


class AttentionRNN(MelodyRNN):
    """Magenta's attention_rnn: reads key and direction, attends to earlier outputs."""

    def __init__(
        self,
        num_classes: int = 38,
        layer_sizes: Sequence[int] = (128, 128),
        encoding: str = "key",
        attention_length: int = 40,
        name: str = "attention_rnn",
        **settings: Any,
    ):
        """As of `MelodyRNN`."""
        super().__init__(
            num_classes, layer_sizes, encoding, attention_length, name=name, **settings
        )
