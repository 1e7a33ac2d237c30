"""Our reader of TensorFlow's checkpoints, against TensorFlow's own."""

import io
import struct

import numpy as np
import pytest
import tensorflow as tf
from reference import REFERENCE, needs_reference

from rl_tuner.formats.tf1_checkpoints import V1Checkpoint, open_checkpoint
from rl_tuner.formats.tf1_tables import DamagedFile, masked_crc32c


@pytest.mark.parametrize("length", [0, 1, 4097])
def test_checksums_are_tensorflows(tmp_path, length):
    data = np.random.default_rng(length).bytes(length)
    path = tmp_path / "records"
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(data)
    assert struct.unpack("<I", path.read_bytes()[-4:]) == (masked_crc32c(data),)


TENSORS = {
    "a/kernel": np.random.default_rng(0).normal(size=[70, 1000]).astype(np.float32),
    "a/kernel/Adam": np.zeros([70, 1000], np.float32),
    "a/double": np.arange(6.0).reshape(2, 3),
    "a/scalar": np.float32(0.25),
    "global_step": np.int64(7),
    **{f"b/{index:03}": np.full([3], index, np.float32) for index in range(300)},
}


def _write(path, version):
    names = list(TENSORS)
    if version == 1:
        tf.raw_ops.SaveSlices(
            filename=path,
            tensor_names=names,
            shapes_and_slices=[""] * len(names),
            data=list(TENSORS.values()),
        )
    else:
        tf.raw_ops.SaveV2(
            prefix=path,
            tensor_names=names,
            shape_and_slices=[""] * len(names),
            tensors=list(TENSORS.values()),
        )


@pytest.mark.parametrize("version", [1, 2])
def test_reads_what_tensorflow_reads(tmp_path, version):
    path = str(tmp_path / "model.ckpt")
    _write(path, version)
    reader = tf.train.load_checkpoint(path)
    floats = [name for name in TENSORS if name != "global_step"]
    with open_checkpoint(path) as checkpoint:
        assert checkpoint.format == f"TensorFlow V{version}"
        assert checkpoint.shapes == {
            name: tuple(shape)
            for name, shape in reader.get_variable_to_shape_map().items()
        }
        for name, value in checkpoint.tensors(floats).items():
            np.testing.assert_array_equal(value, reader.get_tensor(name))
            assert value.dtype == np.float32
        with pytest.raises(DamagedFile, match="global_step does not hold floating"):
            checkpoint.tensors(["global_step"])


@needs_reference
def test_reads_a_checkpoint_of_2016():
    path = str(REFERENCE / "note_rnn_paper" / "model.ckpt-1994")
    reader = tf.train.load_checkpoint(path)
    with open_checkpoint(path) as checkpoint:
        names = [name for name, shape in checkpoint.shapes.items() if shape]
        assert len(names) == 8
        for name, value in checkpoint.tensors(names).items():
            np.testing.assert_array_equal(value, reader.get_tensor(name))


def test_reads_from_memory(tmp_path):
    path = tmp_path / "model.ckpt"
    _write(str(path), 1)
    checkpoint = V1Checkpoint(io.BytesIO(path.read_bytes()))
    value = checkpoint.tensors(["a/kernel"])["a/kernel"]
    np.testing.assert_array_equal(value, TENSORS["a/kernel"])


def test_flips_beside_what_is_read_do_not_matter(tmp_path):
    """A damaged optimizer slot costs nobody their model."""
    path = tmp_path / "model.ckpt"
    _write(str(path), 2)
    with open_checkpoint(str(path)) as checkpoint:
        entry = checkpoint._entries["a/kernel/Adam"]
    data_path = tmp_path / "model.ckpt.data-00000-of-00001"
    data = bytearray(data_path.read_bytes())
    data[entry.offset + 5] ^= 1
    data_path.write_bytes(data)
    with open_checkpoint(str(path)) as checkpoint:
        value = checkpoint.tensors(["a/kernel"])["a/kernel"]
        np.testing.assert_array_equal(value, TENSORS["a/kernel"])
        with pytest.raises(DamagedFile, match="checksum of a/kernel/Adam is wrong"):
            checkpoint.tensors(["a/kernel/Adam"])


def test_partitioned_variables_are_refused(tmp_path):
    path = str(tmp_path / "model.ckpt")
    tf.raw_ops.SaveV2(
        prefix=path,
        tensor_names=["part"],
        shape_and_slices=["4 3 0,2:-"],
        tensors=[np.zeros([2, 3], np.float32)],
    )
    with open_checkpoint(path) as checkpoint, pytest.raises(DamagedFile, match="part"):
        checkpoint.tensors(["part"])


def test_tensors_that_lie_over_each_other_are_refused(tmp_path):
    """Many names for the same bytes could ask for any amount of memory."""
    path = str(tmp_path / "model.ckpt")
    _write(path, 2)
    with open_checkpoint(path) as checkpoint:
        entry = checkpoint._entries["a/kernel"]
        names = [f"more/{index}" for index in range(5)]
        for name in names:
            checkpoint._entries[name] = entry
            checkpoint.shapes[name] = (70, 1000)
        assert len(checkpoint.tensors(names[:2])) == 2
        with pytest.raises(DamagedFile, match="larger than its data files"):
            checkpoint.tensors(names)
