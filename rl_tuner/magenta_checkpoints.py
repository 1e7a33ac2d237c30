"""TensorFlow 1 checkpoints of Magenta's Note RNN and melody_rnn, read for Keras.

The same weights have had many names. A TensorFlow 1 LSTM cell has one kernel
[inputs + units, 4 units] with the gates i, j (candidate), f, o, and adds a forget bias
of 1 at run time; Keras has two kernels with the gates i, f, c (= j), o, and adds
nothing.
"""

from __future__ import annotations

import os
import pathlib
import re
from typing import Any

import numpy as np
import tensorflow as tf

from rl_tuner.errors import UserError

FORGET_BIAS = 1.0

_CELL = re.compile(
    r"^(?P<prefix>.*?)(?:multi_rnn_cell|MultiRNNCell)/[Cc]ell_?(?P<layer>\d+)/"
    r"(?:basic_lstm_cell|lstm_cell|LSTMCell|BasicLSTMCell)(?:/Linear)?/"
    r"(?P<kind>W_0|B|weights|biases|kernel|bias|Matrix|Bias)$"
)
_DENSE = re.compile(
    r"^(?P<prefix>.*?)fully_connected/(?P<kind>weights|biases|bias|kernel)$"
)
_KERNELS = {"W_0", "weights", "kernel", "Matrix"}


def read(path: str | os.PathLike) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Reads a checkpoint of Magenta's under any of the names it has had.

    Args:
      path: a checkpoint file or prefix, or the directory that holds one.

    Returns:
      a config (`num_classes`, `layer_sizes`, `metadata`) and the weights by the names
      and in the gate order of `SequenceRNN.named_weights`. Optimizer slots are ignored.

    Raises:
      UserError: nothing is there, it cannot be read, or it holds no sequence RNN.
    """
    prefix = find_checkpoint(path)
    try:
        reader = tf.train.load_checkpoint(prefix)
        names = sorted(reader.get_variable_to_shape_map())
        cells, dense = _match(prefix, names)
        tensors = {name: reader.get_tensor(name) for name in [*cells, *dense]}
    except (tf.errors.OpError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"cannot read the checkpoint {prefix}: {reason}") from error

    layers: dict[int, dict[str, np.ndarray]] = {}
    for name, (layer, part) in cells.items():
        layers.setdefault(layer, {})[part] = tensors[name]
    weights = {}
    for index, layer in enumerate(sorted(layers)):
        for part, value in _cell_to_keras(prefix, layer, layers[layer]).items():
            weights[f"lstm_{index}/{part}"] = value
    for name, part in dense.items():
        weights[f"logits/{part}"] = np.asarray(tensors[name], np.float32)
    config = {
        "num_classes": weights["logits/kernel"].shape[-1],
        "layer_sizes": [
            weights[f"lstm_{index}/recurrent_kernel"].shape[0]
            for index in range(len(layers))
        ],
        "metadata": {"read_from": os.path.basename(prefix)},
    }
    return config, weights


def find_checkpoint(path: str | os.PathLike) -> str:
    """The prefix of the checkpoint at `path`, the newest one if it is a directory.

    Raises:
      UserError: there is none.
    """
    path = pathlib.Path(path).expanduser()
    if path.is_dir():
        newest = tf.train.latest_checkpoint(path)
        if newest:
            return newest
        found = {
            re.sub(r"\.(index|data-\d+-of-\d+)$", "", str(file))
            for file in path.glob("*.ckpt*")
            if not file.name.endswith(".meta")
        }
        if not found:
            raise UserError(
                f"no checkpoint in {path}: expected config.json and weights.npz, "
                "or a TensorFlow checkpoint *.ckpt*"
            )
        return max(found, key=_step)
    prefix = re.sub(r"\.(index|data-\d+-of-\d+|meta)$", "", str(path))
    if not (
        pathlib.Path(prefix).is_file() or pathlib.Path(f"{prefix}.index").is_file()
    ):
        raise UserError(
            f"no checkpoint at {path}: expected a directory with config.json and "
            "weights.npz, or a TensorFlow checkpoint"
        )
    return prefix


def _step(prefix: str) -> int:
    """The training step in a checkpoint's name; -1 if it has none."""
    number = re.search(r"-(\d+)$", prefix)
    return int(number.group(1)) if number else -1


def _match(
    prefix: str, names: list[str]
) -> tuple[dict[str, tuple[int, str]], dict[str, str]]:
    """Variable names -> (layer, part) of the cells, and -> part of the dense layer.

    One file may hold the same weights under several scopes; the first complete one
    is taken.
    """
    scopes: dict[str, tuple[dict, dict]] = {}
    for name in names:
        if found := _CELL.match(name):
            scope = re.sub(r"(RNN|rnn)/$", "", found["prefix"])
            part = "kernel" if found["kind"] in _KERNELS else "bias"
            cell = (int(found["layer"]), part)
            scopes.setdefault(scope, ({}, {}))[0][name] = cell
        elif found := _DENSE.match(name):
            part = "kernel" if found["kind"] in _KERNELS else "bias"
            scopes.setdefault(found["prefix"], ({}, {}))[1][name] = part
    for cells, dense in scopes.values():
        layers = {layer for layer, _ in cells.values()}
        wanted = {(layer, part) for layer in layers for part in ("kernel", "bias")}
        is_whole = cells and sorted(cells.values()) == sorted(wanted)
        if is_whole and sorted(dense.values()) == ["bias", "kernel"]:
            return cells, dense
    raise UserError(
        f"{prefix} holds no Note RNN: looked for multi_rnn_cell/cell_N/lstm_cell/"
        "{kernel,bias} and fully_connected/{weights,biases} under their historical "
        f"names; it holds {', '.join(names) or 'nothing'}"
    )


def _cell_to_keras(
    prefix: str, layer: int, cell: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Splits a TensorFlow 1 kernel and puts its gates in Keras' order."""
    kernel = np.asarray(cell["kernel"], np.float32)
    bias = np.asarray(cell["bias"], np.float32)
    units = bias.shape[0] // 4
    if kernel.ndim != 2 or kernel.shape[1] != 4 * units or kernel.shape[0] <= units:
        raise UserError(
            f"{prefix}: the kernel of layer {layer} is {list(kernel.shape)} and its "
            f"bias {list(bias.shape)}; expected [inputs + units, 4 units], [4 units]"
        )
    i, j, f, o = np.split(kernel, 4, axis=1)
    kernel = np.concatenate([i, f, j, o], axis=1)
    i, j, f, o = np.split(bias, 4)
    return {
        "kernel": kernel[:-units],
        "recurrent_kernel": kernel[-units:],
        "bias": np.concatenate([i, f + FORGET_BIAS, j, o]),
    }
