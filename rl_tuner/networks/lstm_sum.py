"""The weights of one LSTM stack whose logits are the sum of two stacks' logits."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def summed_weights(
    ours: Mapping[str, np.ndarray], theirs: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Weights, by the names of `SequenceRNN.named_weights`, that give the exact sum.

    The layers hold the cells of both stacks, which read the same tokens but not each
    other: what would connect them is zero. Both must have as many classes and layers.
    """
    weights = {}
    for name in ours:
        if name == "logits/bias":
            weights[name] = ours[name] + theirs[name]
        elif name == "logits/kernel":
            weights[name] = np.concatenate([ours[name], theirs[name]])
        else:
            reads_tokens = name == "lstm_0/kernel"
            weights[name] = _join_gates(ours[name], theirs[name], reads_tokens)
    return weights


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
