"""ModelFormat: how files of another tool's format are recognised, read and written."""

from __future__ import annotations

import abc
import pathlib
from typing import Any, Protocol

import numpy as np

from rl_tuner.formats.stored_model import StoredModel
from rl_tuner.system.declared_worlds import declared_worlds


class WritableModel(Protocol):
    """What formats ask of a `networks.network.Network`, which explains it."""

    num_classes: int
    state_size: int
    metadata: dict[str, Any]

    def architecture(self) -> dict[str, Any]:
        """Arguments of the constructor."""

    def weight_arrays(self) -> dict[str, np.ndarray]:
        """The weights by name."""

    def unroll_with_state(self, tokens: Any, state: Any) -> tuple[Any, Any]:
        """Logits and the state after whole sequences."""

    def as_keras_model(self) -> Any:
        """The same of Keras' own layers alone."""


class ModelFormat(abc.ABC):
    """A format of models beside our own.

    Attributes:
      name: as `rl_tuner_export --format` takes it.
      description: for the help of that flag.
      suffix: of its file; empty where it is a folder.
      looks_like: what `read` takes, in words; empty where it is only written.
    """

    name: str
    description: str
    suffix: str = ""
    looks_like: str = ""

    def recognises(self, path: pathlib.Path) -> bool:
        """Whether `read` shall be asked for what lies at a path."""
        del path
        return False

    def read(self, path: pathlib.Path) -> StoredModel:
        """Reads a model that `recognises` said is of this format.

        Raises:
          UserError: it is damaged, or no sequence model.
        """
        raise NotImplementedError(f"{self.name} is only written")

    def check(self, model: WritableModel) -> None:  # noqa: B027 - most need no check
        """Proves that a model can be written in this format.

        Raises:
          UserError: it cannot, and what can be done.
        """

    @abc.abstractmethod
    def write(self, model: WritableModel, path: pathlib.Path) -> str:
        """Writes a model to a file, or into a folder that exists and is empty.

        Returns:
          how to use it, in a line or two.

        Raises:
          UserError: nothing can be written there.
        """


def formats_of_worlds() -> list[ModelFormat]:
    """The formats that declared worlds bring."""
    worlds = (entry_point.load()() for entry_point in declared_worlds().values())
    return [each for world in worlds for each in world.formats()]
