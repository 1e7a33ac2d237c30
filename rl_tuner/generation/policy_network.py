"""One network whose softmax is a tuned policy, whatever algorithm tuned it."""

from __future__ import annotations

import numpy as np

from rl_tuner.generation.policy import Policy
from rl_tuner.networks.sequence_rnn import SequenceRNN


def policy_network(policy: Policy) -> SequenceRNN:
    """The network whose logits are the policy's scores, up to a constant of the state.

    That is the tuned network itself, but for G-learning: there the policy is
    softmax(G + log p), (14) in Jaques et al. 2016, of two networks, and the result is
    `side_by_side` of them.
    """
    if policy.objective.name == "g":
        return side_by_side(policy.q_network, policy.reward_rnn)
    return policy.q_network


def side_by_side(first: SequenceRNN, second: SequenceRNN) -> SequenceRNN:
    """One network that puts out the sum of two networks' logits, exactly.

    Its layers hold the cells of both, which read the same tokens but not each other:
    what would connect them is zero. Both must have as many classes and layers.
    """
    sizes = [a + b for a, b in zip(first.layer_sizes, second.layer_sizes, strict=True)]
    merged = SequenceRNN(first.num_classes, sizes, first.metadata)
    ours, theirs = first.weight_arrays(), second.weight_arrays()
    weights = {}
    for name in ours:
        if name == "logits/bias":
            weights[name] = ours[name] + theirs[name]
        elif name == "logits/kernel":
            weights[name] = np.concatenate([ours[name], theirs[name]])
        else:
            reads_tokens = name == "lstm_0/kernel"
            weights[name] = _join_gates(ours[name], theirs[name], reads_tokens)
    merged.set_named_weights(weights)
    return merged


def _join_gates(a: np.ndarray, b: np.ndarray, same_inputs: bool) -> np.ndarray:
    """Puts the columns of each gate beside each other."""
    gates = []
    for p, q in zip(np.split(a, 4, axis=-1), np.split(b, 4, axis=-1), strict=True):
        if p.ndim == 2 and not same_inputs:
            above = np.zeros([len(p), q.shape[1]], p.dtype)
            below = np.zeros([len(q), p.shape[1]], p.dtype)
            p, q = np.concatenate([p, below]), np.concatenate([above, q])
        gates.append(np.concatenate([p, q], axis=-1))
    return np.concatenate(gates, axis=-1)
