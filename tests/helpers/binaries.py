"""Runs the console scripts as a user does: in a process of their own."""

import os
import pathlib
import subprocess
import sys


def run_binary(name, *flags, cwd=None, timeout=300):
    """Runs an installed console script; returns the finished process."""
    script = pathlib.Path(sys.executable).with_name(name)
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    return subprocess.run(
        [str(script), *map(str, flags)],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def assert_refused(result, message):
    """The process ended with exit code 1 and one line that holds `message`."""
    assert result.returncode == 1, (result.returncode, result.stderr)
    lines = [
        line for line in result.stderr.splitlines() if line != "loading TensorFlow ..."
    ]
    assert len(lines) == 1, result.stderr
    assert ": error: " in lines[0]
    assert message in lines[0]
