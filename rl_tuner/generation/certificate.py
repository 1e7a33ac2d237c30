"""The certificate: how far a policy is from the exact optimum of its objective.

The objective of a sequence tau, E_pi[R/c] - KL(pi || p), is bounded: it is
log Z - KL(pi || pi*), with log Z = log E_p[exp(R/c)] and the optimum
pi*(tau) = p(tau) exp(R(tau)/c) / Z. Sequences of the policy itself, weighed by
w = exp(R/c + log p - log pi), estimate log Z and all figures of the optimum.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

# Fewer effective samples than these carry no figure.
FEWEST_EFFECTIVE = 100
# In nats: the most that the mean of the primers' log Z may be too low by, being that of
# logarithms of means of few samples.
_GREATEST_BIAS = 0.05


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

    log Z is the mean of that of each primer. Where primers are too many for that, it is
    that of all together, which is no less: the gap is then an upper bound.

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
    _, groups = np.unique(primers, axis=0, return_inverse=True)
    log_zs, weights, bias = _of_groups(log_w, groups.reshape(-1))
    if bias > _GREATEST_BIAS:
        log_zs, weights, _ = _of_groups(log_w, np.zeros(len(log_w), int))
    effective = 1.0 / np.sum(weights**2)
    share = float(100.0 * effective / len(log_w))
    if not effective >= FEWEST_EFFECTIVE:
        return Certificate(objective, np.nan, np.nan, share, np.nan, np.nan)
    log_z = float(log_zs.mean())
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


def _of_groups(
    log_w: np.ndarray, groups: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """Importance sampling within groups of samples.

    Args:
      log_w: [N], logarithms of weights.
      groups: [N], integers from 0.

    Returns:
      log Z of each sample's group [N], the weights [N] of all samples, 1 in sum, each
      group as likely as it was, and how far the mean log Z is too low, about.
    """
    counts = np.bincount(groups)
    largest = np.full(len(counts), -np.inf)
    np.maximum.at(largest, groups, log_w)
    w = np.exp(log_w - largest[groups])
    sums, squares = np.bincount(groups, w), np.bincount(groups, w**2)
    log_zs = (np.log(sums / counts) + largest)[groups]
    # By the delta method log(mean) is low by half the mean's relative variance, of
    # which one sample says nothing.
    relative = np.where(counts > 1, squares / sums**2 - 1.0 / counts, np.inf)
    bias = float(np.mean(relative[groups])) / 2.0
    return log_zs, w / sums[groups] * counts[groups] / len(log_w), bias
