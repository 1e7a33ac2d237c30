"""What Magenta's melody models take their classes for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rl_tuner.errors import UserError

RANGE_KEY = "melody_range"  # of a model's metadata: lowest and highest MIDI pitch
NUM_SPECIAL = 2  # classes before the first note: no event, note off

# The configs that read one-hot melodies, and their ranges, both ends included.
MELODY_RANGES = {"basic_rnn": (48, 83), "mono_rnn": (0, 127)}
_RANGES = tuple(MELODY_RANGES.values())


def melody_range(num_classes: int, metadata: Mapping[str, Any]) -> tuple[int, int]:
    """The lowest and the highest MIDI pitch of a melody model, both included.

    It is what the model's metadata say, or that of Magenta's config with as many
    classes.

    Raises:
      UserError: nothing says it, or it does not fit the number of classes.
    """
    said: list[Any] = [metadata.get(RANGE_KEY), *_RANGES]
    for low, high in filter(_is_range, said):
        if num_classes == high - low + 1 + NUM_SPECIAL:
            return low, high
    raise UserError(
        f"nothing says which notes the model's {num_classes} classes are; give the "
        "MIDI pitch of the lowest by --min_note"
    )


def range_from(min_note: int, num_classes: int) -> list[int]:
    """The range of a model, for its metadata, given its lowest note."""
    return [min_note, min_note + num_classes - NUM_SPECIAL - 1]


def config_for(num_classes: int, metadata: Mapping[str, Any]) -> str:
    """The Magenta config of a model's range.

    Raises:
      UserError: there is none.
    """
    wanted = melody_range(num_classes, metadata)
    for name, its_range in MELODY_RANGES.items():
        if its_range == wanted:
            return name
    offers = ", ".join(f"{n} {r[0]}..{r[1]}" for n, r in MELODY_RANGES.items())
    raise UserError(
        f"Magenta has no config for the notes {wanted[0]} to {wanted[1]} ({offers}), "
        "so no bundle would play; export --format=magentajs or magenta_checkpoint"
    )


def _is_range(value: Any) -> bool:
    is_pair = isinstance(value, list | tuple) and len(value) == 2
    return is_pair and all(type(v) is int and 0 <= v <= 127 for v in value)
