"""A world of a user's own in one file: a task, its flags, and how it is written."""

import numpy as np
import tensorflow as tf
from absl import flags

from rl_tuner.errors import UserError
from rl_tuner.metrics import MetricRow
from rl_tuner.task import Task
from rl_tuner.world import World


class StepsTask(Task):
    """Letters a to e, six of them, that should follow each other in the alphabet."""

    name, num_classes, max_length, reward_state_size = "steps", 5, 6, 1

    def __init__(self, stride):
        self.stride = stride

    def reward(self, sequences, positions, actions, reward_state):
        follows = (reward_state[:, 0] + self.stride) % self.num_classes == actions
        return tf.where(follows, 1.0, 0.0), actions[:, tf.newaxis]

    def rewards(self, sequences):
        before = np.pad(sequences, [(0, 0), (1, 0)])[:, :-1]
        return ((before + self.stride) % self.num_classes == sequences).astype(float)

    def metrics(self, sequences):
        return {"follows": 100.0 * float(np.mean(self.rewards(sequences)))}

    def metric_rows(self):
        return [MetricRow("follows", "Letters that follow", "%", "higher")]

    def remarks(self):
        return [f"The stride is {self.stride}."]

    def write_samples(self, sequences, directory, title, case="lower"):
        lines = self.to_lines(sequences)
        lines = [line.upper() if case == "upper" else line for line in lines]
        (directory / "letters.txt").write_text("\n".join(lines))

    def to_lines(self, sequences):
        return ["".join("abcde"[token] for token in row) for row in sequences]

    def from_lines(self, lines):
        return np.array([["abcde".index(letter) for letter in line] for line in lines])


class StepsWorld(World):
    """The world of `StepsTask`."""

    name = "steps"

    def make_task(self, settings, model=None):
        return StepsTask(settings.get("stride", 1))

    def define_task_flags(self):
        flags.DEFINE_integer("stride", 1, "Letters from one to the next.")

    def define_generate_flags(self):
        flags.DEFINE_string("case", "lower", "lower or upper.")

    def task_settings(self):
        if not 0 <= flags.FLAGS.stride < 5:
            raise UserError(f"--stride={flags.FLAGS.stride} must be 0 to 4")
        return {"stride": flags.FLAGS.stride}

    def tuning_defaults(self, argv):
        return {"train_every_nth": 50, "reward_scaler": 20.0}

    def run_label(self, settings):
        return f"stride {settings['stride']}"

    def write_settings(self):
        return {"case": flags.FLAGS.case}
