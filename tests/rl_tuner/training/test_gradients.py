import numpy as np
import pytest
import tensorflow as tf

from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.training.learner import clip_by_group_norm


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("scale", [0.01, 3.0])
def test_each_group_is_clipped_to_its_norm(scale, jit_compile):
    model = SequenceRNN(38, (20,))
    groups = model.clipping_groups
    random = np.random.default_rng(0)
    gradients = [
        random.normal(scale=scale, size=variable.shape).astype(np.float32)
        for variable in model.trainable_variables
    ]

    @tf.function(jit_compile=jit_compile)
    def clip(*values):
        return clip_by_group_norm(values, groups, 5.0)

    clipped = clip(*map(tf.constant, gradients))
    was_clipped = []
    for group in groups:
        squares = [np.sum(gradients[i].astype(np.float64) ** 2) for i in group]
        norm = np.sqrt(np.sum(squares))
        was_clipped.append(norm > 5)
        for index in group:
            expected = gradients[index] * min(1, 5 / norm)
            np.testing.assert_allclose(clipped[index], expected, rtol=2e-6)
    assert any(was_clipped) == (scale == 3.0)


def test_both_kernels_of_a_cell_are_clipped_together():
    model = SequenceRNN(38, (20, 10))
    names = [
        [model.trainable_variables[i].path for i in g] for g in model.clipping_groups
    ]
    assert [len(group) for group in names] == [2, 1, 2, 1, 1, 1]
    assert all("kernel" in name for group in (names[0], names[2]) for name in group)
