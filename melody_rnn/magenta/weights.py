"""The weights of plain LSTM stacks between Keras' layout and TensorFlow 1's.

A TensorFlow 1 LSTM cell has one kernel
[inputs + units, 4 units] with the gates i, j (candidate), f, o, and adds a forget bias
of 1 at run time; Keras has two kernels with the gates i, f, c (= j), o, and adds
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from melody_rnn.networks.layouts import FORGET_BIAS

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


def from_magenta(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """TensorFlow 1's weights, by the names of `names.find_names`, in Keras' layout.

    Args:
      tensors: of plain LSTM cells, in shapes that fit each other.

    Returns:
      arrays as `SequenceRNN.named_weights` has them.
    """
    weights = {}
    for layer in range(len(tensors) // 2 - 1):
        name = f"lstm_{layer}"
        kernel, bias = tensors[f"cell_{layer}/kernel"], tensors[f"cell_{layer}/bias"]
        units = bias.size // 4
        i, j, f, o = np.split(kernel, 4, axis=1)
        both = np.concatenate([i, f, j, o], axis=1)
        i, j, f, o = np.split(bias, 4)
        weights[f"{name}/kernel"] = both[:-units]
        weights[f"{name}/recurrent_kernel"] = both[-units:]
        weights[f"{name}/bias"] = np.concatenate([i, f + FORGET_BIAS, j, o])
    for part in ("kernel", "bias"):
        weights[f"logits/{part}"] = tensors[f"logits/{part}"]
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
