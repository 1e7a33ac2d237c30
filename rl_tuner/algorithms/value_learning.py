"""The four objectives: what each takes for reward, policy and value of a state.

Equation numbers are those of Jaques et al. 2016. With prior p, task reward r, constant
c, discount gamma and the target network's output Q', Psi', G' at the next state s':

    Q        y = log p(a|s) + r/c + gamma max_a' Q'(s', a')                      (4)
    Psi      y = log p(a|s) + r/c + gamma log sum_a' exp Psi'(s', a')           (11)
    G        y =              r/c + gamma log sum_a' p(a'|s') exp G'(s', a')    (13)
    RL only  y =              r/c + gamma max_a' Q'(s', a')                      (2)

and each minimizes the mean of (y - Q(s, a))^2.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import tensorflow as tf

from rl_tuner.errors import UserError


@dataclasses.dataclass(frozen=True)
class Objective:
    """An algorithm, as pure functions of what the networks put out.

    Attributes:
      name: as in `--algorithm`.
      adds_log_prior: whether log p(a|s) is part of the reward.
      policy_scores: (network logits, prior logits) [N, A] -> scores [N, A]; the policy
        is softmax(scores), or their argmax where it acts greedily.
      state_value: (target network logits, prior logits) [N, A] at a state -> V [N].
    """

    name: str
    adds_log_prior: bool
    policy_scores: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
    state_value: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def _network_scores(logits: tf.Tensor, prior_logits: tf.Tensor) -> tf.Tensor:
    """pi(a|s) prop. to exp Psi(s, a), (12); greedy on it, pi of Q-learning, (5)."""
    del prior_logits
    return logits


def _mixed_scores(logits: tf.Tensor, prior_logits: tf.Tensor) -> tf.Tensor:
    """pi(a|s) prop. to p(a|s) exp G(s, a), (14), up to a constant of the state."""
    return logits + prior_logits


def _max_value(logits: tf.Tensor, prior_logits: tf.Tensor) -> tf.Tensor:
    """V(s) = max_a Q(s, a), (1)."""
    del prior_logits
    return tf.reduce_max(logits, axis=-1)


def _soft_value(logits: tf.Tensor, prior_logits: tf.Tensor) -> tf.Tensor:
    """V(s) = log sum_a exp Psi(s, a), (22)."""
    del prior_logits
    return tf.reduce_logsumexp(logits, axis=-1)


def _prior_soft_value(logits: tf.Tensor, prior_logits: tf.Tensor) -> tf.Tensor:
    """V(s) = log sum_a p(a|s) exp G(s, a), (29)."""
    return tf.reduce_logsumexp(logits + tf.nn.log_softmax(prior_logits), axis=-1)


OBJECTIVES = {
    objective.name: objective
    for objective in (
        Objective("q", True, _network_scores, _max_value),
        Objective("psi", True, _network_scores, _soft_value),
        Objective("g", False, _mixed_scores, _prior_soft_value),
        Objective("pure_rl", False, _network_scores, _max_value),
    )
}


def get_objective(algorithm: str) -> Objective:
    """The objective of a name; a `UserError` lists the names if there is none."""
    if algorithm not in OBJECTIVES:
        raise UserError(
            f"unknown algorithm {algorithm!r}; choose one of {', '.join(OBJECTIVES)}"
        )
    return OBJECTIVES[algorithm]


def log_prior(prior_logits: tf.Tensor, actions: tf.Tensor) -> tf.Tensor:
    """The log p(a|s) of the actions: logits [N, A], integers [N] -> [N]."""
    log_probs = tf.nn.log_softmax(prior_logits)
    return take_actions(log_probs, actions)


def take_actions(values: tf.Tensor, actions: tf.Tensor) -> tf.Tensor:
    """Each row's value of its action: [N, A], integers [N] -> [N]."""
    # A product with a one-hot: its gradient is a product too, where a gather's is a
    # scatter, which XLA runs element by element on a CPU.
    chosen = tf.one_hot(actions, values.shape[-1], dtype=values.dtype)
    return tf.reduce_sum(values * chosen, axis=-1)


def total_reward(
    objective: Objective,
    task_reward: tf.Tensor,
    log_prior_of_action: tf.Tensor,
    reward_scaler: float,
    use_log_prior: bool = True,
) -> tf.Tensor:
    """r(s, a) = log p(a|s) + r_task / c, (3), with reward_scaler = 1/c; [N].

    G-learning and RL only have no log p(a|s) in the reward, nor has any algorithm
    where `use_log_prior` is False (some of the reference's reward modes).
    """
    reward = reward_scaler * task_reward
    if objective.adds_log_prior and use_log_prior:
        reward += log_prior_of_action
    return reward


def td_target(
    reward: tf.Tensor,
    next_state_value: tf.Tensor,
    discount_rate: float,
    continues: tf.Tensor | None = None,
) -> tf.Tensor:
    """The target y = r + gamma V(s'); [N].

    `continues` [N] is 1 where the sequence goes on after the action and 0 where it has
    ended, so that V = 0 there; None bootstraps from every state, as the papers do.
    """
    if continues is not None:
        next_state_value = next_state_value * continues
    return reward + discount_rate * next_state_value


def traced_targets(
    targets: tf.Tensor,
    next_taken: tf.Tensor,
    continues: tf.Tensor,
    discount_rate: float,
    trace_decay: float,
) -> tf.Tensor:
    """Targets that hear of a sequence's later errors at once; [N, T].

    With the target network's Q' and the targets y of one step,

        y_t <- y_t + gamma lambda (y_{t+1} - Q'(s_{t+1}, a_{t+1})),

    from the last step to the first: Q*(lambda) of Harutyunyan et al. 2016, and for Psi
    and G, whose V(s) - Psi(s, a) is -log pi(a|s), path consistency (Nachum et al.
    2017), which holds for the optimal policy whoever acted.

    Args:
      targets: [N, T], of `td_target`.
      next_taken: [N, T], Q'(s', a') of the step after each.
      continues: [N, T], 0 where a sequence has ended, which ends the trace too.
      discount_rate: gamma.
      trace_decay: lambda; with 0 nothing changes.
    """
    decay = discount_rate * trace_decay * continues

    def add(after: tf.Tensor, step: tuple[tf.Tensor, ...]) -> tf.Tensor:
        target, expected, factor = step
        return target + factor * (after - expected)

    steps = tuple(tf.transpose(x) for x in (targets, next_taken, decay))
    first = tf.zeros_like(targets[:, 0])
    return tf.transpose(tf.scan(add, steps, first, reverse=True))
