"""Where `MelodyTask` was in version 0.1.0; it is in `melody_rnn.task` now."""

from melody_rnn.task import MelodyTask

__all__ = ["MelodyTask"]
