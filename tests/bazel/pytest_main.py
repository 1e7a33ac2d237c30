"""Runs one test file by pytest, as `py_test` of Bazel needs it."""

import pathlib
import sys

import pytest

if __name__ == "__main__":
    settings = pathlib.Path(__file__).parents[2] / "pyproject.toml"
    flags = ["-c", str(settings), "-n", "0", "-p", "no:cacheprovider"]
    sys.exit(pytest.main([*flags, *sys.argv[1:]]))
