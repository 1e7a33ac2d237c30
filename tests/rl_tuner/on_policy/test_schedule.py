"""c along a training: from where to where, and by which way."""

import pytest
import tensorflow as tf

from rl_tuner.config import RLTunerConfig
from rl_tuner.on_policy import schedule


@pytest.mark.parametrize(
    ("last", "quarter"),
    [(2.0, 1.0), (0.125, 0.25), (0.0, 0.25)],
    ids=["up", "down", "to rewards that count for nothing"],
)
def test_reward_scaler_moves_over_the_first_half(last, quarter):
    config = RLTunerConfig("reinforce", reward_scaler=last, initial_reward_scaler=0.5)
    found = [
        float(schedule.reward_scaler(tf.constant(progress), config))
        for progress in (0.0, 0.25, 0.5, 1.0)
    ]
    assert found == pytest.approx([0.5, quarter, last, last])
