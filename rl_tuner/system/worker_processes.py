"""Runs jobs in processes of their own, a few side by side."""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import multiprocessing.connection
import os
import pathlib
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from multiprocessing.connection import Connection
from typing import Any

from rl_tuner.errors import UserError

# What a job calls along the way, with anything that can be sent between processes.
Report = Callable[[Any], None]

# Seconds that a job has to end in good order when it is told to.
_PATIENCE = 60.0
_NEWS, _REFUSED, _DONE = range(3)


def run_side_by_side(
    function: Callable[[Any, Report], None],
    jobs: Mapping[str, Any],
    num_workers: int,
    listen: Callable[[str, Any], None],
    log_directory: str | os.PathLike,
) -> None:
    """Calls `function(job, report)` for each job in a fresh process.

    A fresh process, so that each has its own TensorFlow and leaves nothing in memory.
    If one fails or this process is interrupted, the others are ended.

    Args:
      function: of a module, so that another process can import it.
      jobs: by name, in the order in which they start.
      num_workers: how many run at a time.
      listen: called with (name, what the job reported).
      log_directory: what a job prints goes to `<name>.log` there.

    Raises:
      UserError: a job raised one, or its process died.
    """
    context = multiprocessing.get_context("spawn")
    waiting = list(jobs.items())
    running: dict[Connection, Any] = {}
    finished: set[str] = set()
    try:
        while waiting or running:
            while waiting and len(running) < num_workers:
                name, job = waiting.pop(0)
                log = pathlib.Path(log_directory) / f"{name}.log"
                ours, theirs = context.Pipe(duplex=False)
                process = context.Process(
                    target=_work,
                    args=(function.__module__, function.__name__, job, theirs, log),
                    name=name,
                )
                process.daemon = True
                with _interrupts_ignored():
                    process.start()
                theirs.close()
                running[ours] = process
            for connection in _ready(list(running)):
                process = running[connection]
                try:
                    kind, content = connection.recv()
                except EOFError:
                    process.join()
                    del running[connection]
                    if process.name not in finished:
                        raise UserError(_failure_of(process, log_directory)) from None
                    continue
                if kind == _REFUSED:
                    raise UserError(f"{process.name}: {content}")
                if kind == _DONE:
                    finished.add(process.name)
                else:
                    listen(process.name, content)
    finally:
        for process in running.values():
            process.terminate()
        for process in running.values():
            process.join(_PATIENCE)
            process.kill()
            process.join()


def _ready(connections: list[Connection]) -> list[Connection]:
    """Those that something has come from, or that were closed; waits for one."""
    ready = multiprocessing.connection.wait(connections)
    return [connection for connection in connections if connection in ready]


def _work(
    module: str, function: str, job: Any, connection: Connection, log: pathlib.Path
) -> None:
    """What the other process does."""
    with open(log, "ab") as file:
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    # Imported here, so that what TensorFlow says as it starts is in the log.
    work = getattr(importlib.import_module(module), function)
    # A report to a parent that is gone is a BrokenPipeError, which ends this too.
    try:
        work(job, lambda news: connection.send((_NEWS, news)))
    except UserError as error:
        connection.send((_REFUSED, str(error)))
    else:
        connection.send((_DONE, None))


@contextlib.contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Ctrl-C reaches all processes of a terminal, but only the parent is to heed it.

    What is ignored when a process starts stays ignored in it.
    """
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


def _failure_of(process: Any, log_directory: str | os.PathLike) -> str:
    code = process.exitcode
    cause = f"was killed by signal {-code}" if code < 0 else f"failed with code {code}"
    return (
        f"{process.name} {cause}; {log_directory}/{process.name}.log has what it said; "
        "the same command resumes with what is left"
    )
