"""StoredModel: what a file holds of a network, whatever its format."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True)
class StoredModel:
    """A network as it was read.

    Attributes:
      source: the file or folder.
      format: in words, e.g. "TensorFlow V1 checkpoint".
      network: its kind, as in `networks.network.NETWORKS`, or `module:Class`.
      architecture: arguments of its constructor.
      metadata: what else is known of the model.
      weights: arrays by the names and in the layout of `Network.named_weights`.
      variables: names, in the file, of what was read.
      num_unused: other variables in the file.
    """

    source: str
    format: str
    network: str
    architecture: dict[str, Any]
    metadata: dict[str, Any]
    weights: dict[str, np.ndarray]
    variables: tuple[str, ...]
    num_unused: int = 0

    def in_words(self, network: str) -> str:
        """One line for users: what was read, and what of it.

        Args:
          network: the architecture in words.
        """
        unused = f"; {self.num_unused} other variables not used" * bool(self.num_unused)
        return (
            f"read {self.source}, {self.format}: {network}, from "
            f"{_grouped(self.variables)}{unused}"
        )


def _grouped(names: Sequence[str]) -> str:
    """Names with a common folder written once: a/{b,c}, d/e."""
    groups = []
    for folder, group in itertools.groupby(names, lambda n: n.rpartition("/")[0]):
        last = ",".join(name.rpartition("/")[2] for name in group)
        groups.append(f"{folder}/{{{last}}}" if "," in last else f"{folder}/{last}")
    return ", ".join(groups)
