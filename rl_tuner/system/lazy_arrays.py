"""LazyArrays: arrays by name that are made one at a time, when they are asked for."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping

import numpy as np


class LazyArrays(Mapping[str, np.ndarray]):
    """A view of state that may take gigabytes: who goes through it holds one array."""

    def __init__(self, makers: Mapping[str, Callable[[], np.ndarray]]):
        """Takes what makes each of the arrays, by name."""
        self._makers = dict(makers)

    def __getitem__(self, name: str) -> np.ndarray:
        """Makes an array, anew each time."""
        return self._makers[name]()

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return iter(self._makers)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._makers)

    @classmethod
    def of_folder(cls, arrays: Mapping[str, np.ndarray], folder: str) -> LazyArrays:
        """Those of the arrays that are called `folder/...`, without that."""
        names = [name for name in arrays if name.startswith(f"{folder}/")]
        return cls(
            {
                name.removeprefix(f"{folder}/"): functools.partial(
                    arrays.__getitem__, name
                )
                for name in names
            }
        )

    def in_folder(self, folder: str) -> LazyArrays:
        """The same arrays, called `folder/...`."""
        return LazyArrays({f"{folder}/{k}": v for k, v in self._makers.items()})

    def __or__(self, other: LazyArrays) -> LazyArrays:
        """The arrays of both."""
        return LazyArrays(self._makers | other._makers)
