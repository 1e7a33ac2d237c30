"""The certificate: how far a policy is from the exact optimum of its objective.

The objective of a sequence tau, E_pi[R/c] - KL(pi || p), is bounded: it is
log Z - KL(pi || pi*), with log Z = log E_p[exp(R/c)] and the optimum
pi*(tau) = p(tau) exp(R(tau)/c) / Z. Sequences of the policy itself, weighed by
w = exp(R/c + log p - log pi), estimate log Z and all figures of the optimum.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.special

# Fewer effective samples than these carry no figure.
FEWEST_EFFECTIVE = 100
# Of the same primer; where it has fewer, sequences of all primers are taken together.
_FEWEST_OF_PRIMER = 100


class Certificate(NamedTuple):
    """The distance to the optimum; NaN where the samples do not carry a figure.

    Attributes:
      objective: E[R/c] - KL(pi || p) of a sequence, in nats.
      log_z: the objective of the optimum.
      gap: between the two: KL(pi || pi*) of a sequence, in nats.
      effective_share: effective samples, in percent of all.
      optimum_reward: the task's reward of the optimum, a token, unscaled.
      optimum_kl: KL(pi* || p), a token, in nats.
    """

    objective: float
    log_z: float
    gap: float
    effective_share: float
    optimum_reward: float
    optimum_kl: float


def certify(
    rewards: np.ndarray,
    log_priors: np.ndarray,
    log_policies: np.ndarray,
    lengths: np.ndarray,
    primers: np.ndarray,
    reward_scaler: float,
) -> Certificate:
    """The certificate of N sequences that a policy sampled.

    log Z is that of each primer, and the mean over primers; where primers are too many
    for that, that of all together, which is no less: the gap is then an upper bound.

    Args:
      rewards: [N], R of each, unscaled.
      log_priors: [N], log p of each.
      log_policies: [N], log pi of each, of the policy that sampled it.
      lengths: [N], tokens of each.
      primers: [N, P], what each began from.
      reward_scaler: 1/c.
    """
    rewards, log_priors, log_policies = (
        np.asarray(x, np.float64) for x in (rewards, log_priors, log_policies)
    )
    log_w = reward_scaler * rewards + log_priors - log_policies
    objective = float(log_w.mean())
    _, groups, counts = np.unique(
        primers, axis=0, return_inverse=True, return_counts=True
    )
    groups = groups.reshape(-1)
    if counts.min() < _FEWEST_OF_PRIMER:
        groups, counts = np.zeros(len(log_w), int), np.array([len(log_w)])
    shares = counts / counts.sum()
    log_zs = np.array(
        [
            scipy.special.logsumexp(log_w[groups == group]) - np.log(count)
            for group, count in enumerate(counts)
        ]
    )
    # Of the optimum: each primer as likely as it was.
    weights = np.exp(log_w - log_zs[groups]) / len(log_w)
    effective = 1.0 / np.sum(weights**2)
    share = 100.0 * effective / len(log_w)
    if not effective >= FEWEST_EFFECTIVE:
        return Certificate(objective, np.nan, np.nan, share, np.nan, np.nan)
    log_z = float(shares @ log_zs)
    tokens = weights @ lengths
    kl = reward_scaler * (weights @ rewards) - log_z
    return Certificate(
        objective=objective,
        log_z=log_z,
        gap=log_z - objective,
        effective_share=share,
        optimum_reward=float(weights @ rewards / tokens),
        optimum_kl=float(kl / tokens),
    )
