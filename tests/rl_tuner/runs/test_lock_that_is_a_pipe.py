"""A lock that is a pipe is refused; to open it would wait for a reader for ever."""

import os

import pytest

from rl_tuner.errors import UserError
from rl_tuner.runs import resuming


def test_lock_that_is_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / resuming.LOCK_NAME)
    with pytest.raises(UserError, match="cannot lock"):
        resuming.lock(tmp_path)


def test_lock_is_held_until_it_is_closed(tmp_path):
    with resuming.lock(tmp_path), pytest.raises(UserError, match="another process"):
        resuming.lock(tmp_path)
    resuming.lock(tmp_path).close()
