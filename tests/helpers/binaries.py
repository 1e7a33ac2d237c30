"""Runs the console scripts as a user does: in a process of their own."""

import functools
import json
import os
import pathlib
import subprocess
import sys
import tempfile


def run_binary(name, *flags, cwd=None, timeout=300, is_new=False):
    """Runs an installed console script; returns the finished process.

    With `is_new` the script starts Python as a user does. Otherwise it runs in a fork
    of a process that has imported TensorFlow, which is all that it spares: see
    `warm_process`.
    """
    command = [str(pathlib.Path(sys.executable).with_name(name)), *map(str, flags)]
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    if is_new or sys.platform != "linux":
        return subprocess.run(
            command,
            cwd=cwd,
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    temporary = functools.partial(tempfile.NamedTemporaryFile, "r")
    with temporary() as out, temporary() as err:
        job = {
            "argv": command,
            "cwd": str(cwd or pathlib.Path.cwd()),
            "env": environment,
            "out": out.name,
            "err": err.name,
            "timeout": timeout,
        }
        server = _warm_process()
        print(json.dumps(job), file=server.stdin, flush=True)
        code = int(server.stdout.readline())
        return subprocess.CompletedProcess(command, code, out.read(), err.read())


@functools.cache
def _warm_process():
    """One for each process of the tests."""
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    return subprocess.Popen(
        [sys.executable, str(pathlib.Path(__file__).with_name("warm_process.py"))],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def end_warm_process():
    """Ends it, if it was begun."""
    if _warm_process.cache_info().currsize:
        _warm_process().communicate()
        _warm_process.cache_clear()


def assert_refused(result, message):
    """The process ended with exit code 1 and one line that holds `message`."""
    assert result.returncode == 1, (result.returncode, result.stderr)
    lines = [
        line for line in result.stderr.splitlines() if line != "loading TensorFlow ..."
    ]
    assert len(lines) == 1, result.stderr
    assert ": error: " in lines[0]
    assert message in lines[0]
