"""Work in chunks, two of which are under way at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent import futures
from typing import TypeVar

Chunk = TypeVar("Chunk")
Result = TypeVar("Result")


def map_chunks(
    function: Callable[[Chunk], Result], chunks: Iterable[Chunk]
) -> list[Result]:
    """What a compiled function makes of each chunk, in order.

    Within one compiled call the cores often wait for each other; a second call fills
    the gaps. A third has nothing to gain.
    """
    with futures.ThreadPoolExecutor(2) as pool:
        return list(pool.map(function, chunks))
