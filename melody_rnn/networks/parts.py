"""What a `MelodyRNN` is made of: its encoding and its cells, from its arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from melody_rnn.encoding import FIRST_NOTE
from melody_rnn.networks.encodings import Encoding
from melody_rnn.networks.recurrent_stack import RecurrentStack
from melody_rnn.networks.repeat_encodings import ENCODINGS, LookbackEncoding


def make(
    num_classes: int,
    layer_sizes: Sequence[int],
    encoding: str,
    attention_length: int,
    attention_layout: str,
    residual: bool,
    min_note: int,
    has_old_error: bool,
) -> tuple[Encoding, RecurrentStack]:
    """The encoding and the cells of an architecture.

    Raises:
      ValueError: it makes no sense.
    """
    if type(num_classes) is not int or not FIRST_NOTE < num_classes <= 130:
        raise ValueError("num_classes must be an integer from 3 to 130")
    last_note = 127 - (num_classes - FIRST_NOTE - 1)
    if type(min_note) is not int or not 0 <= min_note <= last_note:
        raise ValueError(f"min_note must be an integer from 0 to {last_note}")
    if encoding not in ENCODINGS:
        raise ValueError(f"encoding must be one of {', '.join(ENCODINGS)}")
    if type(has_old_error) is not bool or (has_old_error and encoding != "lookback"):
        raise ValueError("has_old_error is true or false, and only of lookback")
    if has_old_error:
        reads: Encoding = LookbackEncoding(num_classes, min_note, has_old_error)
    else:
        reads = ENCODINGS[encoding](num_classes, min_note)
    stack = RecurrentStack(
        reads.input_size,
        tuple(layer_sizes),
        attention_length,
        attention_layout,
        residual,
    )
    return reads, stack


def in_words(arguments: Mapping[str, Any]) -> str:
    """An architecture for users."""
    sizes = arguments["layer_sizes"]
    layers = "1 LSTM layer" if len(sizes) == 1 else "LSTM layers"
    cells = ", ".join(map(str, sizes))
    words = [f"{layers} of {cells} cells, {arguments['num_classes']} classes"]
    if arguments["encoding"] != "onehot":
        words.append(f"{arguments['encoding']} encoding")
    if arguments["has_old_error"]:
        words.append("with the lookback error of 2016")
    if length := arguments["attention_length"]:
        around = arguments["attention_layout"].replace("_", " ")
        around = around.replace("first", "the first")
        words.append(f"attention over {length} steps around {around}")
    if arguments["residual"]:
        words.append("residual connections")
    return ", ".join(words)
