"""Names that the variables of Magenta's melody models have had.

TensorFlow has named the same variables in three ways, and attention has been around the
first layer or around all of them. Ours are those of `MelodyRNN.named_weights`:
`cell_K/{kernel,bias}`, `logits/{kernel,bias}`, with attention `attention/...` and with
residual connections `projection_K/{kernel,bias}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from rl_tuner.errors import UserError

# Parts of names as TensorFlow 0.10 to 1.1 and magenta.js wrote them.
_MODERN = {
    "RNN": "rnn",
    "MultiRNNCell": "multi_rnn_cell",
    "BasicLSTMCell": "basic_lstm_cell",
    "LSTMCell": "basic_lstm_cell",
    "lstm_cell": "basic_lstm_cell",
    "AttentionCellWrapper": "attention_cell_wrapper",
    "InputProjectionWrapper": "input_projection_wrapper",
    "Attention": "attention",
    "AttnW": "attn_w",
    "AttnV": "attn_v",
    "AttnOutputProjection": "attn_output_projection",
    "attention_output_projection": "attn_output_projection",
    "W_0": "kernel",
    "weights": "kernel",
    "Matrix": "kernel",
    "B": "bias",
    "biases": "bias",
    "Bias": "bias",
}
_CELL_NUMBER = re.compile(r"[Cc]ell_?(\d+)$")
# What lies below the cell wrapper that attention is.
_ATTENTION = {
    "attention/input/kernel": "kernel",
    "attention/input/bias": "bias",
    "attention/query/kernel": "attention/kernel",
    "attention/query/bias": "attention/bias",
    "attention/memory_kernel": "attention/attn_w",
    "attention/score": "attention/attn_v",
    "attention/output/kernel": "attn_output_projection/kernel",
    "attention/output/bias": "attn_output_projection/bias",
}
_WRAPPER, _PROJECTION = "attention_cell_wrapper", "input_projection_wrapper"
_VARIABLE = re.compile(
    r"^(?P<scope>.*?)(?:rnn/)?"
    rf"(?P<around_all>{_WRAPPER}/(?=multi_rnn_cell/|basic_lstm_cell/|kernel$|bias$|att))?"
    r"(?:multi_rnn_cell/cell_(?P<layer>\d+)/)?"
    rf"(?P<projection>{_PROJECTION}/)?"
    rf"(?P<around_first>{_WRAPPER}/)?"
    r"(?P<what>(?:basic_lstm_cell/|attention/|attn_output_projection/)?"
    r"(?:kernel|bias|attn_w|attn_v))$"
)
_DENSE = re.compile(r"^(?P<scope>.*?)fully_connected/(?P<kind>kernel|bias)$")


def find_names(source: str, names: Iterable[str]) -> tuple[dict[str, str], bool]:
    """Which of a checkpoint's variables are the network.

    One file may hold the same weights under several scopes; the first complete one is
    taken. Optimizer slots are ignored.

    Args:
      source: the checkpoint, as users know it.
      names: of all variables.

    Returns:
      the variables' names by ours, and whether attention is around all layers.

    Raises:
      UserError: they are not all there; lists what is there.
    """
    names = sorted(names)
    scopes: dict[str, dict[str, str]] = {}
    around_all = set()
    for name in names:
        found = _parse(name)
        if found is None:
            continue
        scope, ours, is_around_all = found
        if "attention" in scope.lower():
            continue  # its cells would play without what they attend to
        scopes.setdefault(scope, {})[ours] = name
        if is_around_all:
            around_all.add(scope)
    for scope, parts in scopes.items():
        if _is_complete(parts):
            return parts, scope in around_all
    if any("attention" in name.lower() for name in names):
        raise UserError(
            f"{source} holds an RNN with attention, but not all of it: looked for "
            "multi_rnn_cell/cell_N, attention_cell_wrapper and fully_connected under "
            f"their historical names; it holds {', '.join(names)}"
        )
    raise UserError(
        f"{source} holds no sequence RNN: looked for multi_rnn_cell/cell_N/lstm_cell/"
        "{kernel,bias} and fully_connected/{weights,biases} under their historical "
        f"names; it holds {', '.join(names) or 'nothing'}"
    )


def magenta_names(ours: Iterable[str], around_all: bool = False) -> dict[str, str]:
    """What melody_rnn calls the variables of a network, by our names.

    Args:
      ours: all of them.
      around_all: whether attention is around all layers.
    """
    ours = list(ours)
    projected = {name.split("/")[0] for name in ours if name.startswith("projection_")}
    attends = any(name.startswith("attention/") for name in ours)
    names = {}
    for name in ours:
        part, kind = name.split("/", 1)
        if part == "logits":
            kind = {"kernel": "weights", "bias": "biases"}[kind]
            names[name] = f"fully_connected/{kind}"
            continue
        layer = part.rpartition("_")[2] if part != "attention" else "0"
        path = f"multi_rnn_cell/cell_{layer}/"
        if f"projection_{layer}" in projected:
            path += f"{_PROJECTION}/"
        wrapper = f"{_WRAPPER}/" * (attends and not around_all and layer == "0")
        if part == "attention" and around_all:
            names[name] = f"rnn/{_WRAPPER}/{_ATTENTION[name]}"
        elif part == "attention":
            names[name] = f"rnn/{path}{wrapper}{_ATTENTION[name]}"
        elif part.startswith("projection"):
            names[name] = f"rnn/{path}{kind}"
        else:
            outer = f"{_WRAPPER}/" * (attends and around_all)
            names[name] = f"rnn/{outer}{path}{wrapper}basic_lstm_cell/{kind}"
    return names


def _parse(name: str) -> tuple[str, str, bool] | None:
    """The scope of a variable, our name for it, and if attention is around all."""
    path = _modern(name)
    if found := _DENSE.match(path):
        return found["scope"], f"logits/{found['kind']}", False
    found = _VARIABLE.match(path)
    if not found:
        return None
    layer = int(found["layer"] or 0)
    what = found["what"]
    is_around_all = bool(found["around_all"])
    if what.startswith("basic_lstm_cell/"):
        ours = f"cell_{layer}/{what.rpartition('/')[2]}"
    elif found["around_first"] or (is_around_all and found["layer"] is None):
        theirs = {value: key for key, value in _ATTENTION.items()}
        if what not in theirs or layer:
            return None
        ours = theirs[what]
    elif found["projection"] and what in ("kernel", "bias"):
        ours = f"projection_{layer}/{what}"
    else:
        return None
    return found["scope"], ours, is_around_all


def _modern(name: str) -> str:
    """A name in the spelling of TensorFlow 1.2 and later."""
    parts: list[str] = []
    for part in name.split("/"):
        modern = _MODERN.get(part, part)
        if number := _CELL_NUMBER.fullmatch(part):
            modern = f"cell_{number[1]}"
        is_again = modern == "basic_lstm_cell" and parts[-1:] == [modern]
        if part != "Linear" and not is_again:
            parts.append(modern)
    return "/".join(parts)


def _is_complete(parts: Iterable[str]) -> bool:
    """Whether variables, by our names, make a network."""
    parts = set(parts)
    cells = {part.split("/")[0] for part in parts if part.startswith("cell_")}
    wanted = [f"cell_{layer}" for layer in range(len(cells))] + ["logits"]
    wanted += {p.split("/")[0] for p in parts if p.startswith("projection_")}
    expected = {f"{name}/{kind}" for name in wanted for kind in ("kernel", "bias")}
    if any(part.startswith("attention/") for part in parts):
        expected |= set(_ATTENTION)
    return bool(cells) and parts == expected
