"""What a process of `StringWorkers` does; it never imports TensorFlow."""

from __future__ import annotations

import contextlib
import importlib
import json
import mmap
import os
import resource
import signal
import sys
import threading
import time
from typing import Any

from rl_tuner import user_code

# Where a process is: the place of a string among those it was given, and the stage of
# the job on it. Two int64 that it shares with its parent, who reads them when it died.
PROGRESS_BYTES = 16
NOT_BEGUN = -1
NO_STAGE = -1
# Bytes that a process may take however little is free: RDKit and a user's imports.
_LEAST_MEMORY = 1 << 30


def main(
    job: str,
    arguments: dict[str, Any],
    progress_file: int,
    time_limit: float,
    memory: int,
) -> None:
    """Answers requests on standard input, a line of JSON each, until it is closed.

    Args:
      job: `module:factory`, which makes the job of the arguments.
      arguments: of the factory.
      progress_file: an open file of `PROGRESS_BYTES`.
      time_limit: seconds of processor time for one string; the kernel ends a process
        that takes more, whatever it is doing.
      memory: bytes that the process may take.
    """
    threading.Thread(target=_end_with, args=[os.getppid()], daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # what is raised is the job's own
    _limit_memory(memory)
    # What a user's function prints or reads must not get into the conversation.
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.dup2(2, 1)
    progress = memoryview(mmap.mmap(progress_file, PROGRESS_BYTES)).cast("q")

    def begin(stage: int) -> None:
        # Who closed it is to be blamed, and not what comes next.
        os.fstat(replies.fileno())
        progress[1] = stage

    module, _, factory = job.partition(":")
    work = getattr(importlib.import_module(module), factory)(**arguments)
    for line in requests:
        results = []
        for index, (text, skipped) in enumerate(json.loads(line)):
            signal.setitimer(signal.ITIMER_PROF, time_limit)
            progress[1] = NO_STAGE
            progress[0] = index
            results.append(work(text, skipped, begin))
            user_code.end_fork()
            os.fstat(replies.fileno())
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        progress[0] = NOT_BEGUN
        reply = {
            "results": results,
            "complaints": work.complaints,
            "failures": work.failures,
        }
        replies.write(json.dumps(reply).encode() + b"\n")
        replies.flush()
        work.complaints.clear()
        work.failures.clear()
    sys.stdout.flush()


def _end_with(parent: int) -> None:
    """Ends this process, and what it has begun, when nobody is left to answer."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os.killpg(os.getpid(), signal.SIGKILL)


def _limit_memory(num_bytes: int) -> None:
    """What takes all memory fails in its own process, and not what else runs here."""
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    num_bytes = max(num_bytes, _LEAST_MEMORY)
    if most != resource.RLIM_INFINITY:
        num_bytes = min(num_bytes, most)
    with contextlib.suppress(ValueError, OSError):  # a system that knows no such limit
        resource.setrlimit(resource.RLIMIT_DATA, (num_bytes, most))
