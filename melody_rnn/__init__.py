"""Melodies as a world for RL Tuner: corpus, music theory rules, metrics and MIDI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from melody_rnn.task import MelodyTask

__all__ = ["MelodyTask"]


def __getattr__(name: str) -> Any:
    if name == "MelodyTask":  # loaded when it is asked for: it needs TensorFlow
        from melody_rnn.task import MelodyTask

        return MelodyTask
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
