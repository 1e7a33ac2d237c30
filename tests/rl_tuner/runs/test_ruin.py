import pytest

from rl_tuner.metrics import Evaluation
from rl_tuner.runs import ruin


def _curves(*entropies):
    return [{"step": 10 * i, "entropy": value} for i, value in enumerate(entropies)]


@pytest.mark.parametrize(
    ("entropies", "step"),
    [((2.0, 1.0, 0.5), None), ((2.0, 0.0, 1.0), None), ((2.0, 0.0, 1.0, 0.009), 30)],
)
def test_policy_without_entropy_is_told_with_its_step(entropies, step):
    line = ruin.lost_entropy(_curves(*entropies))
    assert (line is None) == (step is None)
    assert line is None or f"alike since step {step}: the entropy" in line


def _evaluation(reward, error):
    return Evaluation(100, 0, {"task_reward": reward}, {"task_reward": error}, {})


@pytest.mark.parametrize(
    ("before", "after", "is_told"),
    [
        ((-1.0, 0.1), (-2.0, 0.1), True),
        ((-1.0, 0.1), (-1.2, 0.1), False),
        ((-1.0, 0.1), (-2.0, 0.4), False),
        ((-1.0, 0.1), (2.0, 0.1), False),
    ],
)
def test_policy_that_earns_less_than_the_prior_is_told(before, after, is_told):
    line = ruin.lost_reward(_evaluation(*before), _evaluation(*after))
    assert (line is not None) == is_told
    assert line is None or "earns less than the untuned one, -2 instead of -1" in line
