"""Melodies as lines of text, and their rewards rule by rule."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from melody_rnn.music_theory.rewards import corpus_rewards
from rl_tuner.lines import Lines


class MelodyLines(Lines):
    """A melody is its classes, with spaces between."""

    def score(self, lines: Sequence[str]) -> dict[str, np.ndarray]:
        """The sum over a melody of what each rule gives, and of all: columns [N]."""
        rewards = corpus_rewards(self.read(lines), self.task.settings)
        columns = {name: values.sum(axis=1) for name, values in rewards.items()}
        return {**columns, "task_reward": sum(rewards.values()).sum(axis=1)}
