"""StringProcess: a process that does a job on strings, and is replaced if it dies."""

from __future__ import annotations

import collections
import contextlib
import json
import mmap
import multiprocessing.connection
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import IO, Any

from molecule_rnn.scoring.worker_job import News
from molecule_rnn.scoring.worker_main import (
    NO_STAGE,
    NOT_BEGUN,
    PROGRESS_BYTES,
)
from rl_tuner.errors import UserError
from rl_tuner.system import free_space

# A user's script need not guard its main part for these processes, as it would for
# multiprocessing's, and they load nothing of what it imports. They are a process group
# of their own because Ctrl-C and Ctrl-Z are for the parent to heed.
_PROGRAM = """
import os
os.setpgid(0, 0)
import json, sys
file = int(sys.argv[1])
start = json.loads(os.pread(file, os.fstat(file).st_size, int(sys.argv[2])))
sys.path[:] = start.pop("path")
from molecule_rnn.scoring.worker_main import main
main(**start)
"""
# Deaths that condemn a string: the first may be the doing of somebody else.
_DEATHS = 2
# Deaths in a row of processes that have not begun with a string.
_FAILED_STARTS = 3
# Seconds to end by itself for a process that has closed its output.
_PATIENCE = 1.0
# A string may wait longer than it may work: for a sleep, a program or a network.
WAITING_FACTOR = 3.0
# How often a process is looked at while it waits for so long.
_LOOKS = 30


class StringProcess:
    """A process, or the one that took its place. To be used from one thread."""

    def __init__(
        self,
        job: str,
        arguments: Mapping[str, Any],
        stages: Sequence[str],
        time_limit: float,
        news: News,
        most_in_a_row: int,
    ):
        """Starts the process; arguments as of `StringWorkers`."""
        self._stages = stages
        self._time_limit = time_limit
        self._news = news
        self._most_in_a_row = most_in_a_row
        self._is_closed = False
        self._is_overdue = False
        self._file = tempfile.TemporaryFile()  # noqa: SIM115, open as long as this
        self._file.truncate(PROGRESS_BYTES)
        self._memory = mmap.mmap(self._file.fileno(), PROGRESS_BYTES)
        self._progress = memoryview(self._memory).cast("q")
        self._start = {
            "job": job,
            "arguments": dict(arguments),
            "time_limit": time_limit,
            "progress_file": self._file.fileno(),
            "memory": free_space.available_bytes(),
        }
        self._popen = self._launch()

    @property
    def pid(self) -> int:
        """Of the process that now runs."""
        return self._popen.pid

    def work(self, texts: Sequence[str], skipped: Collection[int] = ()) -> list[Any]:
        """Results of the job on strings, without the skipped stages.

        Finds strings that kill the process, and the stages in which they do.

        Raises:
          UserError: it dies as it starts, or in one stage of string after string, or
            a stage of a user's own never succeeds.
          RuntimeError: it was closed.
        """
        results: list[Any] = [None] * len(texts)
        left = {index: (text, [*skipped]) for index, text in enumerate(texts)}
        deaths: collections.Counter[tuple[int, int]] = collections.Counter()
        failed_starts = 0
        while left:
            reply = self._ask(list(left.values()))
            if reply is not None:
                self._news.complain(reply["complaints"])
                num_done = sum(result is not None for result in reply["results"])
                self._news.count(reply["failures"], num_done)
                for index, result in zip(left, reply["results"], strict=True):
                    results[index] = result
                self._news.praise(self._done(left.values(), reply["results"]))
                break
            place, stage = self._progress
            cause = self._replace()
            if place == NOT_BEGUN:
                failed_starts += 1
                if failed_starts == _FAILED_STARTS:
                    raise UserError(
                        f"a process for strings {cause}, {failed_starts} times as it "
                        "starts; what it prints says why"
                    )
                continue
            failed_starts = 0
            index = list(left)[place]
            deaths[index, stage] += 1
            if deaths[index, stage] < _DEATHS:
                continue
            text, left_out = left[index]
            if stage == NO_STAGE:
                del left[index]
                self._news.condemn(f"parsing of {text!r:.80}", cause)
            else:
                left_out.append(stage)
                name = self._stages[stage]
                self._news.condemn(f"{name!r} of {text!r:.80}", cause, name)
                if self._news.condemned_in_a_row(name) >= self._most_in_a_row:
                    raise UserError(
                        f"{name!r} fails on string after string: on {text!r:.80} its "
                        f"process {cause}, twice; mend it, or leave it out"
                    )
        return results

    def _done(
        self, given: Iterable[tuple[str, Collection[int]]], results: Iterable[Any]
    ) -> set[str]:
        """The stages that a process went through on some string."""
        skipped = [
            left_out
            for (_, left_out), result in zip(given, results, strict=True)
            if result is not None
        ]
        return {
            name
            for stage, name in enumerate(self._stages)
            if any(stage not in left_out for left_out in skipped)
        }

    def close(self) -> None:
        """Ends the process, whatever it is doing; may be called from any thread."""
        self._is_closed = True
        self._kill(self._popen)
        self._popen.wait()

    def release(self) -> None:
        """Closes the files; nothing is to be worked on any more."""
        _close_pipes(self._popen)
        self._progress.release()
        self._memory.close()
        self._file.close()

    def _ask(self, request: list[Any]) -> Any:
        """The process' reply; None if it died, or waits for too long."""
        self._progress[0] = NOT_BEGUN
        stdin, stdout = _pipes(self._popen)
        try:
            stdin.write(json.dumps(request).encode() + b"\n")
            stdin.flush()
        except BrokenPipeError:
            return None
        reply, place, looks = b"", NOT_BEGUN, 0
        connection = stdout.fileno()
        patience = self._time_limit * WAITING_FACTOR / _LOOKS
        while not reply.endswith(b"\n"):
            if multiprocessing.connection.wait([connection], patience):
                if not (part := os.read(connection, 1 << 16)):
                    return None
                reply += part
            elif self._popen.poll() is not None:  # and a child holds its output open
                return None
            elif self._progress[0] != place:
                place, looks = self._progress[0], 0
            elif place != NOT_BEGUN and _is_waiting(self._popen.pid):
                looks += 1
                self._is_overdue = looks >= _LOOKS
                if self._is_overdue:
                    return None
        return json.loads(reply)

    def _replace(self) -> str:
        """Takes up another process; returns what the old one died of."""
        died, is_overdue = self._popen, self._is_overdue
        self._is_overdue = False
        if not is_overdue:
            with contextlib.suppress(subprocess.TimeoutExpired):
                died.wait(_PATIENCE)
        self._kill(died)
        code = died.wait()
        _close_pipes(died)
        if self._is_closed:
            raise RuntimeError("closed while strings were at work")
        self._popen = self._launch()
        if self._is_closed:  # in the meantime
            self.close()
        if is_overdue:
            return f"waited for more than {WAITING_FACTOR * self._time_limit:g} s"
        if code == -signal.SIGPROF:
            return f"took more than {self._time_limit:g} s of processor time"
        return f"ended with code {code}" if code >= 0 else f"died of signal {-code}"

    @staticmethod
    def _kill(process: subprocess.Popen[bytes]) -> None:
        """Kills a process, with those that it began and left."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()  # if it was not yet in a group of its own

    def _launch(self) -> subprocess.Popen[bytes]:
        # Behind the progress: of a command line a system takes no more than 128 KiB.
        start = json.dumps({**self._start, "path": sys.path}).encode()
        number = self._file.fileno()
        os.truncate(number, PROGRESS_BYTES + len(start))
        os.pwrite(number, start, PROGRESS_BYTES)
        return subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, str(number), str(PROGRESS_BYTES)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[number],
        )


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    """What a process reads, and what it writes: both were asked for."""
    assert process.stdin is not None
    assert process.stdout is not None
    return process.stdin, process.stdout


def _close_pipes(process: subprocess.Popen[bytes]) -> None:
    for pipe in _pipes(process):
        with contextlib.suppress(BrokenPipeError):  # of what was not yet sent
            pipe.close()


def _is_waiting(pid: int) -> bool:
    """Whether a process waits for anything but a processor or the disk.

    A busy machine makes others wait for those. Where it is not known, it counts as if.
    """
    states = set()
    with contextlib.suppress(OSError):  # a thread, or the process, has just ended
        for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
            states.add((thread / "stat").read_text().rpartition(")")[2].split()[0])
    return not states & {"R", "D"}
