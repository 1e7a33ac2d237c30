"""Acting: sequences side by side that grow by a token a step, in the graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from rl_tuner.algorithms.algorithm import Algorithm, log_prior
from rl_tuner.networks.network import Network
from rl_tuner.task import Task

Choice = Callable[[tf.Tensor], tf.Tensor]


class ActingState(NamedTuple):
    """Where N sequences stand.

    Attributes:
      primes: [N, P] int32, what was read before the sequences.
      sequences: [N, max_length] int32, tokens so far, 0 after them.
      positions: [N] int32, how many tokens so far.
      last_tokens: [N] int32, what the networks read next.
      q_state: [N, state_size] of the Q network before it reads them.
      prior_state: [N, state_size] of the Reward RNN before it reads them.
      reward_state: [N, reward_state_size] int32 of the task.
    """

    primes: tf.Tensor
    sequences: tf.Tensor
    positions: tf.Tensor
    last_tokens: tf.Tensor
    q_state: tf.Tensor
    prior_state: tf.Tensor
    reward_state: tf.Tensor


class Step(NamedTuple):
    """What happened in one step of N sequences.

    Attributes:
      before: the state that was acted in.
      actions: [N] int32.
      task_rewards: [N] float32, unscaled.
      log_priors: [N] float32, log p(a|s) under the Reward RNN.
      policy_logits: [N, A], the policy is their softmax.
      prior_logits: [N, A] of the Reward RNN.
      q_state: [N, state_size] of the Q network after it read the last token.
      prior_state: the same of the Reward RNN.
      ended: [N] bool, whether the action ended its sequence.
    """

    before: ActingState
    actions: tf.Tensor
    task_rewards: tf.Tensor
    log_priors: tf.Tensor
    policy_logits: tf.Tensor
    prior_logits: tf.Tensor
    q_state: tf.Tensor
    prior_state: tf.Tensor
    ended: tf.Tensor


def graph_code(task: Task, method: Callable[..., Any]) -> Callable[..., Any]:
    """A method of a task to be traced, with Python's control flow where it uses it."""
    return tf.function(method) if task.uses_autograph else method


def start(
    task: Task, q_network: Network, reward_rnn: Network, primes: tf.Tensor
) -> ActingState:
    """New sequences: priming tokens [N] or [N, P] int32 -> state."""
    count = primes.shape[0]
    last_tokens, q_state, prior_state = _read_primes(q_network, reward_rnn, primes)
    return ActingState(
        primes=tf.reshape(primes, [count, -1]),
        sequences=tf.zeros([count, task.max_length], tf.int32),
        positions=tf.zeros([count], tf.int32),
        last_tokens=last_tokens,
        q_state=q_state,
        prior_state=prior_state,
        reward_state=tf.zeros([count, task.reward_state_size], tf.int32),
    )


def act(
    task: Task,
    algorithm: Algorithm,
    q_network: Network,
    reward_rnn: Network,
    state: ActingState,
    choose: Choice,
) -> tuple[Step, ActingState]:
    """Adds one token to each sequence.

    Both networks read the last token; `choose` takes the policy's logits [N, A] and
    gives the actions [N] int32; the task rewards them.

    Returns:
      what happened, and the state after it. A sequence that has ended is left as it is
      there: `restart` begins a new one in its row.
    """
    q_logits, q_state = q_network.step(state.last_tokens, state.q_state)
    prior_logits, prior_state = reward_rnn.step(state.last_tokens, state.prior_state)
    policy_logits = algorithm.policy_logits(q_logits, prior_logits)
    actions = choose(policy_logits)
    rewards, reward_state = graph_code(task, task.reward)(
        state.sequences, state.positions, actions, state.reward_state
    )
    here = tf.range(task.max_length) == state.positions[:, tf.newaxis]
    ended = state.positions + 1 >= task.max_length
    if task.end_token is not None:
        ended |= actions == task.end_token
    after = ActingState(
        primes=state.primes,
        sequences=tf.where(here, actions[:, tf.newaxis], state.sequences),
        positions=state.positions + 1,
        last_tokens=actions,
        q_state=q_state,
        prior_state=prior_state,
        reward_state=reward_state,
    )
    step = Step(
        before=state,
        actions=actions,
        task_rewards=rewards,
        log_priors=log_prior(prior_logits, actions),
        policy_logits=policy_logits,
        prior_logits=prior_logits,
        q_state=q_state,
        prior_state=prior_state,
        ended=ended,
    )
    return step, after


def restart(
    q_network: Network,
    reward_rnn: Network,
    state: ActingState,
    ended: tf.Tensor,
    primes: tf.Tensor,
) -> ActingState:
    """Begins new sequences where one ended, from the primes [N] or [N, P]."""

    def replace(value: tf.Tensor, new: tf.Tensor) -> tf.Tensor:
        row = tf.reshape(ended, [-1] + [1] * (len(value.shape) - 1))
        return tf.where(row, new, value)

    def zero(value: tf.Tensor) -> tf.Tensor:
        return replace(value, tf.zeros_like(value))

    last_tokens, q_state, prior_state = _read_primes(
        q_network, reward_rnn, primes, tf.reduce_any(ended)
    )

    return ActingState(
        primes=replace(state.primes, tf.reshape(primes, state.primes.shape)),
        sequences=zero(state.sequences),
        positions=zero(state.positions),
        last_tokens=replace(state.last_tokens, last_tokens),
        q_state=replace(state.q_state, q_state),
        prior_state=replace(state.prior_state, prior_state),
        reward_state=zero(state.reward_state),
    )


def _read_primes(
    q_network: Network,
    reward_rnn: Network,
    primes: tf.Tensor,
    is_needed: tf.Tensor | bool = True,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """The last priming token [N], and both networks' states before it.

    They are zeros where there is one token each, or where they are not needed.
    """
    count = primes.shape[0]
    zeros = q_network.initial_state(count), reward_rnn.initial_state(count)
    if len(primes.shape) == 1:
        return primes, *zeros
    first, last = primes[:, :-1], primes[:, -1]
    if primes.shape[1] == 1:
        return last, *zeros

    def read() -> tuple[tf.Tensor, tf.Tensor]:
        return (
            q_network.unroll_with_state(first)[1],
            reward_rnn.unroll_with_state(first)[1],
        )

    return last, *tf.cond(is_needed, read, lambda: zeros)
