"""DPG, a policy gradient that weighs whole sequences by how far they are from pi*.

The optimum of the objective, (9) in Jaques et al. 2016, is pi*(tau) = p(tau)
exp(R(tau)/c) / Z. So it is known, but for log Z, how much too unlikely a sequence is:

    x(tau) = log pi*(tau)/pi(tau) = log p(tau) + R(tau)/c - log pi(tau) - log Z

f-DPG (Go et al. 2023) lowers a divergence from pi* by E_pi[a(x) grad log pi(tau)] with
an increasing a. That of KL(pi || pi*), the objective, is x; that of KL(pi* || pi) is
exp(x), the first distributional policy gradient (Parshakova et al. 2019). Here it is

    a(x) = max(x, b)        with b = `RLTunerConfig.lowest_advantage`

the objective's with a bounded slope: what fails altogether, as a string that is no
molecule, is worth tens of nats less than the others, and would drown what else differs.
Whatever a is, nothing is left to do where x = 0 everywhere, and near that gradients of
whole sequences have no noise. Where tokens earn rewards of their own REINFORCE learns
faster, which holds a token answerable for what follows alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import tensorflow as tf

from rl_tuner.algorithms.algorithm import Algorithm, Batch, mean_of_sequences
from rl_tuner.algorithms.policy_gradient import log_policy

if TYPE_CHECKING:
    from rl_tuner.config import RLTunerConfig


class DPG(Algorithm):
    """Raises log pi(tau) where pi* is higher; discount rates play no part."""

    name, label = "dpg", "DPG"
    adds_log_prior = True
    is_on_policy = True

    def loss(self, batch: Batch, config: RLTunerConfig) -> tuple[tf.Tensor, tf.Tensor]:
        """Minus the mean of a(x) log pi, and a(x) over its mean [N]."""
        log_pi = tf.reduce_sum(log_policy(batch) * batch.is_token, axis=1)
        augmented = tf.reduce_sum(batch.rewards * batch.is_token, axis=1)
        log_ratios = log_optimum_ratios(augmented - tf.stop_gradient(log_pi))
        advantages = over_the_others(tf.maximum(log_ratios, config.lowest_advantage))
        return -mean_of_sequences(advantages * log_pi, batch), advantages


def log_optimum_ratios(log_weights: tf.Tensor) -> tf.Tensor:
    """Log pi*/pi of sequences whose log p + R/c - log pi are [N] -> [N].

    Z is the mean of their exponentials.
    """
    count = tf.cast(tf.shape(log_weights)[0], log_weights.dtype)
    return log_weights - (tf.reduce_logsumexp(log_weights) - tf.math.log(count))


def over_the_others(values: tf.Tensor) -> tf.Tensor:
    """Each value over the mean of all others: [N] -> [N]."""
    count = values.shape[0]
    return (values - tf.reduce_mean(values)) * (count / max(count - 1, 1))
