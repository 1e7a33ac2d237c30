"""Where sequences end: at their end token, or at their full length."""

from __future__ import annotations

import numpy as np


def sequence_lengths(sequences: np.ndarray, end_token: int | None) -> np.ndarray:
    """Tokens up to the first end token, which counts: [N, T] integers -> [N]."""
    count, length = sequences.shape
    if end_token is None:
        return np.full([count], length)
    is_end = sequences == end_token
    return np.where(is_end.any(axis=1), is_end.argmax(axis=1) + 1, length)


def is_token(sequences: np.ndarray, end_token: int | None) -> np.ndarray:
    """Whether each entry is a token, and not padding after the end: [N, T] bool."""
    lengths = sequence_lengths(sequences, end_token)
    return np.arange(sequences.shape[1]) < lengths[:, np.newaxis]


def is_last(sequences: np.ndarray, end_token: int | None) -> np.ndarray:
    """Whether each entry is the last token of its sequence: [N, T] bool."""
    lengths = sequence_lengths(sequences, end_token)
    return np.arange(1, sequences.shape[1] + 1) == lengths[:, np.newaxis]
