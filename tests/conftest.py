"""Makes the modules in helpers/ and benchmarks/ importable from every test."""

import gc
import os
import pathlib
import sys

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# Not this folder itself: its rl_tuner/ would pass for the package.
for _folder in ("benchmarks", "helpers"):
    sys.path.insert(0, str(pathlib.Path(__file__).parent / _folder))


def pytest_collection_finish():
    """What was imported stays; to look through all of it for garbage takes long."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _end_warm_process():
    """While coverage still counts what it did."""
    yield
    import binaries

    binaries.end_warm_process()
