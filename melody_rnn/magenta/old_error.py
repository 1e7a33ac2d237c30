"""Whether a lookback model is of before 2016-10-28, as its weights show."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np


def shows(weights: Mapping[str, np.ndarray], num_events: int) -> bool:
    """Whether a lookback model was trained with the inputs of before the error.

    These left the last of the three blocks of events empty. So its weights, which never
    saw a gradient, are as they were drawn, while those of the other blocks have grown.

    Args:
      weights: by our names.
      num_events: in a block of its inputs.
    """
    first = next(n for n in ("projection_0", "cell_0") if f"{n}/kernel" in weights)
    if "attention/input/kernel" in weights and first == "cell_0":
        first = "attention/input"
    kernel = weights[f"{first}/kernel"]
    rows, columns = kernel.shape
    # What TensorFlow has drawn from by default: uniform of unit scaling, or Glorot's.
    largest = 1.01 * max(math.sqrt(3 / rows), math.sqrt(6 / (rows + columns)))
    others, last = np.split(np.abs(kernel[: 3 * num_events]), [2 * num_events])
    return bool(last.max() <= largest < others.max())
