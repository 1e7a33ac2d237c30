"""Numbers as scientific Python returns them, as plain ones."""

from __future__ import annotations

import decimal
import math
import numbers
from typing import Any


def finite_number(value: Any) -> float | None:
    """The number that a value is; None if it is none, or not finite.

    Scalars and arrays of one element are numbers too, of numpy, PyTorch and whatever
    else has their `item`; texts are none.
    """
    if not isinstance(value, numbers.Number) and hasattr(value, "item"):
        try:
            value = value.item()
        except (TypeError, ValueError, RuntimeError):  # of more elements than one
            return None
    if not isinstance(value, numbers.Real | decimal.Decimal):
        return None
    try:
        number = float(value)
    except (OverflowError, ValueError):
        return None
    return number if math.isfinite(number) else None
