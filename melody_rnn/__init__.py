"""Melodies as a world for RL Tuner: corpus, music theory rules, metrics and MIDI."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from melody_rnn.task import MelodyTask

__all__ = ["MelodyTask"]

# pydub, which note_seq imports, warns of a missing ffmpeg that nothing here uses.
warnings.filterwarnings("ignore", module="pydub")


def __getattr__(name: str) -> Any:
    if name == "MelodyTask":  # loaded when it is asked for: it needs TensorFlow
        from melody_rnn.task import MelodyTask

        return MelodyTask
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
