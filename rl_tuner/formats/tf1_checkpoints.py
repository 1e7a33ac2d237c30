"""Reads TensorFlow 1 checkpoints of both formats, without TensorFlow's own reader.

V1 is one file, a table of slices of tensors. V2 is a table `PREFIX.index` of where each
tensor lies in the raw files `PREFIX.data-*`. See `tf1_tables` for why.
"""

from __future__ import annotations

import contextlib
import math
import os
import pathlib
from collections.abc import Collection, Iterable, Iterator
from typing import Any, BinaryIO

import numpy as np
from google.protobuf.message import DecodeError, Message
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf.tensor_bundle_pb2 import (
    BundleEntryProto,
    BundleHeaderProto,
)
from tensorflow.core.util.saved_tensor_slice_pb2 import SavedTensorSlices

from rl_tuner.formats.tf1_tables import DamagedFile, masked_crc32c, read_table

V1, V2 = "TensorFlow V1", "TensorFlow V2"
_FLOATS: dict[int, np.dtype] = {
    types_pb2.DT_FLOAT: np.dtype("<f4"),
    types_pb2.DT_DOUBLE: np.dtype("<f8"),
}


class V1Checkpoint:
    """A checkpoint that is one file.

    Attributes:
      shapes: of its variables, by name.
    """

    format = V1

    def __init__(self, file: BinaryIO):
        """Reads what the file holds.

        Raises:
          DamagedFile: it is no V1 checkpoint, or it is damaged.
        """
        self._file = file
        self._types: dict[str, int] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        key, value = next(read_table(file), (None, b""))
        if key != b"":
            raise DamagedFile("it has no list of variables")
        for tensor in _parse(SavedTensorSlices, value).meta.tensor:
            self.shapes[tensor.name] = _shape(tensor.shape)
            self._types[tensor.name] = tensor.type

    def tensors(self, names: Iterable[str]) -> dict[str, np.ndarray]:
        """The values of variables, floats; reads the file once.

        Raises:
          DamagedFile: one is damaged, in parts, or not of floats.
        """
        # A slice's key: a zero, so that it sorts after the list, its name, an end mark.
        wanted = {b"\0" + name.encode() + b"\0\1": name for name in names}
        found: dict[str, np.ndarray] = {}
        for key, value in read_table(self._file):
            name = wanted.get(key[: key.find(b"\0\1", 1) + 2])
            if name is None:
                continue
            shape, dtype = self.shapes[name], _dtype(name, self._types[name])
            stored = _parse(SavedTensorSlices, value).data.data
            values = stored.double_val if dtype.itemsize == 8 else stored.float_val
            # What is stored, not what the list claims, decides on the memory.
            if name in found or len(values) != math.prod(shape):
                raise DamagedFile(f"{name} is stored in parts, or not whole")
            array = np.fromiter(values, np.float32, len(values))
            found[name] = array.reshape(shape)
        return _all_of(wanted.values(), found)


class V2Checkpoint:
    """A checkpoint of an index and data files.

    Attributes:
      shapes: of its variables, by name.
    """

    format = V2

    def __init__(self, prefix: str):
        """Reads what the index lists.

        Raises:
          DamagedFile: it is no index, or it is damaged.
          OSError: it cannot be read.
        """
        self._prefix = prefix
        self._entries: dict[str, BundleEntryProto] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self._shards = 0
        with open(f"{prefix}.index", "rb") as file:
            for key, value in read_table(file):
                if not key:
                    header = _parse(BundleHeaderProto, value)
                    self._shards = header.num_shards
                    if header.endianness != BundleHeaderProto.LITTLE:
                        raise DamagedFile("it was written by a big-endian machine")
                    continue
                entry = _parse(BundleEntryProto, value)
                name = key.decode("utf-8", "replace")
                self._entries[name] = entry
                self.shapes[name] = _shape(entry.shape)
        if not self._shards:
            raise DamagedFile("it has no header")

    def tensors(self, names: Collection[str]) -> dict[str, np.ndarray]:
        """The values of variables, floats.

        Raises:
          DamagedFile: one is damaged, in parts, or not of floats.
          OSError: a data file cannot be read.
        """
        entries = [self._entries[name] for name in names]
        held = sum(os.path.getsize(path) for path in set(map(self._path, entries)))
        if sum(entry.size for entry in entries) > held:
            raise DamagedFile("its variables are larger than its data files")
        return {name: self._tensor(name) for name in names}

    def _path(self, entry: BundleEntryProto) -> str:
        """The data file that a tensor lies in."""
        return f"{self._prefix}.data-{entry.shard_id:05d}-of-{self._shards:05d}"

    def _tensor(self, name: str) -> np.ndarray:
        entry, shape = self._entries[name], self.shapes[name]
        if entry.slices:
            raise DamagedFile(f"{name} is stored in parts")
        path = self._path(entry)
        dtype = _dtype(name, entry.dtype)
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            length = math.prod(shape) * dtype.itemsize
            is_inside = 0 <= entry.offset <= size - length
            if entry.size != length or not is_inside:
                raise DamagedFile(f"{name} is not whole; {path} is cut short")
            file.seek(entry.offset)
            data = file.read(length)
        if masked_crc32c(data) != entry.crc32c:
            raise DamagedFile(f"the checksum of {name} is wrong")
        return np.frombuffer(data, dtype).reshape(shape).astype(np.float32)


@contextlib.contextmanager
def open_checkpoint(prefix: str) -> Iterator[V1Checkpoint | V2Checkpoint]:
    """The checkpoint of a prefix: `PREFIX.index` and its data, or the file `PREFIX`.

    Raises:
      DamagedFile: it is no checkpoint, or it is damaged.
      OSError: it cannot be read.
    """
    if pathlib.Path(f"{prefix}.index").is_file():
        yield V2Checkpoint(prefix)
    else:
        with open(prefix, "rb") as file:
            yield V1Checkpoint(file)


def _parse(message_type: type[Message], data: bytes) -> Any:
    try:
        return message_type.FromString(data)
    except DecodeError as error:
        raise DamagedFile("an entry of it cannot be decoded") from error


def _shape(shape: Any) -> tuple[int, ...]:
    sizes = tuple(dimension.size for dimension in shape.dim)
    if any(size < 0 for size in sizes):
        raise DamagedFile(f"a variable has the shape {list(sizes)}")
    return sizes


def _dtype(name: str, number: int) -> np.dtype:
    if number not in _FLOATS:
        raise DamagedFile(f"{name} does not hold floating point numbers")
    return _FLOATS[number]


def _all_of(
    names: Iterable[str], found: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    for name in names:
        if name not in found:
            raise DamagedFile(f"{name} is listed but not there")
    return found
