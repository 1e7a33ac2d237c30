"""Reads the sorted tables that TensorFlow's checkpoints are made of.

TensorFlow's own reader ends the process, or asks for any amount of memory, when such a
file is damaged; this one checks every length and checksum before it believes it. The
format is that of LevelDB: blocks of entries whose keys share prefixes, an index block
of where the others are, and a footer of where the index is.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

import google_crc32c

MAGIC = struct.pack("<Q", 0xDB4775248B80FB57)
_FOOTER_SIZE = 48
_TRAILER_SIZE = 5  # of a block: how it is compressed, and its checksum
_LONGEST_KEY = 4096
_MASK_DELTA = 0xA282EAD8  # of the checksums, as in LevelDB's util/crc32c.h


class DamagedFile(Exception):
    """The file is not what it should be; the message says how, in a few words."""


def is_table(file: BinaryIO) -> bool:
    """Whether a file ends as a table does."""
    size = file.seek(0, 2)
    if size < _FOOTER_SIZE:
        return False
    file.seek(size - len(MAGIC))
    return file.read(len(MAGIC)) == MAGIC


def read_table(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """The entries of a table, key and value, in the order of their keys.

    Never holds more than the file's largest block and a copy of it.

    Raises:
      DamagedFile: it is no table, or a length or checksum in it is wrong.
    """
    if not is_table(file):
        raise DamagedFile("it has not the ending of a TensorFlow checkpoint")
    size = file.seek(0, 2)
    file.seek(size - _FOOTER_SIZE)
    footer = file.read(_FOOTER_SIZE)
    _, _, position = _handle(footer, 0)
    offset, length, _ = _handle(footer, position)
    left = size
    for _, value in _entries(_block(file, offset, length, size)):
        offset, length, _ = _handle(value, 0)
        left -= length  # blocks that overlap could be read for ever
        if left < 0:
            raise DamagedFile("its index is damaged")
        yield from _entries(_block(file, offset, length, size))


def masked_crc32c(data: bytes) -> int:
    """CRC-32C as TensorFlow's tables and bundles store it: rotated and shifted."""
    crc = google_crc32c.value(data)
    return (((crc >> 15) | (crc << 17)) + _MASK_DELTA) & 0xFFFFFFFF


def _block(file: BinaryIO, offset: int, length: int, size: int) -> bytes:
    if offset + length + _TRAILER_SIZE > size:
        raise DamagedFile("it is cut short, or its index is damaged")
    file.seek(offset)
    block = file.read(length + _TRAILER_SIZE)
    compression, checksum = struct.unpack("<BI", block[length:])
    if masked_crc32c(block[: length + 1]) != checksum:
        raise DamagedFile(f"the checksum of the block at byte {offset} is wrong")
    if compression:
        raise DamagedFile("it is compressed, which TensorFlow's checkpoints are not")
    return block[:length]


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    if len(block) < 4:
        raise DamagedFile("a block is too short")
    (restarts,) = struct.unpack("<I", block[-4:])
    end = len(block) - 4 - 4 * restarts
    if end < 0:
        raise DamagedFile("a block is too short")
    position, key = 0, b""
    while position < end:
        shared, position = _varint(block, position)
        unshared, position = _varint(block, position)
        length, position = _varint(block, position)
        value_at = position + unshared
        if shared > len(key) or value_at + length > end:
            raise DamagedFile("an entry is longer than its block")
        if shared + unshared > _LONGEST_KEY:
            raise DamagedFile(f"a name has {shared + unshared} characters")
        key = key[:shared] + block[position:value_at]
        position = value_at + length
        yield key, block[value_at:position]


def _handle(data: bytes, position: int) -> tuple[int, int, int]:
    """Offset and length of a block, and where what follows them starts."""
    offset, position = _varint(data, position)
    length, position = _varint(data, position)
    return offset, length, position


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 64, 7):
        if position >= len(data):
            break
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise DamagedFile("a number in it is damaged")
