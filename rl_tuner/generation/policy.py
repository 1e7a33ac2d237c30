"""Policy: a tuned (or untuned) model that generates sequences."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from rl_tuner.algorithms.algorithm import Algorithm, log_prior
from rl_tuner.algorithms.exploration import boltzmann
from rl_tuner.algorithms.value_learning import PsiLearning
from rl_tuner.networks.network import Network
from rl_tuner.sequence_ends import is_token
from rl_tuner.system.chunks import map_chunks

# Sequences that one compiled call generates, for few and for many: two sizes, so that
# hardly anything is compiled twice.
SMALL_BATCH, LARGE_BATCH = 128, 256
# Tokens that it generates, at the most: XLA copies what is written in a long loop, so
# that time would grow with the square of the length.
MOST_STEPS = 1024


class Generated(NamedTuple):
    """Sequences, and what is known of each token [N, T] in its state.

    After the end of a sequence there is nothing but its end token, and the figures of
    what is no token are 0.

    Attributes:
      sequences: int32, without the primer.
      log_priors: log p(a|s) under the prior.
      entropies: of the policy, in nats.
      kls: KL(policy || prior), in nats, exact.
      log_policies: log pi(a|s) of the policy.
    """

    sequences: np.ndarray
    log_priors: np.ndarray
    entropies: np.ndarray
    kls: np.ndarray
    log_policies: np.ndarray


class _State(NamedTuple):
    """Where N sequences stand.

    Attributes:
      tokens: [N] int32, what the networks read next.
      q_state: [N, state_size] of the Q network.
      prior_state: [N, state_size] of the prior.
      has_ended: [N] bool.
    """

    tokens: tf.Tensor
    q_state: tf.Tensor
    prior_state: tf.Tensor
    has_ended: tf.Tensor


@dataclasses.dataclass(frozen=True)
class Policy:
    """pi(a|s), the softmax of an algorithm's policy logits.

    Attributes:
      q_network: the tuned network.
      reward_rnn: the prior.
      algorithm: says how the two make the policy.
    """

    q_network: Network
    reward_rnn: Network
    algorithm: Algorithm

    @classmethod
    def of_prior(cls, prior: Network) -> Policy:
        """The untuned model: pi = p."""
        return cls(prior, prior, PsiLearning())

    @property
    def is_prior(self) -> bool:
        """Whether this is the untuned model, one network for both."""
        return self.q_network is self.reward_rnn

    def as_network(self) -> Network:
        """One network whose logits are the policy's, up to a constant of the state.

        That is the tuned network itself, but where the policy is softmax(G + log p),
        (14) in Jaques et al. 2016, of two networks: there it is the sum of both.

        Raises:
          UserError: networks of this kind have no sum.
        """
        if self.algorithm.acts_with_prior:
            return self.q_network.summed_with(self.reward_rnn)
        return self.q_network

    def generate(
        self,
        primers: np.ndarray,
        num_steps: int,
        temperature: float = 1.0,
        seed: int = 0,
        end_token: int | None = None,
        rows: tuple[int, int] | None = None,
    ) -> Generated:
        """Samples `num_steps` tokens after each primer, without exploration.

        The same arguments give the same sequences.

        Args:
          primers: [N, P] integers that the networks read first, from a zero state.
          num_steps: tokens to generate.
          temperature: the policy's logits are divided by it.
          seed: of all randomness.
          end_token: ends a sequence; None if no token does.
          rows: only the sequences from the first to before the second, as they are
            among all; by default all.
        """
        # Takes most of a second, for which training need not wait; it may make tensors,
        # and so is imported before anything is traced.
        import tensorflow_probability  # noqa: F401

        primers = np.asarray(primers, np.int32)
        count = primers.shape[0]
        batch = SMALL_BATCH if count <= SMALL_BATCH else LARGE_BATCH
        begin, end = rows or (0, count)

        def generate_batch(start: int) -> list[np.ndarray]:
            part = primers[start : start + batch]
            chosen = slice(max(0, begin - start), min(len(part), end - start))
            part = np.pad(part, [(0, batch - len(part)), (0, 0)])
            settings = (
                tf.constant(temperature, tf.float32),
                tf.constant([seed, start], tf.int32),
                end_token,
            )
            piece = min(num_steps, MOST_STEPS)
            out, state = self._compiled_generate(tf.constant(part), piece, *settings)
            pieces = [_rows(out, chosen)]
            for done in range(piece, num_steps, piece):
                out, state = self._compiled_go_on(
                    tf.constant(done), state, piece, *settings
                )
                pieces.append(_rows(out, chosen))
            return [
                np.concatenate(values, axis=1)[:, :num_steps]
                for values in zip(*pieces, strict=True)
            ]

        parts = map_chunks(generate_batch, range(begin - begin % batch, end, batch))
        generated = Generated(
            *(np.concatenate(values) for values in zip(*parts, strict=True))
        )
        return generated if end_token is None else _cut(generated, end_token)

    @functools.cached_property
    def _compiled_generate(self) -> Any:
        return tf.function(self._generate, jit_compile=True, autograph=False)

    def _generate(
        self,
        primers: tf.Tensor,
        num_steps: int,
        temperature: tf.Tensor,
        seed: tf.Tensor,
        end_token: int | None,
    ) -> tuple[Generated, _State]:
        """The first tokens after the primers, and where sequences stand then."""
        batch = primers.shape[0]
        q_state = self.q_network.initial_state(batch)
        prior_state = self.reward_rnn.initial_state(batch)
        if primers.shape[1] > 1:
            _, q_state = self.q_network.unroll_with_state(primers[:, :-1])
            _, prior_state = self.reward_rnn.unroll_with_state(primers[:, :-1])
        state = _State(primers[:, -1], q_state, prior_state, tf.zeros([batch], tf.bool))
        return self._go_on(
            tf.constant(0), state, num_steps, temperature, seed, end_token
        )

    @functools.cached_property
    def _compiled_go_on(self) -> Any:
        return tf.function(self._go_on, jit_compile=True, autograph=False)

    def _go_on(
        self,
        begin: tf.Tensor,
        state: _State,
        num_steps: int,
        temperature: tf.Tensor,
        seed: tf.Tensor,
        end_token: int | None,
    ) -> tuple[Generated, _State]:
        """So many tokens more, the first of which is the one at `begin`."""
        import tensorflow_probability as tfp

        batch = state.tokens.shape[0]
        arrays = [
            tf.TensorArray(dtype, num_steps, element_shape=[batch])
            for dtype in (tf.int32, *[tf.float32] * 4)
        ]

        def sample(
            t: tf.Tensor,
            tokens: tf.Tensor,
            q_state: tf.Tensor,
            prior_state: tf.Tensor,
            has_ended: tf.Tensor,
            arrays: list[tf.TensorArray],
        ) -> tuple[Any, ...]:
            q_logits, q_state = self.q_network.step(tokens, q_state)
            if self.is_prior:
                prior_logits = q_logits
            else:
                prior_logits, prior_state = self.reward_rnn.step(tokens, prior_state)
            logits = self.algorithm.policy_logits(q_logits, prior_logits) / temperature
            policy = tfp.distributions.Categorical(logits=logits)
            prior = tfp.distributions.Categorical(logits=prior_logits)
            tokens = boltzmann(logits, tf.random.fold_in(seed, t))
            values = (
                tokens,
                log_prior(prior_logits, tokens),
                policy.entropy(),
                tfp.distributions.kl_divergence(policy, prior),
                log_prior(logits, tokens),
            )
            arrays = [
                array.write(t - begin, value)
                for array, value in zip(arrays, values, strict=True)
            ]
            if end_token is not None:
                has_ended |= tokens == end_token
            return t + 1, tokens, q_state, prior_state, has_ended, arrays

        # What follows when all have ended does not matter, and is left out.
        _, *after, arrays = tf.while_loop(
            lambda t, *state: (t - begin < num_steps) & ~tf.reduce_all(state[3]),
            sample,
            (begin, *state, arrays),
        )
        generated = Generated(*(tf.transpose(array.stack()) for array in arrays))
        return generated, _State(*after)


def _rows(generated: Any, chosen: slice) -> list[np.ndarray]:
    """Some rows of each; copies, since views would keep the others in memory."""
    return [value.numpy()[chosen].copy() for value in generated]


def _cut(generated: Generated, end_token: int) -> Generated:
    """Removes what was sampled after the ends of sequences."""
    is_real = is_token(generated.sequences, end_token)
    sequences, *figures = generated
    return Generated(
        np.where(is_real, sequences, np.int32(end_token)),
        *(np.where(is_real, figure, np.float32(0)) for figure in figures),
    )
