"""Rewards centred by what the prior earns: see `RLTunerConfig.center_rewards`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from rl_tuner.sequence_ends import is_token
from rl_tuner.task import Task


class Center(NamedTuple):
    """What is taken off the task's rewards, unscaled.

    A constant of all sequences: the optimum of the objective stays what it is.

    Attributes:
      of_token: off the reward of each token, where all sequences have as many.
      of_sequence: off that of the last token, where they have not.
    """

    of_token: float = 0.0
    of_sequence: float = 0.0

    def taken_off(self, rewards: tf.Tensor, ended: tf.Tensor) -> tf.Tensor:
        """The rewards [...] without it; `ended` [...] is 1 of a last token, else 0."""
        if self == Center():
            return rewards
        return rewards - self.of_token - self.of_sequence * ended


def center_of(task: Task, sequences: np.ndarray) -> Center:
    """What sequences [N, T], the prior's, earn on average."""
    rewards = np.asarray(task.rewards(sequences))
    if task.end_token is None:
        return Center(of_token=float(rewards.mean()))
    is_real = is_token(sequences, task.end_token)
    return Center(of_sequence=float(np.where(is_real, rewards, 0).sum(axis=1).mean()))
