"""What both sides of the comparison share: work on demand, over pipes.

Standard library only, since it runs in Magenta's environment too.
"""

import json
import os
import resource
import sys


def serve(side):
    """Answers each line {"work": name, ...arguments} with what `side.name()` gives.

    Answers are lines of JSON on the standard output that the process began with; what
    libraries print there goes to standard error.
    """
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        request = json.loads(line)
        result = getattr(side, request.pop("work"))(**request)
        answers.write(json.dumps(result) + "\n")
        answers.flush()


def peak_memory():
    """The most memory that this process has had so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
