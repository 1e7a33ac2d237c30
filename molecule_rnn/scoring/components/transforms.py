"""What turns a property into a score within 0 and 1, and joins several to one."""

from __future__ import annotations

import math
from collections.abc import Iterable


def clip(x: float, upper: float) -> float:
    """X / upper, held within 0 and 1."""
    return min(max(x / upper, 0.0), 1.0)


def gauss(x: float, mean: float, deviation: float) -> float:
    """exp(-((x - mean) / deviation)^2 / 2): 1 at the mean alone."""
    return math.exp(-0.5 * ((x - mean) / deviation) ** 2)


def low(x: float, limit: float, deviation: float) -> float:
    """1 up to the limit, `gauss` above."""
    return 1.0 if x <= limit else gauss(x, limit, deviation)


def high(x: float, limit: float, deviation: float) -> float:
    """1 from the limit on, `gauss` below."""
    return 1.0 if x >= limit else gauss(x, limit, deviation)


def sigmoid(x: float, middle: float, slope: float) -> float:
    """1 / (1 + exp(-slope (x - middle))); a negative slope falls."""
    z = min(max(slope * (x - middle), -700.0), 700.0)
    return 1.0 / (1.0 + math.exp(-z))


def geometric_mean(values: Iterable[float]) -> float:
    """Of numbers from 0 on; 0 if any is, and what comes after it is not asked for."""
    total, count = 0.0, 0
    for value in values:
        if value <= 0.0:
            return 0.0
        total += math.log(value)
        count += 1
    return math.exp(total / count)
