"""What Magenta's melody models take their classes for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from melody_rnn.encoding import MIN_PITCH
from rl_tuner.errors import UserError
from rl_tuner.formats.model_format import WritableModel

RANGE_KEY = "melody_range"  # of a model's metadata: lowest and highest MIDI pitch
NUM_SPECIAL = 2  # classes before the first note: no event, note off

# Magenta's configs: the lowest and the highest note of each, both included.
MELODY_RANGES = {
    "basic_rnn": (48, 83),
    "mono_rnn": (0, 127),
    "lookback_rnn": (48, 83),
    "attention_rnn": (48, 83),
}
# How each reads melodies, as `networks.encodings.ENCODINGS` calls it.
ENCODINGS = {
    "basic_rnn": "onehot",
    "mono_rnn": "onehot",
    "lookback_rnn": "lookback",
    "attention_rnn": "key",
}


def melody_range(num_classes: int, metadata: Mapping[str, Any]) -> tuple[int, int]:
    """The lowest and the highest MIDI pitch of a melody model, both included.

    It is what the model's metadata say, or that of Magenta's config with as many
    classes.

    Raises:
      UserError: nothing says it, or it does not fit the number of classes.
    """
    said: list[Any] = [metadata.get(RANGE_KEY), *MELODY_RANGES.values()]
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


def default_min_note(num_classes: int) -> int:
    """The lowest note of a model of which nothing says it."""
    return MELODY_RANGES["mono_rnn"][0] if num_classes == 130 else MIN_PITCH


def is_melody_rnn(architecture: Mapping[str, Any]) -> bool:
    """Whether an architecture is a `MelodyRNN`'s, and not a plain LSTM stack's."""
    return "encoding" in architecture


def config_for(model: WritableModel) -> str:
    """The Magenta config of a model's notes and encoding.

    In a bundle it chooses no more than these: the graph comes with it.

    Raises:
      UserError: there is none.
    """
    wanted = melody_range(model.num_classes, model.metadata)
    encoding = model.architecture().get("encoding", "onehot")
    for name, its_range in MELODY_RANGES.items():
        if its_range == wanted and ENCODINGS[name] == encoding:
            return name
    offers = ", ".join(f"{n} {r[0]}..{r[1]}" for n, r in MELODY_RANGES.items())
    raise UserError(
        f"Magenta has no config for the notes {wanted[0]} to {wanted[1]} of the "
        f"{encoding} encoding ({offers}), so no bundle would play; export "
        "--format=magenta_checkpoint, or magentajs"
    )


def _is_range(value: Any) -> bool:
    is_pair = isinstance(value, list | tuple) and len(value) == 2
    return is_pair and all(type(v) is int and 0 <= v <= 127 for v in value)
