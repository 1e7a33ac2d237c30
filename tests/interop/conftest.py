"""The environments of the real Magenta and magenta.js, as fixtures."""

import interop_environments
import pytest


@pytest.fixture(name="magenta_bin", scope="session")
def _magenta_bin():
    """The folder of Magenta's console scripts and its Python."""
    return interop_environments.magenta_bin()


@pytest.fixture(name="node_modules", scope="session")
def _node_modules():
    """The folder that holds @magenta/music."""
    return interop_environments.node_modules()
