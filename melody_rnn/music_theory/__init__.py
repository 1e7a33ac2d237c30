"""The rules of music theory, as rewards and counts (Jaques et al. 2017, 4.1)."""

from typing import Any

# Loaded when they are asked for: the settings beside them need no TensorFlow.
_REWARDS = ("corpus_rewards", "rule_rewards", "step_rewards")
__all__ = [*_REWARDS]


def __getattr__(name: str) -> Any:
    if name in _REWARDS:
        from melody_rnn.music_theory import rewards

        return getattr(rewards, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
