"""Where the golden outputs of Magenta lie, and the mark for tests that need them."""

import pathlib

import pytest

REFERENCE = pathlib.Path(__file__).parents[3] / "shared" / "reference"

needs_reference = pytest.mark.skipif(
    not REFERENCE.is_dir(), reason=f"Magenta's golden outputs are not at {REFERENCE}"
)
