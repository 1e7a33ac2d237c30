"""What is remembered of a step, and how the networks read it again."""

from __future__ import annotations

import abc
from collections.abc import Mapping

import tensorflow as tf

from rl_tuner.algorithms.algorithm import Batch
from rl_tuner.networks.network import Network
from rl_tuner.training.acting import ActingState, Step

# Fields [N, ...] by name.
Fields = Mapping[str, tf.Tensor]
Specs = dict[str, tf.TensorSpec]


class ReplayMode(abc.ABC):
    """A way to remember N steps, beside their actions, rewards and ends.

    Attributes:
      stores_sequences: whether what is stored and drawn are sequences that have ended,
        not steps: [N, T] where there is [N] else.
    """

    stores_sequences = False

    def __init__(self, cuts: bool = False):
        """Takes how batches are shaped.

        Args:
          cuts: whether batches of sequences are cut to the longest of them, which
            spares work, but cannot be compiled: XLA would compile every length.
        """
        self._cuts = cuts

    @abc.abstractmethod
    def fields(self, q_network: Network, state: ActingState) -> Specs:
        """Shape and type of what it remembers of one step."""

    @abc.abstractmethod
    def remember(self, step: Step) -> dict[str, tf.Tensor]:
        """The fields [N, ...] of what has happened."""

    @abc.abstractmethod
    def read(
        self,
        stored: Fields,
        q_network: Network,
        target_network: Network,
        reward_rnn: Network,
    ) -> Batch:
        """What an algorithm learns from, of N steps or sequences that were stored."""


class StoredStates(ReplayMode):
    """One step is unrolled, from the states that the networks were in (section 3).

    The Q network's state is that of the weights it acted with.
    """

    def fields(self, q_network: Network, state: ActingState) -> Specs:
        """The last token and three states of `q_network.state_size`."""
        del state
        spec = tf.TensorSpec([q_network.state_size])
        return {
            "observations": tf.TensorSpec([], tf.int32),
            "states": spec,
            "new_states": spec,
            "new_prior_states": spec,
        }

    def remember(self, step: Step) -> dict[str, tf.Tensor]:
        """The last tokens, and the states before and after they were read."""
        return {
            "observations": step.before.last_tokens,
            "states": step.before.q_state,
            "new_states": step.q_state,
            "new_prior_states": step.prior_state,
        }

    def read(
        self,
        stored: Fields,
        q_network: Network,
        target_network: Network,
        reward_rnn: Network,
    ) -> Batch:
        """The actions are the next observations."""
        actions = stored["actions"]
        next_logits, _ = target_network.step(actions, stored["new_states"])
        next_prior_logits, _ = reward_rnn.step(actions, stored["new_prior_states"])
        logits, _ = q_network.step(stored["observations"], stored["states"])
        return _batch(stored, logits, next_logits, next_prior_logits)


class WholePrefixes(ReplayMode):
    """All that was read is unrolled from a zero state, as Sequence Tutor's code did.

    The error is that of the last token only; its gradient goes through the whole
    prefix.
    """

    def fields(self, q_network: Network, state: ActingState) -> Specs:
        """The priming tokens and the sequence, and how many of them were read."""
        del q_network
        length = state.primes.shape[1] + state.sequences.shape[1]
        return {
            "tokens": tf.TensorSpec([length], tf.int32),
            "num_read": tf.TensorSpec([], tf.int32),
        }

    def remember(self, step: Step) -> dict[str, tf.Tensor]:
        """Priming tokens, tokens before the action, and the action: [N, P + T]."""
        before = step.before
        here = tf.range(before.sequences.shape[1]) == before.positions[:, tf.newaxis]
        sequences = tf.where(here, step.actions[:, tf.newaxis], before.sequences)
        return {
            "tokens": tf.concat([before.primes, sequences], axis=1),
            "num_read": before.primes.shape[1] + before.positions,
        }

    def read(
        self,
        stored: Fields,
        q_network: Network,
        target_network: Network,
        reward_rnn: Network,
    ) -> Batch:
        """Logits before and after the last token, the action."""
        tokens, num_read = stored["tokens"], stored["num_read"]
        next_logits, next_prior_logits = (
            _take_steps(network.unroll(tokens), num_read)
            for network in (target_network, reward_rnn)
        )
        logits = _take_steps(q_network.unroll(tokens[:, :-1]), num_read - 1)
        return _batch(stored, logits, next_logits, next_prior_logits)


class WholeSequences(WholePrefixes):
    """Each sequence is unrolled once for all of its tokens, when it has ended.

    As `WholePrefixes` it has the weights of now and gradients through all that was
    read, at the cost of about one prefix for all of them.
    """

    stores_sequences = True

    def read(
        self,
        stored: Fields,
        q_network: Network,
        target_network: Network,
        reward_rnn: Network,
    ) -> Batch:
        """Logits before and after each token of N sequences: [N, T].

        T is that of the longest sequence, or `max_length` where nothing is cut;
        `is_token` is 0 behind the end of each.
        """
        max_length = stored["rewards"].shape[1]
        num_primes = stored["tokens"].shape[1] - max_length
        lengths = stored["num_read"] - num_primes + 1
        longest = tf.reduce_max(lengths) if self._cuts else max_length
        tokens = stored["tokens"][:, : num_primes + longest]
        actions = tokens[:, num_primes:]
        positions = tf.range(longest)
        length = tf.shape(actions)[1]
        next_logits, next_prior_logits = (
            network.unroll(tokens)[:, -length:]
            for network in (target_network, reward_rnn)
        )
        logits = q_network.unroll(tokens[:, :-1])[:, -length:]
        return Batch(
            logits=logits,
            next_logits=next_logits,
            next_prior_logits=next_prior_logits,
            actions=actions,
            continues=tf.cast(positions < lengths[:, tf.newaxis] - 1, tf.float32),
            is_token=tf.cast(positions < lengths[:, tf.newaxis], tf.float32),
            rewards=stored["rewards"][:, :longest],
        )


REPLAY_MODES: dict[str, type[ReplayMode]] = {
    "stored_state": StoredStates,
    "whole_prefix": WholePrefixes,
    "whole_sequence": WholeSequences,
}


def _batch(
    stored: Fields,
    logits: tf.Tensor,
    next_logits: tf.Tensor,
    next_prior_logits: tf.Tensor,
) -> Batch:
    """A batch of single steps."""
    return Batch(
        logits=logits,
        next_logits=next_logits,
        next_prior_logits=next_prior_logits,
        actions=stored["actions"],
        rewards=stored["rewards"],
        continues=stored["continues"],
    )


def _take_steps(logits: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
    """Each sequence's logits at one step: [N, T, A], [N] integers -> [N, A]."""
    # A product with a one-hot, as in `algorithm.take_actions`.
    chosen = tf.one_hot(steps, tf.shape(logits)[1], dtype=logits.dtype)
    return tf.einsum("nt,nta->na", chosen, logits)
