"""A task that goes wrong in the middle of a training."""

import numpy as np
import tensorflow as tf
from toy_task import CountingTask


class PoisonedTask(CountingTask):
    """Rewards a sequence of nothing but zeros, which is rare, with no number."""

    def reward(self, sequences, positions, actions, reward_state):
        rewards, state = super().reward(sequences, positions, actions, reward_state)
        is_last = positions + 1 == self.max_length
        is_zero = (tf.reduce_max(sequences[:, :-1], axis=1) == 0) & (actions == 0)
        return tf.where(is_last & is_zero, np.float32(np.nan), rewards), state
