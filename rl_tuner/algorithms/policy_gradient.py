"""Policy gradients: REINFORCE, PPO and DAP, on whole sequences of the policy's own.

All three maximize the objective of the papers, (9) in Jaques et al. 2016 and (6) in
Jaques et al. 2017, over sequences tau:

    J(pi) = E_pi[sum_t r(s_t, a_t)/c] - KL(pi || p)
          = E_pi[sum_t r(s_t, a_t)/c + log p(a_t|s_t) - log pi(a_t|s_t)]

so that the reward of a token is r/c + log p - log pi, whose last term is a constant to
the gradient. The optimum is pi*(tau) = p(tau) exp(R(tau)/c) / Z, where J = log Z.

    REINFORCE   grad J = E[sum_t A_t grad log pi(a_t|s_t)]
    PPO         max E[sum_t min(q_t A_t, clip(q_t, 1 - eps, 1 + eps) A_t)]
    DAP         min E[(log p(tau) + R(tau)/c - log pi(tau))^2]

with q_t = pi(a_t|s_t) / pi_old(a_t|s_t), and the advantage A_t of the return from t on
over the mean of all other sequences' (leave-one-out: Kool et al. 2019).
"""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from rl_tuner.algorithms.algorithm import (
    Algorithm,
    Batch,
    mean_of_sequences,
    take_actions,
)

if TYPE_CHECKING:
    from rl_tuner.config import RLTunerConfig


class PolicyGradient(Algorithm):
    """Raises log pi of what earned more than the batch's other sequences."""

    adds_log_prior = True
    is_on_policy = True

    def loss(self, batch: Batch, config: RLTunerConfig) -> tuple[tf.Tensor, tf.Tensor]:
        """Minus the mean surrogate of a sequence, and the advantages [N, T]."""
        log_pi = log_policy(batch)
        advantages = leave_one_out(self.returns(batch, log_pi, config), batch.is_token)
        gains = self.surrogate(log_pi, advantages, batch, config) * batch.is_token
        return -mean_of_sequences(tf.reduce_sum(gains, axis=1), batch), advantages

    @abc.abstractmethod
    def returns(
        self, batch: Batch, log_pi: tf.Tensor, config: RLTunerConfig
    ) -> tf.Tensor:
        """The return from each token on: [N, T], constants."""

    @abc.abstractmethod
    def surrogate(
        self,
        log_pi: tf.Tensor,
        advantages: tf.Tensor,
        batch: Batch,
        config: RLTunerConfig,
    ) -> tf.Tensor:
        """What is maximized of each token: [N, T]."""


class Reinforce(PolicyGradient):
    """grad J = E[sum_t A_t grad log pi(a_t|s_t)] (Williams 1992).

    The log pi in the return is that of the policy as it is, so that at the optimum all
    sequences have the same return, whoever sampled them: a batch may hold sequences of
    another policy, as remembered ones (the log-variance loss, Richter et al. 2020).
    """

    name, label = "reinforce", "REINFORCE"

    def returns(
        self, batch: Batch, log_pi: tf.Tensor, config: RLTunerConfig
    ) -> tf.Tensor:
        """With the policy's log pi as it is."""
        rewards = batch.rewards - tf.stop_gradient(log_pi)
        return returns_to_go(rewards * batch.is_token, config.discount_rate)

    def surrogate(
        self,
        log_pi: tf.Tensor,
        advantages: tf.Tensor,
        batch: Batch,
        config: RLTunerConfig,
    ) -> tf.Tensor:
        """A_t log pi(a_t|s_t)."""
        del batch, config
        return advantages * log_pi


class PPO(PolicyGradient):
    """min(q_t A_t, clip(q_t, 1 - eps, 1 + eps) A_t), (7) in Schulman et al. 2017."""

    name, label = "ppo", "PPO"

    def returns(
        self, batch: Batch, log_pi: tf.Tensor, config: RLTunerConfig
    ) -> tf.Tensor:
        """With log pi as it was when the sequences were sampled."""
        del log_pi
        rewards = batch.rewards - batch.log_policies
        return returns_to_go(rewards * batch.is_token, config.discount_rate)

    def surrogate(
        self,
        log_pi: tf.Tensor,
        advantages: tf.Tensor,
        batch: Batch,
        config: RLTunerConfig,
    ) -> tf.Tensor:
        """Of the ratio q_t to the policy that sampled, and of that within bounds."""
        ratio = tf.exp(log_pi - batch.log_policies)
        low, high = 1.0 - config.clip_ratio, 1.0 + config.clip_ratio
        clipped = tf.clip_by_value(ratio, low, high)
        return tf.minimum(ratio * advantages, clipped * advantages)


class DAP(Algorithm):
    """(log p(tau) + R(tau)/c - log pi(tau))^2, REINVENT's loss.

    The difference between the augmented and the agent's log-likelihood of a sequence
    (Olivecrona et al. 2017, section 2.4). The discount rate plays no part.
    """

    name, label = "dap", "DAP"
    adds_log_prior = True
    is_on_policy = True

    def loss(self, batch: Batch, config: RLTunerConfig) -> tuple[tf.Tensor, tf.Tensor]:
        """The mean square of a sequence's difference, and the differences [N]."""
        del config
        augmented = tf.reduce_sum(batch.rewards * batch.is_token, axis=1)
        errors = augmented - tf.reduce_sum(log_policy(batch) * batch.is_token, axis=1)
        return mean_of_sequences(tf.square(errors), batch), errors


def log_policy(batch: Batch) -> tf.Tensor:
    """Log pi(a_t|s_t) of the policy as it is: [N, T]."""
    return take_actions(tf.nn.log_softmax(batch.logits), batch.actions)


def returns_to_go(rewards: tf.Tensor, discount_rate: float) -> tf.Tensor:
    """sum_k gamma^k r_{t+k} of each token: [N, T], 0 behind the end -> [N, T]."""
    steps = np.arange(rewards.shape[1])
    ahead = steps[:, np.newaxis] - steps  # [later, earlier]
    factors = np.where(ahead >= 0, discount_rate ** np.maximum(ahead, 0.0), 0.0)
    return tf.matmul(rewards, tf.constant(factors, rewards.dtype))


def leave_one_out(returns: tf.Tensor, is_token: tf.Tensor) -> tf.Tensor:
    """Each token's return over the mean of all other sequences': [N, T] -> [N, T].

    At the same position; a sequence that has ended before counts with its last token's.
    """
    lengths = tf.reduce_sum(is_token, axis=1, keepdims=True)
    is_last = tf.cast(tf.range(1.0, returns.shape[1] + 1.0) == lengths, returns.dtype)
    last = tf.reduce_sum(returns * is_last, axis=1, keepdims=True)
    return over_the_others(tf.where(is_token > 0, returns, last)) * is_token


def over_the_others(values: tf.Tensor) -> tf.Tensor:
    """Each value over the mean of all other sequences': [N, ...] -> [N, ...]."""
    num_others = max(values.shape[0] - 1, 1)  # none: the value stays as it is
    return values - (tf.reduce_sum(values, axis=0) - values) / num_others
