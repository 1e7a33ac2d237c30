"""The papers' algorithms: Q, Psi and G, and rewards alone, as regression on targets.

Equation numbers are those of Jaques et al. 2016. With prior p, task reward r, constant
c, discount gamma and the target network's output Q', Psi', G' at the next state s':

    Q        y = log p(a|s) + r/c + gamma max_a' Q'(s', a')                      (4)
    Psi      y = log p(a|s) + r/c + gamma log sum_a' exp Psi'(s', a')           (11)
    G        y =              r/c + gamma log sum_a' p(a'|s') exp G'(s', a')    (13)
    RL only  y =              r/c + gamma max_a' Q'(s', a')                      (2)

and each minimizes the mean of (y - Q(s, a))^2.
"""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING

import tensorflow as tf

from rl_tuner.algorithms.algorithm import (
    Algorithm,
    Batch,
    mean_of_tokens,
    take_actions,
)

if TYPE_CHECKING:
    from rl_tuner.config import RLTunerConfig


class ValueLearning(Algorithm):
    """Regression of Q(s, a) on y = r + gamma V(s'); V tells the algorithms apart."""

    @abc.abstractmethod
    def state_value(self, logits: tf.Tensor, prior_logits: tf.Tensor) -> tf.Tensor:
        """V(s) of the target network's and the prior's logits: [..., A] -> [...]."""

    def loss(self, batch: Batch, config: RLTunerConfig) -> tuple[tf.Tensor, tf.Tensor]:
        """The mean of (y - Q(s, a))^2, and y - Q(s, a)."""
        errors = self.targets(batch, config) - take_actions(batch.logits, batch.actions)
        return mean_of_tokens(tf.square(errors), batch), errors

    def targets(self, batch: Batch, config: RLTunerConfig) -> tf.Tensor:
        """The y = r + gamma V(s') of each step: [...], with traces if there are any."""
        value = self.state_value(batch.next_logits, batch.next_prior_logits)
        is_terminal_zero = config.terminal == "zero"
        y = td_target(
            batch.rewards,
            value,
            config.discount_rate,
            batch.continues if is_terminal_zero else None,
        )
        if not config.trace_decay:
            return y
        next_actions = tf.roll(batch.actions, -1, axis=1)
        return traced_targets(
            y,
            take_actions(batch.next_logits, next_actions),
            batch.continues,
            config.discount_rate,
            config.trace_decay,
        )


class QLearning(ValueLearning):
    """y = log p(a|s) + r/c + gamma max_a' Q'(s', a'), (4)."""

    name, label = "q", "Q"
    adds_log_prior = True

    def state_value(self, logits: tf.Tensor, prior_logits: tf.Tensor) -> tf.Tensor:
        """V(s) = max_a Q(s, a), (1)."""
        del prior_logits
        return tf.reduce_max(logits, axis=-1)


class PsiLearning(ValueLearning):
    """y = log p(a|s) + r/c + gamma log sum_a' exp Psi'(s', a'), (11)."""

    name, label = "psi", "Psi"
    adds_log_prior = True

    def state_value(self, logits: tf.Tensor, prior_logits: tf.Tensor) -> tf.Tensor:
        """V(s) = log sum_a exp Psi(s, a), (22)."""
        del prior_logits
        return tf.reduce_logsumexp(logits, axis=-1)


class GLearning(ValueLearning):
    """y = r/c + gamma log sum_a' p(a'|s') exp G'(s', a'), (13)."""

    name, label = "g", "G"
    adds_log_prior = False
    acts_with_prior = True

    def state_value(self, logits: tf.Tensor, prior_logits: tf.Tensor) -> tf.Tensor:
        """V(s) = log sum_a p(a|s) exp G(s, a), (29)."""
        return tf.reduce_logsumexp(logits + tf.nn.log_softmax(prior_logits), axis=-1)


class RewardsOnly(QLearning):
    """y = r/c + gamma max_a' Q'(s', a'), (2): Q-learning without the prior."""

    name, label = "pure_rl", "RL only"
    adds_log_prior = False


def td_target(
    reward: tf.Tensor,
    next_state_value: tf.Tensor,
    discount_rate: float,
    continues: tf.Tensor | None = None,
) -> tf.Tensor:
    """The target y = r + gamma V(s'); [...].

    `continues` is 1 where the sequence continues after the action and 0 where it has
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
    """Targets in which a sequence's later errors count at once; [N, T].

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
