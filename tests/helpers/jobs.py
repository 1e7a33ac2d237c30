"""Jobs for tests of processes side by side; imported by those processes."""

import os
import time

from rl_tuner.errors import UserError


def work(job, report):
    """Does what `job` says, one word after another."""
    for word in job:
        if word == "print":
            print("from the job", flush=True)
        elif word == "pause":
            time.sleep(0.3)
        elif word == "refuse":
            raise UserError("the loss is nan")
        elif word == "die":
            os._exit(3)
        elif word == "hang":
            report(("pid", os.getpid()))
            time.sleep(600)
        report((word, time.monotonic()))
