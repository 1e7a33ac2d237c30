"""A run of a million steps holds no more memory at its end than near its beginning."""

import importlib.resources
import json
import os
import pathlib
import subprocess
import sys

import pytest

pytestmark = pytest.mark.death

SCRIPT = pathlib.Path(__file__).parents[2] / "helpers" / "memory_of_a_run.py"


@pytest.fixture(name="sizes", scope="module")
def _sizes(tmp_path_factory):
    model = importlib.resources.files("rl_tuner_checkpoints") / "note_rnn"
    done = subprocess.run(
        [sys.executable, SCRIPT, model, tmp_path_factory.mktemp("run"), "1000000"],
        env=os.environ,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_a_million_steps_hold_their_memory(sizes):
    (first_step, first), *_, (last_step, last) = sizes["training"]
    print(f"\n{first / 2**20:.0f} MiB after {first_step} steps, ", end="")
    print(f"{last / 2**20:.0f} MiB after {last_step}")
    assert (first_step, last_step) == (10_000, 1_000_000)
    assert abs(last - first) < 0.05 * first


def test_generating_and_evaluating_again_and_again_holds_its_memory(sizes):
    using = sizes["using"]
    first, last = using[5], using[-1]
    print(f"\n{first / 2**20:.0f} MiB, then {last / 2**20:.0f} MiB")
    assert last < 1.02 * first
