"""What a sequence RNN has to beat: unigram and trigram models of the same tokens."""

import dataclasses
from collections.abc import Sequence

import numpy as np

_COUNTED_TOGETHER = 1000  # sequences: to count in each on its own is slow


@dataclasses.dataclass(frozen=True)
class Score:
    """How well a model predicts.

    Attributes:
      accuracy: share of predictions whose most probable token is right.
      log_perplexity: mean of -log p(token), in nats per step.
      num_predictions: how many were scored.
    """

    accuracy: float
    log_perplexity: float
    num_predictions: int

    def as_dict(self) -> dict[str, float]:
        """For JSON: the fields and exp(log_perplexity)."""
        perplexity = float(np.exp(self.log_perplexity))
        return dataclasses.asdict(self) | {"perplexity": perplexity}


class NGramModel:
    """An n-gram model with interpolated Witten-Bell smoothing.

    p(w | h) = (count(h w) + kinds(h) p(w | h')) / (count(h) + kinds(h)), where kinds(h)
    is how many different tokens followed the context h in training and h' is h without
    its oldest token. Below the unigram stands the uniform distribution (Witten and Bell
    1991; Chen and Goodman 1999, section 2.4).
    """

    def __init__(
        self, sequences: Sequence[np.ndarray], order: int, num_classes: int
    ) -> None:
        """Counts the n-grams of `sequences`, none of which spans two of them.

        Args:
          sequences: each [steps] ints in 0..num_classes - 1.
          order: tokens per n-gram, 1 or more.
          num_classes: how many tokens there are.
        """
        self.order = order
        self.num_classes = num_classes
        probabilities = np.full(num_classes, 1 / num_classes)
        for n in range(1, order + 1):
            counts = np.zeros([num_classes] * n)
            for begin in range(0, len(sequences), _COUNTED_TOGETHER):
                grams = _all_ngrams(sequences[begin : begin + _COUNTED_TOGETHER], n)
                np.add.at(counts, tuple(grams), 1)
            kinds = (counts > 0).sum(axis=-1, keepdims=True)
            total = np.maximum(counts.sum(axis=-1, keepdims=True) + kinds, 1)
            # A context that never occurred says nothing: leave it to the shorter one.
            seen = (counts + kinds * probabilities) / total
            probabilities = np.where(kinds > 0, seen, probabilities)
        self.probabilities = probabilities  # [num_classes] * order, last axis sums to 1

    def score(self, sequences: Sequence[np.ndarray], unscored_steps: int) -> Score:
        """Scores the tokens of `sequences` that a sequence RNN is scored on.

        These are all but the first `unscored_steps` + 1 of each sequence: the first
        token is never predicted.

        Raises:
          ValueError: so few unscored steps that a context would be missing.
        """
        if unscored_steps + 1 < self.order - 1:
            raise ValueError(f"a model of order {self.order} needs a longer context")
        right, nats, number = 0, 0.0, 0
        for sequence in sequences:
            first = unscored_steps + 1
            if len(sequence) <= first:
                continue
            scored = np.asarray(sequence)[first - (self.order - 1) :]
            *context, token = _ngrams(scored, self.order)
            rows = self.probabilities[tuple(context)]
            rows = np.broadcast_to(rows, (len(token), self.num_classes))
            right += int((rows.argmax(axis=-1) == token).sum())
            nats -= float(np.log(rows[np.arange(len(token)), token]).sum())
            number += len(token)
        return Score(right / max(number, 1), nats / max(number, 1), number)


def _ngrams(sequence: np.ndarray, n: int) -> np.ndarray:
    """The n-grams of a sequence as n rows."""
    if len(sequence) < n:
        return np.empty((n, 0), np.int64)
    return np.lib.stride_tricks.sliding_window_view(np.asarray(sequence), n).T


def _all_ngrams(sequences: Sequence[np.ndarray], n: int) -> np.ndarray:
    """The n-grams of some sequences, none of which spans two of them, as n rows."""
    tokens = np.concatenate(sequences)
    owners = np.repeat(np.arange(len(sequences)), [len(s) for s in sequences])
    is_within = owners[: len(owners) - n + 1] == owners[n - 1 :]
    return _ngrams(tokens, n)[:, is_within]
