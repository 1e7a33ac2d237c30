"""Which model of melody_rnn a checkpoint's variables are, as far as they show it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from melody_rnn.magenta import configurations, old_error
from melody_rnn.magenta.weights import from_magenta
from rl_tuner.errors import UserError

_DEFAULT_ATTENTION_LENGTH = 40  # of attention_rnn
# What improv_rnn reads of chords, before the melody: triads, or the chord's pitches.
_CHORDS = (49, 37)
_NETWORKS = {
    "lookback": "melody_rnn.networks.kinds:LookbackRNN",
    "key": "melody_rnn.networks.kinds:AttentionRNN",
    "onehot": "melody_rnn.networks.melody_rnn:MelodyRNN",
}


def recognise(
    source: str,
    tensors: Mapping[str, np.ndarray],
    around_all: bool,
    state_width: Callable[[], int | None],
) -> tuple[str, dict[str, Any], dict[str, np.ndarray]]:
    """The network of weights, its architecture, and the weights as it has them.

    Args:
      source: the checkpoint, as users know it.
      tensors: by our names, see `names.find_names`.
      around_all: whether attention is around all layers.
      state_width: asked for how many numbers a state of the cells has, if that is
        known. It tells how many outputs are attended to, which no weight's shape does;
        by default these are as many as in attention_rnn.

    Raises:
      UserError: the shapes do not fit each other, or it reads what we cannot.
    """
    sizes = _layer_sizes(source, tensors)
    num_inputs = _num_inputs(source, tensors, sizes)
    num_labels = tensors["logits/bias"].size
    encoding, num_events = _encoding(source, num_inputs, num_labels)
    attends = "attention/score" in tensors
    residual = "projection_0/kernel" in tensors
    if encoding == "onehot" and not attends and not residual:
        architecture = {"num_classes": num_events, "layer_sizes": sizes}
        return "rl_tuner.SequenceRNN", architecture, from_magenta(tensors)
    architecture = {
        "num_classes": num_events,
        "layer_sizes": sizes,
        "encoding": encoding,
        "attention_length": 0,
        "attention_layout": "all_layers" if around_all else "first_layer",
        "residual": residual,
        "min_note": configurations.default_min_note(num_events),
        "has_old_error": False,
    }
    weights = dict(tensors)
    if attends:
        architecture["attention_length"] = _attention_length(
            source, sizes, tensors["attention/score"].size, state_width()
        )
        searched = weights["attention/memory_kernel"]
        weights["attention/memory_kernel"] = searched.reshape(searched.shape[-2:])
    if encoding == "lookback":
        architecture["has_old_error"] = old_error.shows(weights, num_events)
    return _NETWORKS[encoding], architecture, weights


def _attention_length(
    source: str, sizes: list[int], attention_size: int, state_width: int | None
) -> int:
    """How many outputs are attended to; a `UserError` if a state has no such width."""
    if state_width is None:
        return _DEFAULT_ATTENTION_LENGTH
    length, rest = divmod(state_width - 2 * sum(sizes), max(attention_size, 1))
    if rest or length < 2:  # the rows, and what was attended to last
        raise UserError(
            f"{source}: a state of its graph has {state_width} numbers, which does not "
            f"fit its LSTM layers of {', '.join(map(str, sizes))} cells; restore it "
            "from a copy"
        )
    return length - 1


def _layer_sizes(source: str, tensors: Mapping[str, np.ndarray]) -> list[int]:
    """The cells of each layer; a `UserError` if a layer's are no LSTM cells."""
    sizes: list[int] = []
    while f"cell_{len(sizes)}/kernel" in tensors:
        layer = len(sizes)
        kernel, bias = tensors[f"cell_{layer}/kernel"], tensors[f"cell_{layer}/bias"]
        units = bias.size // 4
        is_cell = kernel.ndim == 2 and bias.shape == (4 * units,)
        if not is_cell or kernel.shape[1] != 4 * units or kernel.shape[0] <= units:
            raise UserError(
                f"{source}: the kernel of layer {layer} is {list(kernel.shape)} and "
                f"its bias {list(bias.shape)}; expected [inputs + units, 4 units] and "
                "[4 units]"
            )
        sizes.append(units)
    return sizes


def _num_inputs(
    source: str, tensors: Mapping[str, np.ndarray], sizes: list[int]
) -> int:
    """Numbers that the network reads of an event."""
    for name in ("projection_0/kernel", "attention/input/kernel"):
        if name in tensors:
            shape = tensors[name].shape
            if len(shape) != 2:
                raise UserError(f"{source}: {name} is {list(shape)}; expected a matrix")
            return shape[0] if name.startswith("projection") else shape[1]
    return tensors["cell_0/kernel"].shape[0] - sizes[0]


def _encoding(source: str, num_inputs: int, num_labels: int) -> tuple[str, int]:
    """The encoding, as `ENCODINGS` calls it, and the number of events."""
    num_events = num_labels - 2
    if num_inputs == num_labels:
        return "onehot", num_labels
    if num_inputs == 3 * num_events + 7:
        return "lookback", num_events
    if num_inputs == num_labels + 34:
        return "key", num_events
    chords = any(
        num_inputs - size in (num_labels, 3 * num_events + 7, num_labels + 34)
        for size in _CHORDS
    )
    what = "as improv_rnn does, beside a melody's chords" if chords else "as none does"
    raise UserError(
        f"{source} reads {num_inputs} inputs for {num_labels} classes, {what} of "
        "Magenta's melody_rnn, so it cannot be loaded; use a basic_rnn, mono_rnn, "
        "lookback_rnn or attention_rnn"
    )
