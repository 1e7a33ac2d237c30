"""The checksum of TensorFlow's files, CRC-32C, fast enough for whole checkpoints."""

from __future__ import annotations

import functools
import math

import numpy as np

_POLYNOMIAL = 0x82F63B78  # Castagnoli's, bits reversed
_MASK_DELTA = 0xA282EAD8


def masked_crc32c(data: bytes) -> int:
    """The checksum as TensorFlow's tables and bundles store it: rotated and shifted."""
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + _MASK_DELTA) & 0xFFFFFFFF


def crc32c(data: bytes) -> int:
    """CRC-32C (RFC 3720, appendix B.4) of `data`.

    Bytes are read in lanes side by side, about as many as each is long, so that numpy
    does the work; the checksum is linear, so the lanes' results can be joined.
    """
    values = np.frombuffer(data, np.uint8)
    length = math.isqrt(len(values))
    lanes = len(values) // length if length else 0
    square = values[: lanes * length].reshape(lanes, length)
    # The last 32 lanes read zeros, each from a state of one bit: they show what
    # reading a whole lane does to a state.
    states = np.zeros(lanes + 32, np.uint32)
    states[lanes:] = 1 << np.arange(32, dtype=np.uint32)
    table = _table()
    for column in np.ascontiguousarray(square.T):
        low = states & 0xFF
        low[:lanes] ^= column
        states = (states >> 8) ^ table[low]
    shift = [int(state) for state in states[lanes:]]
    crc = 0xFFFFFFFF
    for state in states[:lanes].tolist():
        moved = state
        for bit in range(32):
            if crc >> bit & 1:
                moved ^= shift[bit]
        crc = moved
    for value in values[lanes * length :].tolist():
        crc = (crc >> 8) ^ int(table[(crc ^ value) & 0xFF])
    return crc ^ 0xFFFFFFFF


@functools.cache
def _table() -> np.ndarray:
    """What a byte in the low end of the state becomes: uint32 [256]."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = (table >> 1) ^ np.where(table & 1, np.uint32(_POLYNOMIAL), 0)
    return table.astype(np.uint32)
