"""A save that is killed before any of its calls leaves an earlier one, or itself."""

import builtins
import functools
import itertools
import os
import signal

import numpy as np
import pytest

from rl_tuner.system import saves

# What changes files; each is where a kill may come in between.
CALLS = ("mkdir", "rename", "replace", "fsync", "unlink", "rmdir")


def _killed_before(number, work):
    """Does work in a fork that is killed before its call of this number.

    Returns whether it was: there may be fewer calls.
    """
    child = os.fork()
    if not child:
        counter = itertools.count()

        def counted(function):
            def call(*args, **how):
                if next(counter) == number:
                    os.kill(os.getpid(), signal.SIGKILL)
                return function(*args, **how)

            return call

        for name in CALLS:
            setattr(os, name, counted(getattr(os, name)))
        builtins.open = counted(open)
        work()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == -signal.SIGKILL


def _save(directory, step):
    saves.save(directory, step, {"n": np.full(3, step)}, {"step": step})


@pytest.mark.parametrize("before", [0, 1, 3])
def test_save_killed_before_any_call_is_whole_or_not_there(tmp_path, before):
    for number in itertools.count():
        directory = tmp_path / str(number)
        for step in range(1, before + 1):
            _save(directory, step)
        save = functools.partial(_save, directory, before + 1)
        if not _killed_before(number, save):
            break
        warnings = []
        saved = saves.load_latest(directory, warnings.append)
        assert warnings == []
        if saved is None:
            assert before == 0
        else:
            assert before <= saved.step <= before + 1
            np.testing.assert_array_equal(saved.arrays["n"], np.full(3, saved.step))
        _save(directory, before + 2)  # the resumed run goes on
        assert saves.load_latest(directory).step == before + 2
        assert len(list(directory.glob("step_*"))) <= saves.KEPT
        assert not list(directory.glob(".unfinished*"))
    assert number >= 8
