"""RL Tuner: KL-controlled fine-tuning of sequence models by reinforcement learning."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from rl_tuner.version import __version__

if TYPE_CHECKING:
    from rl_tuner.config import RLTunerConfig
    from rl_tuner.networks.sequence_rnn import SequenceRNN
    from rl_tuner.rl_tuner import RLTuner
    from rl_tuner.scored_task import PythonTask
    from rl_tuner.task import Task

__all__ = [
    "PythonTask",
    "RLTuner",
    "RLTunerConfig",
    "SequenceRNN",
    "Task",
    "__version__",
]

# Loaded when they are asked for: most need TensorFlow, which takes seconds.
_MODULES = {
    "PythonTask": "rl_tuner.scored_task",
    "RLTuner": "rl_tuner.rl_tuner",
    "RLTunerConfig": "rl_tuner.config",
    "SequenceRNN": "rl_tuner.networks.sequence_rnn",
    "Task": "rl_tuner.task",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(importlib.import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
