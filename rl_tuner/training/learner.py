"""Learner: gradients, their clipping, Adam, and the target network that follows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import keras
import tensorflow as tf

from rl_tuner.algorithms.algorithm import Algorithm, Batch
from rl_tuner.config import RLTunerConfig
from rl_tuner.networks.network import Network
from rl_tuner.training.replay.memory import Memory
from rl_tuner.training.replay.replay_modes import Fields

# What an algorithm learns from, of what is stored.
Read = Callable[[Fields], Batch]


class Update(NamedTuple):
    """What an update found.

    Attributes:
      loss: of the batch, a scalar.
      errors: [N] of the steps before the update; of sequences the mean size of it.
    """

    loss: tf.Tensor
    errors: tf.Tensor


class Learner:
    """Moves the Q network by an algorithm's loss, and the target network after it.

    Attributes:
      optimizer: Adam.
    """

    def __init__(
        self,
        algorithm: Algorithm,
        q_network: Network,
        target_network: Network | None,
        reward_rnn: Network,
        read: Read,
        config: RLTunerConfig,
    ):
        """Takes what learns.

        Args:
          algorithm: whose loss.
          q_network: what is trained.
          target_network: follows it; None of an on-policy algorithm.
          reward_rnn: the prior, frozen; but with `config.reference_g_update` it is
            trained too, where the policy is its product with the Q network's.
          read: how the networks read what is stored.
          config: the settings.
        """
        self._algorithm = algorithm
        self._q_network, self._target_network = q_network, target_network
        self._read = read
        self._config = config
        trained_networks = [q_network]
        if config.reference_g_update and algorithm.acts_with_prior:
            trained_networks.append(reward_rnn)
        self._trained: list[keras.Variable] = []
        self._clipping_groups: list[list[int]] = []
        for network in trained_networks:
            offset = len(self._trained)
            self._clipping_groups += [
                [offset + index for index in group] for group in network.clipping_groups
            ]
            self._trained += network.trainable_variables
        if algorithm.is_on_policy:
            self._clipping_groups = [list(range(len(self._trained)))]
        self.optimizer = keras.optimizers.Adam(config.learning_rate, epsilon=1e-8)
        self.optimizer.build(self._trained)

    @property
    def gradient_shapes(self) -> list[tf.TensorShape]:
        """Those of the gradients that `apply_gradients` takes."""
        return [variable.shape for variable in self._trained]

    def learn(self, memory: Memory, seeds: tf.Tensor) -> tf.Tensor:
        """The updates that are due, one for each seed [K, 2]: sum of losses, count.

        There are none before a batch is stored.
        """
        # Not a condition around the loop: XLA would copy all weights in and out of it.
        due = tf.where(memory.can_learn, seeds.shape[0], 0)

        def update(turn: tf.Tensor, losses: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            loss, gradients = self.sample_gradients(memory, seeds[turn])
            self.apply_gradients(gradients)
            return turn + 1, losses + tf.stack([loss, 1.0])

        _, losses = tf.while_loop(
            lambda turn, _: turn < due, update, (0, tf.zeros([2]))
        )
        return losses

    def sample_gradients(
        self, memory: Memory, seed: tf.Tensor
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """The loss and the gradients of a batch that is drawn from the memory."""
        sample = memory.sample(seed)
        weights = sample.weights if self._config.importance_exponent else None
        update, gradients = self.gradients(sample.transitions, weights)
        memory.update(sample.rows, update.errors)
        return update.loss, gradients

    def update(self, stored: Fields, weights: tf.Tensor | None = None) -> Update:
        """One update from N steps or sequences as they are stored.

        Args:
          stored: `actions` [N] integers; `rewards` [N], in total; `continues` [N], 0.
            where the action ended the sequence; and what the replay mode remembers. Of
            a mode that stores sequences, what is stored of N of them.
          weights: [N], factors of the losses.
        """
        found, gradients = self.gradients(stored, weights)
        self.apply_gradients(gradients)
        return found

    def gradients(
        self, stored: Fields, weights: tf.Tensor | None = None
    ) -> tuple[Update, list[tf.Tensor]]:
        """What `update` finds, and the gradients that it applies."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            trained = [variable.value for variable in self._trained]
            tape.watch(trained)
            loss, errors = self._loss(stored, weights)
        return Update(loss, errors), tape.gradient(loss, trained)

    def errors(self, stored: Fields) -> tf.Tensor:
        """The errors [N] of N steps or sequences, as of `Update`."""
        return self._loss(stored)[1]

    def apply_gradients(self, gradients: Sequence[tf.Tensor]) -> None:
        """Clips them, moves the Q network by them, and the target network after it."""
        clipped = clip_by_group_norm(
            gradients, self._clipping_groups, self._config.clip_norm
        )
        self.optimizer.apply(clipped, self._trained)
        if self._target_network is None:
            return
        rate = self._config.target_network_update_rate
        for slow, fast in zip(
            self._target_network.trainable_variables,
            self._q_network.trainable_variables,
            strict=True,
        ):
            slow.assign((1.0 - rate) * slow + rate * fast)

    def _loss(
        self, stored: Fields, weights: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The loss, and errors [N]; of a sequence the mean size of its tokens'."""
        batch = self._read(stored)._replace(weights=weights)
        loss, errors = self._algorithm.loss(batch, self._config)
        if batch.is_token is not None and not self._algorithm.is_on_policy:
            sizes = tf.reduce_sum(tf.abs(errors) * batch.is_token, axis=1)
            errors = sizes / tf.reduce_sum(batch.is_token, axis=1)
        return loss, errors


def clip_by_group_norm(
    gradients: Sequence[tf.Tensor], groups: Sequence[Sequence[int]], clip_norm: float
) -> list[tf.Tensor]:
    """Scales down each group of gradients whose joint L2 norm is above `clip_norm`."""
    clipped = list(gradients)
    for group in groups:
        chosen = [gradients[i] for i in group]
        norm = tf.sqrt(sum(_square(gradient) for gradient in chosen))
        scaled, _ = tf.clip_by_global_norm(chosen, clip_norm, norm)
        for index, gradient in zip(group, scaled, strict=True):
            clipped[index] = gradient
    return clipped


def _square(gradient: tf.Tensor) -> tf.Tensor:
    """The sum of the squares of a vector's or a matrix's elements.

    XLA adds up one by one on a CPU, unless it adds up rows to a row; the product keeps
    it from making one sum of the two.
    """
    squares = tf.square(gradient)
    if len(gradient.shape) > 1:
        squares = tf.reduce_sum(squares, axis=0)
    return tf.tensordot(squares, tf.ones_like(squares), 1)
