"""The weights of a sequence RNN under Magenta's names and in TensorFlow 1's layout.

The same weights have had many names. A TensorFlow 1 LSTM cell has one kernel
[inputs + units, 4 units] with the gates i, j (candidate), f, o, and adds a forget bias
of 1 at run time; Keras has two kernels with the gates i, f, c (= j), o, and adds
nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import numpy as np

from rl_tuner.errors import UserError

FORGET_BIAS = 1.0

_CELL = re.compile(
    r"^(?P<scope>.*?)(?:(?:RNN|rnn)/)?"
    r"(?:(?:multi_rnn_cell|MultiRNNCell)/[Cc]ell_?(?P<layer>\d+)/)?"
    r"(?:(?:basic_lstm_cell|lstm_cell|LSTMCell|BasicLSTMCell)/){1,2}(?:Linear/)?"
    r"(?P<kind>W_0|B|weights|biases|kernel|bias|Matrix|Bias)$"
)
_DENSE = re.compile(
    r"^(?P<scope>.*?)fully_connected/(?P<kind>weights|biases|bias|kernel)$"
)
_KERNELS = {"W_0", "weights", "kernel", "Matrix"}

# What each of Magenta's tools looks for: a cell's kernel and bias, and the dense
# layer's.
NOTE_RNN_NAMES = (
    "rnn_model/rnn/multi_rnn_cell/cell_{}/lstm_cell/kernel",
    "rnn_model/rnn/multi_rnn_cell/cell_{}/lstm_cell/bias",
    "rnn_model/fully_connected/weights",
    "rnn_model/fully_connected/bias",
)
MELODY_RNN_NAMES = (
    "rnn/multi_rnn_cell/cell_{}/basic_lstm_cell/kernel",
    "rnn/multi_rnn_cell/cell_{}/basic_lstm_cell/bias",
    "fully_connected/weights",
    "fully_connected/biases",
)


def find_names(source: str, names: Iterable[str]) -> dict[str, str]:
    """Which of a checkpoint's variables are the sequence RNN.

    One file may hold the same weights under several scopes; the first complete one is
    taken. Optimizer slots are ignored.

    Args:
      source: the checkpoint, as users know it.
      names: of all variables.

    Returns:
      the variables' names by ours: `lstm_K/kernel`, of the whole TensorFlow 1 cell,
      `lstm_K/bias`, `logits/kernel` and `logits/bias`.

    Raises:
      UserError: they are not all there; lists what is there.
    """
    names = sorted(names)
    scopes: dict[str, dict[str, str]] = {}
    for name in names:
        if "attention" in name.lower():
            continue  # its LSTM cell would play without what it attends to
        if found := _CELL.match(name):
            ours = f"lstm_{int(found['layer'] or 0)}"
        elif found := _DENSE.match(name):
            ours = "logits"
        else:
            continue
        part = "kernel" if found["kind"] in _KERNELS else "bias"
        scopes.setdefault(found["scope"], {})[f"{ours}/{part}"] = name
    for parts in scopes.values():
        layers = range(len(parts) // 2 - 1)
        wanted = [*(f"lstm_{layer}" for layer in layers), "logits"]
        if layers and set(parts) == {
            f"{name}/{part}" for name in wanted for part in ("kernel", "bias")
        }:
            return parts
    if any("attention" in name.lower() for name in names):
        raise UserError(
            f"{source} holds an RNN with attention (attention_rnn or its like), which "
            "cannot be loaded; use a basic_rnn or another with plain LSTM cells"
        )
    raise UserError(
        f"{source} holds no sequence RNN: looked for multi_rnn_cell/cell_N/lstm_cell/"
        "{kernel,bias} and fully_connected/{weights,biases} under their historical "
        f"names; it holds {', '.join(names) or 'nothing'}"
    )


def from_magenta(
    source: str, tensors: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """TensorFlow 1's weights, by our names as in `find_names`, in Keras' layout.

    Returns:
      arrays as `SequenceRNN.named_weights` has them.

    Raises:
      UserError: the shapes are not those of LSTM cells, or it reads other inputs than
        one-hot tokens.
    """
    weights = {}
    for layer in range(len(tensors) // 2 - 1):
        name = f"lstm_{layer}"
        kernel, bias = tensors[f"{name}/kernel"], tensors[f"{name}/bias"]
        units = bias.size // 4
        is_cell = kernel.ndim == 2 and bias.shape == (4 * units,)
        if not is_cell or kernel.shape[1] != 4 * units or kernel.shape[0] <= units:
            raise UserError(
                f"{source}: the kernel of layer {layer} is {list(kernel.shape)} and "
                f"its bias {list(bias.shape)}; expected [inputs + units, 4 units] and "
                "[4 units]"
            )
        i, j, f, o = np.split(kernel, 4, axis=1)
        both = np.concatenate([i, f, j, o], axis=1)
        i, j, f, o = np.split(bias, 4)
        weights[f"{name}/kernel"] = both[:-units]
        weights[f"{name}/recurrent_kernel"] = both[-units:]
        weights[f"{name}/bias"] = np.concatenate([i, f + FORGET_BIAS, j, o])
    for part in ("kernel", "bias"):
        weights[f"logits/{part}"] = tensors[f"logits/{part}"]
    inputs, classes = weights["lstm_0/kernel"].shape[0], weights["logits/bias"].size
    if inputs != classes:
        raise UserError(
            f"{source} reads {inputs} inputs for {classes} classes, as lookback_rnn "
            "does, which cannot be loaded; use a basic_rnn or another that reads just "
            "the last token"
        )
    return weights


def to_magenta(
    weights: Mapping[str, np.ndarray], names: tuple[str, str, str, str]
) -> dict[str, np.ndarray]:
    """The inverse of `from_magenta`, under `NOTE_RNN_NAMES` or `MELODY_RNN_NAMES`."""
    kernel_name, bias_name, dense_kernel, dense_bias = names
    tensors = {}
    for layer in range((len(weights) - 2) // 3):
        name = f"lstm_{layer}"
        kernels = [weights[f"{name}/kernel"], weights[f"{name}/recurrent_kernel"]]
        i, f, j, o = np.split(np.concatenate(kernels), 4, axis=1)
        tensors[kernel_name.format(layer)] = np.concatenate([i, j, f, o], axis=1)
        i, f, j, o = np.split(weights[f"{name}/bias"], 4)
        tensors[bias_name.format(layer)] = np.concatenate([i, j, f - FORGET_BIAS, o])
    tensors[dense_kernel] = weights["logits/kernel"]
    tensors[dense_bias] = weights["logits/bias"]
    return tensors
