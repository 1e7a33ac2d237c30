"""Curves for TensorBoard, which a run can do without where they cannot be written."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable, Mapping

import tensorflow as tf


class TensorBoardCurves:
    """Writes scalars, until that fails: TensorFlow's writer does not recover."""

    def __init__(self, directory: pathlib.Path, warn: Callable[[str], None]):
        """Names the directory; `warn` is called with a line on a failure."""
        self._directory = directory
        self._warn = warn
        self._has_failed = False
        self._writer: tf.summary.SummaryWriter | None = None

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Adds a point to each of the curves, by name."""
        if self._has_failed:
            return
        try:
            if self._writer is None:
                # Bytes, since names of files may be of any encoding.
                path = os.fsencode(self._directory)
                self._writer = tf.summary.create_file_writer(path)
            with self._writer.as_default(step):
                for name, value in values.items():
                    tf.summary.scalar(name, value)
            self._writer.flush()
        except tf.errors.OpError as error:
            self._has_failed = True
            self._writer = None
            reason = error.message.splitlines()[0].rpartition("}} ")[2]
            self._warn(
                f"TensorBoard's curves end at step {step}: {reason}; training "
                "continues, and curves.csv will have them all"
            )
