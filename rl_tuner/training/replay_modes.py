"""What is remembered of a transition, and how the networks read it again."""

from __future__ import annotations

import abc
from collections.abc import Mapping

import tensorflow as tf

from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.training.acting import RolloutState, Step

Batch = Mapping[str, tf.Tensor]


class ReplayMode(abc.ABC):
    """A way to remember N transitions, beside their actions, rewards and ends.

    Attributes:
      stores_sequences: whether what is stored and sampled are sequences that have
        ended, not transitions: [N, T] where there is [N] else.
    """

    stores_sequences = False

    @abc.abstractmethod
    def fields(
        self, q_network: SequenceRNN, state: RolloutState
    ) -> dict[str, tf.TensorSpec]:
        """Shape and type of what it remembers of one transition."""

    @abc.abstractmethod
    def remember(self, step: Step) -> dict[str, tf.Tensor]:
        """The fields [N, ...] of what has happened."""

    def read(self, stored: Batch) -> Batch:
        """The transitions of what was stored: by default they are that."""
        return stored

    @abc.abstractmethod
    def logits(self, q_network: SequenceRNN, batch: Batch) -> tf.Tensor:
        """What the Q network puts out in the states that were acted in: [N, A]."""

    @abc.abstractmethod
    def next_logits(
        self, target_network: SequenceRNN, reward_rnn: SequenceRNN, batch: Batch
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """What the target network and the prior put out after the actions: [N, A]."""


class StoredStates(ReplayMode):
    """One step is unrolled, from the states that the networks were in (section 3.1).

    The Q network's state is that of the weights it acted with.
    """

    def fields(
        self, q_network: SequenceRNN, state: RolloutState
    ) -> dict[str, tf.TensorSpec]:
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

    def logits(self, q_network: SequenceRNN, batch: Batch) -> tf.Tensor:
        """The Q network reads the observations from the stored states."""
        return q_network.step(batch["observations"], batch["states"])[0]

    def next_logits(
        self, target_network: SequenceRNN, reward_rnn: SequenceRNN, batch: Batch
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Both read the actions, which are the next observations."""
        target_logits, _ = target_network.step(batch["actions"], batch["new_states"])
        prior_logits, _ = reward_rnn.step(batch["actions"], batch["new_prior_states"])
        return target_logits, prior_logits


class WholePrefixes(ReplayMode):
    """All that was read is unrolled from a zero state, as Sequence Tutor's code did.

    The error is that of the last token only; its gradient goes through the whole
    prefix.
    """

    def fields(
        self, q_network: SequenceRNN, state: RolloutState
    ) -> dict[str, tf.TensorSpec]:
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

    def logits(self, q_network: SequenceRNN, batch: Batch) -> tf.Tensor:
        """Those after the last token before the action."""
        logits = q_network.unroll(batch["tokens"][:, :-1])
        return _take_steps(logits, batch["num_read"] - 1)

    def next_logits(
        self, target_network: SequenceRNN, reward_rnn: SequenceRNN, batch: Batch
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Those after the action."""
        target_logits, prior_logits = (
            _take_steps(network.unroll(batch["tokens"]), batch["num_read"])
            for network in (target_network, reward_rnn)
        )
        return target_logits, prior_logits


class WholeSequences(WholePrefixes):
    """Each sequence is unrolled once for all of its transitions, when it has ended.

    As `WholePrefixes` it has the weights of now and gradients through all that was
    read, at the cost of about one prefix for all of them.
    """

    stores_sequences = True

    def read(self, stored: Batch) -> Batch:
        """The transitions of N sequences, up to the end of the longest: fields [N, T].

        `is_token` [N, T] is 0. behind the end of a sequence.
        """
        num_primes = stored["tokens"].shape[1] - stored["rewards"].shape[1]
        lengths = stored["num_read"] - num_primes + 1
        longest = tf.reduce_max(lengths)
        tokens = stored["tokens"][:, : num_primes + longest]
        positions = tf.range(longest)
        return {
            "tokens": tokens,
            "actions": tokens[:, num_primes:],
            "rewards": stored["rewards"][:, :longest],
            "continues": tf.cast(positions < lengths[:, tf.newaxis] - 1, tf.float32),
            "is_token": tf.cast(positions < lengths[:, tf.newaxis], tf.float32),
        }

    def logits(self, q_network: SequenceRNN, batch: Batch) -> tf.Tensor:
        """Those before each action: [N, T, A]."""
        return self._last(q_network.unroll(batch["tokens"][:, :-1]), batch)

    def next_logits(
        self, target_network: SequenceRNN, reward_rnn: SequenceRNN, batch: Batch
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Those after each action: [N, T, A]."""
        target_logits, prior_logits = (
            self._last(network.unroll(batch["tokens"]), batch)
            for network in (target_network, reward_rnn)
        )
        return target_logits, prior_logits

    def _last(self, logits: tf.Tensor, batch: Batch) -> tf.Tensor:
        """Without those of priming tokens."""
        return logits[:, -tf.shape(batch["actions"])[1] :]


REPLAY_MODES: dict[str, ReplayMode] = {
    "stored_state": StoredStates(),
    "whole_prefix": WholePrefixes(),
    "whole_sequence": WholeSequences(),
}


def common_fields() -> dict[str, tf.TensorSpec]:
    """What is remembered of a transition in any mode."""
    return {
        "actions": tf.TensorSpec([], tf.int32),
        "rewards": tf.TensorSpec([]),
        "continues": tf.TensorSpec([]),
    }


def sequence_fields(
    fields: Mapping[str, tf.TensorSpec], max_length: int
) -> dict[str, tf.TensorSpec]:
    """What is stored of a sequence whose last transition has these fields."""
    return {
        "tokens": fields["tokens"],
        "num_read": fields["num_read"],
        "rewards": tf.TensorSpec([max_length]),
    }


def _take_steps(logits: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
    """Each sequence's logits at one step: [N, T, A], [N] integers -> [N, A]."""
    # A product with a one-hot, as in `value_learning.take_actions`.
    chosen = tf.one_hot(steps, logits.shape[1], dtype=logits.dtype)
    return tf.einsum("nt,nta->na", chosen, logits)
