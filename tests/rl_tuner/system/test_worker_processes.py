import os
import time

import jobs
import pytest

from rl_tuner.errors import UserError
from rl_tuner.system.worker_processes import run_side_by_side


class Listener:
    def __init__(self):
        self.heard = {}

    def __call__(self, name, news):
        self.heard.setdefault(name, []).append(news)


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_all_jobs_are_done_and_no_more_at_a_time_than_asked_for(tmp_path):
    listener = Listener()
    work = {name: ["begin", "print", "pause", "end"] for name in "abc"}
    run_side_by_side(jobs.work, work, 2, listener, tmp_path)
    assert sorted(listener.heard) == ["a", "b", "c"]
    times = {name: dict(news) for name, news in listener.heard.items()}
    begins = sorted((times[name]["begin"], name) for name in times)
    assert begins[-1][1] == "c"
    assert begins[-1][0] > min(times[name]["end"] for name in "ab")
    assert (tmp_path / "b.log").read_text() == "from the job\n"


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("refuse", "bad: the loss is nan"),
        ("die", r"bad failed with code 3; .*bad\.log has what it said"),
    ],
)
def test_failure_is_told_and_ends_the_others(tmp_path, word, message):
    listener = Listener()
    work = {"other": ["hang"], "bad": ["pause", "pause", word]}
    with pytest.raises(UserError, match=message):
        run_side_by_side(jobs.work, work, 2, listener, tmp_path)
    for news in listener.heard.get("other", []):
        assert not is_alive(news[1])


def test_killed_job_is_told(tmp_path):
    def kill(name, news):
        os.kill(news[1], 9)

    with pytest.raises(UserError, match="it was killed by signal 9"):
        run_side_by_side(jobs.work, {"it": ["hang"]}, 1, kill, tmp_path)


def test_interrupt_ends_the_jobs(tmp_path):
    pids = []

    def interrupt(name, news):
        pids.append(news[1])
        raise KeyboardInterrupt

    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_side_by_side(jobs.work, {"it": ["hang"]}, 1, interrupt, tmp_path)
    assert time.monotonic() - start < 60
    assert not is_alive(pids[0])
