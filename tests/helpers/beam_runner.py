"""The mark of tests that need Apache Beam, and the runner that they take."""

import importlib.util

import pytest

RUNNER = "DirectRunner"

needs_beam = pytest.mark.skipif(
    importlib.util.find_spec("apache_beam") is None,
    reason="Apache Beam is not installed: pip install 'rl-tuner[beam]'",
)
