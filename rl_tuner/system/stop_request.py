"""SIGINT, SIGTERM and SIGHUP as a request to stop soon, with everything saved."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Any


class Stopped(Exception):
    """A run stopped where it was asked to, and was saved at `step`."""

    def __init__(self, step: int):
        super().__init__(f"stopped at step {step}")
        self.step = step


class StopRequest:
    """While it is entered, the first of the signals only sets `signal_number`.

    One that is ignored, as SIGHUP under nohup, stays ignored. A second one ends the
    process as it would have without this.
    """

    def __init__(self) -> None:
        self.signal_number: int | None = None
        self._is_at_once = False
        self._previous: dict[int, Any] = {}

    def __call__(self) -> bool:
        """Whether a stop was requested."""
        return self.signal_number is not None

    @contextlib.contextmanager
    def at_once(self) -> Iterator[None]:
        """While it is entered, a request is a KeyboardInterrupt too."""
        self._is_at_once = True
        try:
            if self():
                raise KeyboardInterrupt
            yield
        finally:
            self._is_at_once = False

    def __enter__(self) -> StopRequest:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            previous = signal.signal(number, self._note)
            if previous == signal.SIG_IGN and number == signal.SIGHUP:
                signal.signal(number, previous)
            else:
                self._previous[number] = previous
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._restore()

    def _note(self, number: int, frame: FrameType | None) -> None:
        del frame
        self.signal_number = number
        self._restore()
        if self._is_at_once:
            raise KeyboardInterrupt

    def _restore(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous.clear()


@contextlib.contextmanager
def stopping(directory: str | os.PathLike) -> Iterator[StopRequest]:
    """While it is entered, signals ask to stop; `Stopped` ends the process.

    The exit code is that of a process which the signal ended: 130 or 143.

    Args:
      directory: the --output_dir that the same command resumes in.
    """
    with StopRequest() as stop:
        try:
            yield stop
        except Stopped as stopped:
            print(f"{stopped}; --output_dir={directory} resumes from there")
            # It may have been another process of the training that was asked.
            sys.exit(128 + (stop.signal_number or signal.SIGTERM))
