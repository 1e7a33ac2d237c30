"""The TensorFlow 1 graph of a melody model, as Magenta's bundles carry it.

Magenta imports the graph of a bundle and never builds it anew, so its operations must
be there; it finds its way by the collections `inputs`, `temperature`, `softmax`,
`initial_state` and `final_state`. The graph holds no weights.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import tensorflow as tf

from melody_rnn.magenta.weights import FORGET_BIAS, MELODY_RNN_NAMES

tf1 = tf.compat.v1

# Magenta pads what it generates to whole batches: 1 wastes nothing.
BATCH_SIZE = 1


def metagraph(num_classes: int, layer_sizes: Sequence[int]) -> bytes:
    """A serialized `MetaGraphDef` of variables under `MELODY_RNN_NAMES`.

    Its inputs are one-hot melodies [1, T, num_classes], a temperature and the state
    (c, h of each layer); its outputs the probabilities [1, T, num_classes] and the
    state after the last step.
    """
    with tf.Graph().as_default() as graph, _control_flow_of_tensorflow_1():
        inputs = tf1.placeholder(
            tf.float32, [BATCH_SIZE, None, num_classes], name="inputs"
        )
        temperature = tf1.placeholder(tf.float32, [], name="temperature")
        cells, dense = _variables(num_classes, layer_sizes)
        # Magenta feeds these, though they are no placeholders, as it does its own.
        initial_state = [
            tf.zeros([BATCH_SIZE, size]) for size in layer_sizes for _ in ("c", "h")
        ]
        outputs, final_state = _unroll(inputs, cells, initial_state)
        logits = tf.matmul(tf.reshape(outputs, [-1, layer_sizes[-1]]), dense[0])
        softmax = tf.nn.softmax((logits + dense[1]) / temperature)
        softmax = tf.reshape(softmax, [BATCH_SIZE, -1, num_classes], name="softmax")
        for name, values in (
            ("inputs", [inputs]),
            ("temperature", [temperature]),
            ("softmax", [softmax]),
            ("initial_state", initial_state),
            ("final_state", final_state),
        ):
            for value in values:
                graph.add_to_collection(name, value)
        saver = tf1.train.Saver(sharded=False, write_version=tf1.train.SaverDef.V1)
        exported = tf1.train.export_meta_graph(saver_def=saver.as_saver_def())
    return exported.SerializeToString(deterministic=True)


def v1_checkpoint(path: str, tensors: Mapping[str, np.ndarray]) -> None:
    """Writes a V1 checkpoint, a single file: the only format that bundles take.

    Raises:
      tf.errors.OpError: it cannot be written.
    """
    tf.raw_ops.SaveSlices(
        filename=path,
        tensor_names=list(tensors),
        shapes_and_slices=[""] * len(tensors),
        data=list(tensors.values()),
    )


def _variables(
    num_classes: int, layer_sizes: Sequence[int]
) -> tuple[list[tuple[tf.Tensor, tf.Tensor]], tuple[tf.Tensor, tf.Tensor]]:
    """Kernel and bias of each cell and of the dense layer."""
    kernel, bias, dense_kernel, dense_bias = MELODY_RNN_NAMES
    cells = []
    width = num_classes
    for layer, size in enumerate(layer_sizes):
        cells.append(
            (
                _variable(kernel.format(layer), [width + size, 4 * size]),
                _variable(bias.format(layer), [4 * size]),
            )
        )
        width = size
    dense = (
        _variable(dense_kernel, [width, num_classes]),
        _variable(dense_bias, [num_classes]),
    )
    return cells, dense


def _variable(name: str, shape: list[int]) -> tf.Tensor:
    return tf1.get_variable(
        name, shape, initializer=tf1.zeros_initializer(), use_resource=False
    )


def _unroll(
    inputs: tf.Tensor,
    cells: Sequence[tuple[tf.Tensor, tf.Tensor]],
    initial_state: Sequence[tf.Tensor],
) -> tuple[tf.Tensor, list[tf.Tensor]]:
    """Runs the cells over [B, T, inputs]: outputs [B, T, units], state after them."""
    num_steps = tf.shape(inputs)[1]
    by_step = tf.transpose(inputs, [1, 0, 2])
    read = tf.TensorArray(tf.float32, num_steps).unstack(by_step)
    written = tf.TensorArray(tf.float32, num_steps)

    def body(step: tf.Tensor, written: tf.TensorArray, *state: tf.Tensor) -> tuple:
        x, new_state = read.read(step), []
        for (kernel, bias), c, h in zip(cells, state[::2], state[1::2], strict=True):
            i, j, f, o = tf.split(tf.matmul(tf.concat([x, h], 1), kernel) + bias, 4, 1)
            c = tf.sigmoid(f + FORGET_BIAS) * c + tf.sigmoid(i) * tf.tanh(j)
            x = tf.sigmoid(o) * tf.tanh(c)
            new_state += [c, x]
        return step + 1, written.write(step, x), *new_state

    _, written, *state = tf1.while_loop(
        lambda step, *_: step < num_steps,
        body,
        [tf.constant(0), written, *initial_state],
    )
    return tf.transpose(written.stack(), [1, 0, 2]), state


@contextlib.contextmanager
def _control_flow_of_tensorflow_1() -> Iterator[None]:
    """Loops as plain operations, which older TensorFlow imports too."""
    was_enabled = tf1.control_flow_v2_enabled()
    tf1.disable_control_flow_v2()
    try:
        yield
    finally:
        if was_enabled:
            tf1.enable_control_flow_v2()
