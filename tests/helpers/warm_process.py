"""Runs scripts in forks of a process that has TensorFlow in memory.

To import it is most of what many small runs compute. Each run is still a process of its
own, with its flags, devices, folder and exit.

Each line of standard input is a run, {"argv", "cwd", "env", "out", "err", "timeout"} as
JSON; each line of the answer is its exit code.
"""

import atexit
import gc
import importlib
import json
import os
import pathlib
import runpy
import signal
import sys
import traceback

from rl_tuner.commands import cli

# Of others, and heavy. None starts TensorFlow's threads, which no fork would have.
LIBRARIES = ("tensorflow_probability", "matplotlib.pyplot", "scipy.stats")


def _become(job):
    """Makes of this process what the script is run in."""
    signal.setitimer(signal.ITIMER_REAL, job["timeout"])  # which ends it
    for number, path in enumerate((os.devnull, job["out"], job["err"])):
        os.dup2(os.open(path, os.O_RDWR), number)
    os.chdir(job["cwd"])
    # What importing TensorFlow left there.
    log_level = os.environ["TF_CPP_MIN_LOG_LEVEL"]
    os.environ.clear()
    os.environ.update({"TF_CPP_MIN_LOG_LEVEL": log_level} | job["env"])
    script = job["argv"][0]
    added = job["env"].get("PYTHONPATH", "").split(os.pathsep)
    # Python's first place is the script's folder: here it was that of this file.
    sys.path[0:1] = [str(pathlib.Path(script).parent), *filter(None, added)]
    sys.argv = job["argv"]


# As it is before the package tells of users' modules that call it: we are none.
_END = os._exit


def _run_and_exit(script):
    """As Python does, but for freeing all of memory, which takes a second."""
    code = 1
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        code = end.code or 0
    except BaseException:
        traceback.print_exc()
    else:
        code = 0
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    _END(code)


def _serve():
    requests, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    gc.freeze()  # else each fork would copy what it looks through
    for line in iter(requests.readline, ""):
        child = os.fork()
        if not child:
            job = json.loads(line)
            _become(job)
            _run_and_exit(job["argv"][0])
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), file=answers, flush=True)


if __name__ == "__main__":
    cli.load_tensorflow()
    for library in LIBRARIES:
        importlib.import_module(library)
    _serve()
