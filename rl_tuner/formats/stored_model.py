"""StoredModel: what a file holds of a sequence RNN, whatever its format."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True)
class StoredModel:
    """A sequence RNN as it was read.

    Attributes:
      source: the file or folder.
      format: in words, e.g. "TensorFlow V1 checkpoint".
      num_classes: how many tokens there are.
      layer_sizes: LSTM cells per layer.
      metadata: what else is known of the model.
      weights: arrays by the names and in the layout of `SequenceRNN.named_weights`.
      variables: names, in the file, of what was read.
      num_unused: other variables in the file.
    """

    source: str
    format: str
    num_classes: int
    layer_sizes: tuple[int, ...]
    metadata: dict[str, Any]
    weights: dict[str, np.ndarray]
    variables: tuple[str, ...]
    num_unused: int = 0

    def in_words(self) -> str:
        """One line for users: what was read, and what of it."""
        sizes = ", ".join(map(str, self.layer_sizes))
        layers = "1 LSTM layer" if len(self.layer_sizes) == 1 else "LSTM layers"
        unused = f"; {self.num_unused} other variables not used" * bool(self.num_unused)
        return (
            f"read {self.source}, {self.format}: {layers} of {sizes} cells, "
            f"{self.num_classes} classes, from {_grouped(self.variables)}{unused}"
        )


def _grouped(names: Sequence[str]) -> str:
    """Names with a common folder written once: a/{b,c}, d/e."""
    groups = []
    for folder, group in itertools.groupby(names, lambda n: n.rpartition("/")[0]):
        last = ",".join(name.rpartition("/")[2] for name in group)
        groups.append(f"{folder}/{{{last}}}" if "," in last else f"{folder}/{last}")
    return ", ".join(groups)
