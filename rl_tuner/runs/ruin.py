"""Whether a training that went through left a policy that is worth nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rl_tuner.metrics import Evaluation

# Nats a token: a policy of less says the same nearly every time.
_LEAST_ENTROPY = 0.01
# Standard errors by which a policy must earn less, to be told.
_ERRORS = 3.0


def remarks(
    curves: Sequence[Mapping[str, float]], before: Evaluation, after: Evaluation
) -> list[str]:
    """Lines on what is wrong with the policy; mostly none: see the two below."""
    found = (lost_entropy(curves), lost_reward(before, after))
    return [line for line in found if line]


def lost_entropy(curves: Sequence[Mapping[str, float]]) -> str | None:
    """A line on a policy whose sequences are all alike, by the points of its curves.

    None where it has entropy at the last point.
    """
    first = None
    for point in reversed(curves):
        if not point["entropy"] < _LEAST_ENTROPY:
            break
        first = point
    if first is None:
        return None
    return (
        f"all sequences are nearly alike since step {first['step']}: the entropy of "
        f"the policy is {curves[-1]['entropy']:.2g} nats a token; try a smaller "
        "reward_scaler (a larger c) or a smaller learning_rate"
    )


def lost_reward(before: Evaluation, after: Evaluation) -> str | None:
    """A line on a policy that earns less than the untuned model; None if it does not.

    Args:
      before: of the untuned model.
      after: of the policy.
    """
    earned, ours = (each.metrics["task_reward"] for each in (before, after))
    errors = [each.standard_errors["task_reward"] for each in (before, after)]
    if not ours < earned - _ERRORS * max(errors):
        return None
    return (
        f"the tuned model earns less than the untuned one, {ours:.3g} instead of "
        f"{earned:.3g} a token; try more training_steps, a smaller learning_rate, or "
        "another reward_scaler"
    )
