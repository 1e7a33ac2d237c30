"""Rollouts: whole sequences that a policy samples side by side, in the graph."""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from rl_tuner.algorithms.algorithm import Algorithm, take_actions
from rl_tuner.algorithms.exploration import boltzmann
from rl_tuner.networks.network import Network
from rl_tuner.task import Task
from rl_tuner.training import acting
from rl_tuner.training.acting import ActingState


class Rollouts(NamedTuple):
    """N whole sequences; what stands behind the end of one is 0.

    Attributes:
      primes: [N, P] int32, what was read before the sequences.
      actions: [N, T] int32.
      lengths: [N] int32, tokens, the end token included.
      task_rewards: [N, T], unscaled.
      log_priors: [N, T], log p(a|s) under the Reward RNN.
      log_policies: [N, T], log pi(a|s) of the policy when it acted.
      kls: [N, T], KL(pi || p) in the state, exact.
    """

    primes: tf.Tensor
    actions: tf.Tensor
    lengths: tf.Tensor
    task_rewards: tf.Tensor
    log_priors: tf.Tensor
    log_policies: tf.Tensor
    kls: tf.Tensor

    @property
    def is_token(self) -> tf.Tensor:
        """[N, T], 1 of each token of a sequence, 0 behind its end."""
        positions = tf.range(self.actions.shape[1])
        return tf.cast(positions < self.lengths[:, tf.newaxis], tf.float32)


def cut(sequences: Rollouts, length: int) -> Rollouts:
    """The same without what stands behind so many tokens, which none of them has."""
    primes, actions, lengths, *figures = sequences
    kept = (x[:, :length] for x in (actions, *figures))
    return Rollouts(primes, next(kept), lengths, *kept)


def specs(count: int, num_primes: int, max_length: int) -> Rollouts:
    """Shapes and types of so many sequences."""
    floats = tf.TensorSpec([count, max_length])
    return Rollouts(
        primes=tf.TensorSpec([count, num_primes], tf.int32),
        actions=tf.TensorSpec([count, max_length], tf.int32),
        lengths=tf.TensorSpec([count], tf.int32),
        task_rewards=floats,
        log_priors=floats,
        log_policies=floats,
        kls=floats,
    )


def variables(specs: Rollouts) -> Rollouts:
    """Variables of these shapes and types."""
    return Rollouts(
        *(tf.Variable(tf.zeros(x.shape, x.dtype), trainable=False) for x in specs)
    )


def assign(kept: Rollouts, values: Rollouts) -> None:
    """Writes values into variables."""
    for variable, value in zip(kept, values, strict=True):
        variable.assign(value)


def play(
    task: Task,
    algorithm: Algorithm,
    q_network: Network,
    reward_rnn: Network,
    count: int,
    seed: tf.Tensor,
) -> Rollouts:
    """Samples sequences from their priming tokens to their ends.

    Inside a compiled loop: it stops when all have ended.
    """
    prime_seed, act_seed = tf.unstack(tf.random.split(seed, 2))
    primes = acting.graph_code(task, task.prime)(count, prime_seed)
    first = acting.start(task, q_network, reward_rnn, primes)
    length = task.max_length
    arrays = [
        tf.TensorArray(dtype, length, element_shape=[count])
        for dtype in (tf.int32, *[tf.float32] * 4)
    ]

    def play_step(
        turn: tf.Tensor,
        state: ActingState,
        lengths: tf.Tensor,
        is_open: tf.Tensor,
        arrays: list[tf.TensorArray],
    ) -> tuple[Any, ...]:
        step, state = acting.act(
            task,
            algorithm,
            q_network,
            reward_rnn,
            state,
            lambda logits: boltzmann(logits, tf.random.fold_in(act_seed, turn)),
        )
        log_pi = tf.nn.log_softmax(step.policy_logits)
        ratio = log_pi - tf.nn.log_softmax(step.prior_logits)
        values = (
            step.actions,
            step.task_rewards,
            step.log_priors,
            take_actions(log_pi, step.actions),
            tf.reduce_sum(tf.exp(log_pi) * ratio, axis=-1),
        )
        arrays = [
            array.write(turn, value)
            for array, value in zip(arrays, values, strict=True)
        ]
        lengths += tf.cast(is_open, tf.int32)
        return turn + 1, state, lengths, is_open & ~step.ended, arrays

    _, _, lengths, _, arrays = tf.while_loop(
        lambda turn, state, lengths, is_open, arrays: tf.reduce_any(is_open),
        play_step,
        (
            tf.constant(0),
            first,
            tf.zeros([count], tf.int32),
            tf.ones([count], tf.bool),
            arrays,
        ),
        maximum_iterations=length,
    )
    is_token = tf.range(length) < lengths[:, tf.newaxis]
    fields = []
    for array in arrays:
        value = tf.ensure_shape(tf.transpose(array.stack()), [count, length])
        fields.append(tf.where(is_token, value, tf.zeros_like(value)))
    actions, *figures = fields
    return Rollouts(first.primes, actions, lengths, *figures)
