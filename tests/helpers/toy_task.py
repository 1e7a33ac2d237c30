"""A world that is quick to play: every token earns its own number."""

import numpy as np
import tensorflow as tf

from rl_tuner.task import Task


class CountingTask(Task):
    """Token a earns a / num_classes, plus the number of tokens before it."""

    name = "counting"
    reward_state_size = 1

    def __init__(self, num_classes=5, max_length=4, end_token=None):
        self.num_classes = num_classes
        self.max_length = max_length
        self.end_token = end_token

    def reward(self, sequences, positions, actions, reward_state):
        earned = tf.cast(actions, tf.float32) / self.num_classes
        return earned + tf.cast(reward_state[:, 0], tf.float32), reward_state + 1

    def rewards(self, sequences):
        return sequences / self.num_classes + np.arange(self.max_length)

    def metrics(self, sequences):
        return {"mean_token": float(np.mean(sequences))}
