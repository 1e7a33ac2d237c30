"""Weights of named rewards, as users write them: "key=2,motif=0"."""

from __future__ import annotations

import math
from collections.abc import Collection

from rl_tuner.errors import UserError


def parse_weights(
    text: str, what: str, known: Collection[str], example: str
) -> dict[str, float]:
    """Reads weights written as "key=2,motif=0".

    Args:
      text: names and weights.
      what: a name is of, for messages: "rule".
      known: the names that there are.
      example: of a weight that is right: "key=2".

    Returns:
      {name: weight}, empty for an empty text.

    Raises:
      UserError: not of that form, an unknown or repeated name, or not a number.
    """
    weights: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = (piece.strip() for piece in part.rpartition("="))
        if not equals:
            raise UserError(
                f"weight {part!r} is not of the form {what}=number; "
                f"the {what}s are {', '.join(known)}"
            )
        if name not in known:
            raise UserError(
                f"unknown {what} {name!r}; choose one of {', '.join(known)}"
            )
        if name in weights:
            raise UserError(f"{what} {name!r} has two weights in {text!r}; give one")
        try:
            weights[name] = float(value)
        except ValueError:
            weights[name] = math.nan
        if not math.isfinite(weights[name]):
            raise UserError(
                f"weight {value!r} of {what} {name!r} is not a finite number; "
                f"write for example {example}"
            )
    return weights
