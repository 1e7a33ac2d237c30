"""Algorithm: what is learned from a batch, and the policy that it makes."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, NamedTuple

import tensorflow as tf

if TYPE_CHECKING:
    from rl_tuner.config import RLTunerConfig


class Batch(NamedTuple):
    """What an algorithm learns from: [N] single steps, or [N, T] steps of N sequences.

    Attributes:
      logits: [..., A] of the trained network in the states s that were acted in.
      actions: [...] int32.
      rewards: [...], in total: see `total_reward`.
      continues: [...], 0 where the action ended the sequence, else 1.
      next_logits: [..., A] of the target network in the states s' that followed; None
        of an on-policy algorithm, which has no target network.
      next_prior_logits: [..., A] of the prior there; None likewise.
      log_policies: [N, T], log pi(a|s) of the policy that acted, when it acted; None
        unless the algorithm is on-policy.
      weights: [N], factors of the losses of steps or sequences; None if all are 1.
      is_token: [N, T], 0 behind the end of a sequence, else 1; None of single steps.
    """

    logits: tf.Tensor
    actions: tf.Tensor
    rewards: tf.Tensor
    continues: tf.Tensor
    next_logits: tf.Tensor | None = None
    next_prior_logits: tf.Tensor | None = None
    log_policies: tf.Tensor | None = None
    weights: tf.Tensor | None = None
    is_token: tf.Tensor | None = None


class Algorithm(abc.ABC):
    """What the network's logits mean, and the loss that teaches it.

    An algorithm of a user's own is a subclass, `--algorithm=my_module:MyAlgorithm`.

    Attributes:
      name: as in `--algorithm`.
      label: as in tables and figures.
      adds_log_prior: whether log p(a|s) is part of the reward.
      acts_with_prior: whether the policy is the product of the network's and the
        prior's; else it is the network's alone.
      is_on_policy: whether it learns from whole sequences [N, T] that the policy as it
        is has just sampled, a batch of them a round, and not from a replay memory.
    """

    name: str
    label: str
    adds_log_prior: bool
    acts_with_prior: bool = False
    is_on_policy: bool = False

    def policy_logits(self, logits: tf.Tensor, prior_logits: tf.Tensor) -> tf.Tensor:
        """What the policy is the softmax of: [..., A], up to a constant of the state.

        pi(a|s) prop. to exp Psi(s, a), (12) in Jaques et al. 2016; with the prior to
        p(a|s) exp G(s, a), (14).
        """
        return logits + prior_logits if self.acts_with_prior else logits

    @property
    def has_kl_control(self) -> bool:
        """Whether anything keeps the policy near the prior."""
        return self.adds_log_prior or self.acts_with_prior

    @abc.abstractmethod
    def loss(self, batch: Batch, config: RLTunerConfig) -> tuple[tf.Tensor, tf.Tensor]:
        """The loss of a batch, a pure function.

        Returns:
          the loss, a scalar, and the errors [...] of the steps, by whose size
          prioritized replay draws.
        """


def mean_of_tokens(values: tf.Tensor, batch: Batch) -> tf.Tensor:
    """The weighted mean of what was found of each step: [...] -> scalar.

    Weights are factors of the values, and do not count in what they are divided by.
    """
    if batch.weights is not None:
        values = tf.transpose(tf.transpose(values) * batch.weights)
    if batch.is_token is None:
        return tf.reduce_mean(values)
    return tf.reduce_sum(values * batch.is_token) / tf.reduce_sum(batch.is_token)


def mean_of_sequences(values: tf.Tensor, batch: Batch) -> tf.Tensor:
    """The weighted mean over sequences of what was found of each: [N] -> scalar."""
    if batch.weights is not None:
        values = values * batch.weights
    return tf.reduce_mean(values)


def log_prior(prior_logits: tf.Tensor, actions: tf.Tensor) -> tf.Tensor:
    """The log p(a|s) of the actions: logits [N, A], integers [N] -> [N]."""
    return take_actions(tf.nn.log_softmax(prior_logits), actions)


def take_actions(values: tf.Tensor, actions: tf.Tensor) -> tf.Tensor:
    """Each row's value of its action: [..., A], integers [...] -> [...]."""
    # A product with a one-hot: its gradient is a product too, where a gather's is a
    # scatter, which XLA runs element by element on a CPU.
    chosen = tf.one_hot(actions, values.shape[-1], dtype=values.dtype)
    return tf.reduce_sum(values * chosen, axis=-1)


def total_reward(
    algorithm: Algorithm,
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
    if algorithm.adds_log_prior and use_log_prior:
        reward += log_prior_of_action
    return reward
