"""The TensorFlow 1 graph of a melody model, as Magenta's bundles carry it.

Magenta imports the graph of a bundle and never builds it anew, so its operations must
be there; it finds its way by the collections `inputs`, `temperature`, `softmax`,
`initial_state` and `final_state`. The graph holds no weights.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

from melody_rnn.magenta.names import magenta_names
from melody_rnn.networks.recurrent_stack import RecurrentStack, StackState
from rl_tuner.formats.tf1_tables import DamagedFile

tf1 = tf.compat.v1

# Magenta pads what it generates to whole batches: 1 wastes nothing.
BATCH_SIZE = 1
_SEARCHED = "attention/memory_kernel"  # which Magenta has as a convolution's


def metagraph(stack: RecurrentStack, num_labels: int) -> bytes:
    """A serialized `MetaGraphDef` of variables under melody_rnn's names.

    Its inputs are encoded melodies [1, T, input_size], a temperature and the state, in
    Magenta's parts; its outputs the probabilities [1, T, num_labels] and the state
    after the last step.

    Args:
      stack: the cells.
      num_labels: classes of the dense layer.
    """
    sizes = [size for _, size in stack.parts]
    with tf.Graph().as_default() as graph, _control_flow_of_tensorflow_1():
        inputs = tf1.placeholder(
            tf.float32, [BATCH_SIZE, None, stack.input_size], name="inputs"
        )
        temperature = tf1.placeholder(tf.float32, [], name="temperature")
        weights = _variables(stack, num_labels)
        # Magenta feeds these, though they are no placeholders, as it does its own.
        initial_state = [tf.zeros([BATCH_SIZE, size]) for size in sizes]
        outputs, final_state = _unroll(stack, weights, inputs, initial_state)
        outputs = tf.reshape(outputs, [-1, stack.layer_sizes[-1]])
        logits = tf.matmul(outputs, weights["logits/kernel"]) + weights["logits/bias"]
        softmax = tf.nn.softmax(logits / temperature)
        softmax = tf.reshape(softmax, [BATCH_SIZE, -1, num_labels], name="softmax")
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


def state_width(serialized: bytes) -> int | None:
    """How many numbers the state of a `MetaGraphDef` of Magenta's has.

    That tells how many outputs are attended to, which no variable shows.

    Returns:
      it; None where the graph has no state, as while it is trained, or no shapes.

    Raises:
      DamagedFile: it cannot be decoded, or contradicts itself.
    """
    try:
        meta = MetaGraphDef.FromString(serialized)
    except DecodeError as error:
        raise DamagedFile("its graph cannot be decoded") from error
    nodes = {node.name: node.attr for node in meta.graph_def.node}
    if not any("_output_shapes" in attributes for attributes in nodes.values()):
        return None
    found = set()
    for name in ("initial_state", "final_state"):
        tensors = meta.collection_def[name].node_list.value
        widths = [_width(nodes, tensor) for tensor in tensors]
        if widths and min(widths) > 0:  # else TensorFlow itself did not know them
            found.add(sum(widths))
    if len(found) > 1:
        raise DamagedFile("its graph contradicts itself about its state")
    return found.pop() if found else None


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


def _width(nodes: Mapping[str, Mapping], tensor: str) -> int:
    """The last dimension of a tensor of a graph, by its name; -1 if it is unknown."""
    name, _, output = tensor.partition(":")
    try:
        shape = nodes[name]["_output_shapes"].list.shape[int(output or 0)]
        return -1 if shape.unknown_rank else shape.dim[-1].size
    except (KeyError, IndexError, ValueError) as error:
        raise DamagedFile(f"its graph does not say the size of {tensor}") from error


def _variables(stack: RecurrentStack, num_labels: int) -> dict[str, tf.Tensor]:
    """Variables under melody_rnn's names, by ours."""
    shapes = stack.weight_shapes() | {
        "logits/kernel": (stack.layer_sizes[-1], num_labels),
        "logits/bias": (num_labels,),
    }
    names = magenta_names(shapes, stack.attends_all)
    variables = {}
    for ours, shape in shapes.items():
        stored_shape = (1, 1, *shape) if ours == _SEARCHED else shape
        variable = tf1.get_variable(
            names[ours],
            stored_shape,
            initializer=tf1.zeros_initializer(),
            use_resource=False,
        )
        variables[ours] = variable
        if ours == _SEARCHED:
            variables[ours] = tf.reshape(variable, shape)
    return variables


def _unroll(
    stack: RecurrentStack,
    weights: Mapping[str, tf.Tensor],
    inputs: tf.Tensor,
    initial_state: list[tf.Tensor],
) -> tuple[tf.Tensor, list[tf.Tensor]]:
    """Runs the cells over [B, T, inputs]: outputs [B, T, units], state after them."""
    num_steps = tf.shape(inputs)[1]
    by_step = tf.transpose(inputs, [1, 0, 2])
    read = tf.TensorArray(tf.float32, num_steps).unstack(by_step)
    written = tf.TensorArray(tf.float32, num_steps)
    start = stack.start(weights.__getitem__, tf.concat(initial_state, axis=1))

    def body(step: tf.Tensor, written: tf.TensorArray, state: StackState) -> tuple:
        x = tf.ensure_shape(read.read(step), [BATCH_SIZE, stack.input_size])
        output, state = stack.step(weights.__getitem__, x, state)
        return step + 1, written.write(step, output), state

    _, written, state = tf1.while_loop(
        lambda step, *_: step < num_steps, body, (tf.constant(0), written, start)
    )
    final = stack.finish(state)
    parts = tf.split(final, [size for _, size in stack.parts], axis=1)
    return tf.transpose(written.stack(), [1, 0, 2]), parts


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
