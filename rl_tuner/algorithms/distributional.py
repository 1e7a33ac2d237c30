"""DPG, a policy gradient that weighs whole sequences by how far they are from pi*.

The optimum of the objective, (9) in Jaques et al. 2016, is pi*(tau) = p(tau)
exp(R(tau)/c) / Z. So how much too unlikely a sequence is, is known but for log Z:

    x(tau) = log p(tau) + R(tau)/c - log pi(tau) = log pi*(tau)/pi(tau) + log Z

f-DPG (Go et al. 2023) lowers a divergence from pi* by E_pi[a(x) grad log pi(tau)] with
an increasing a. That of KL(pi || pi*), the objective, is x; that of KL(pi* || pi) is
exp(x), the first distributional policy gradient (Parshakova et al. 2019). Here it is

    a(x) = max(x, b)        b the quantile of x in the batch at `lowest_share`

the objective's, with the lowest values of each batch set to the lowest of the others.
What fails altogether, as a string that is no molecule, is worth tens of nats less than
the rest, and would drown what else differs. While more fails than that share it counts
in full; less is tolerated, so that pi* is missed by so much. Where all x are the same
nothing is left to do, and near that gradients of whole sequences have no noise. Where
tokens earn rewards of their own REINFORCE learns faster, which holds a token answerable
for what follows alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import tensorflow as tf

from rl_tuner.algorithms.algorithm import Algorithm, Batch, mean_of_sequences
from rl_tuner.algorithms.policy_gradient import log_policy, over_the_others

if TYPE_CHECKING:
    from rl_tuner.config import RLTunerConfig


class DPG(Algorithm):
    """Raises log pi(tau) where pi* is higher; discount rates play no part."""

    name, label = "dpg", "DPG"
    adds_log_prior = True
    is_on_policy = True

    def loss(self, batch: Batch, config: RLTunerConfig) -> tuple[tf.Tensor, tf.Tensor]:
        """Minus the mean of a(x) log pi, and a(x) over the others' mean [N]."""
        log_pi = tf.reduce_sum(log_policy(batch) * batch.is_token, axis=1)
        augmented = tf.reduce_sum(batch.rewards * batch.is_token, axis=1)
        log_ratios = augmented - tf.stop_gradient(log_pi)
        advantages = over_the_others(raise_lowest(log_ratios, config.lowest_share))
        return -mean_of_sequences(advantages * log_pi, batch), advantages


def raise_lowest(values: tf.Tensor, share: float) -> tf.Tensor:
    """Sets the lowest share of values [N] to the lowest of the others -> [N]."""
    lowest = tf.sort(values)[int(share * values.shape[0])]
    return tf.maximum(values, lowest)
