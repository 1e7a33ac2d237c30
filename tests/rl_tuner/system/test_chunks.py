import threading

import pytest

from rl_tuner.system.chunks import map_chunks


def test_results_are_in_the_order_of_the_chunks_and_two_are_under_way():
    both = threading.Barrier(2, timeout=30)

    def work(chunk):
        both.wait()  # goes on when another has come as far
        return -chunk

    assert map_chunks(work, range(6)) == [0, -1, -2, -3, -4, -5]


def test_chunk_that_fails_is_told():
    with pytest.raises(ZeroDivisionError):
        map_chunks(lambda chunk: 1 / chunk, [1, 0, 2])
