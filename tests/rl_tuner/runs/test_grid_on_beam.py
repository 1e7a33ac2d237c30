"""A grid that Beam carries out leaves what one leaves that this machine does."""

import dataclasses
import json

import numpy as np
import pytest
from beam_runner import RUNNER, needs_beam

from rl_tuner.config import RLTunerConfig
from rl_tuner.errors import UserError
from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.runs import grid, grid_training
from rl_tuner.runs.run_directory import RunSettings


def _run(output_dir, steps=60):
    SequenceRNN(38, (4,)).save(output_dir / "prior")
    (output_dir / "logs").mkdir()
    config = dataclasses.asdict(RLTunerConfig(exploration_steps=30))
    settings = RunSettings("melody", {"num_notes_in_melody": 8}, "", steps, config)
    return grid.GridRun(
        directory=output_dir / "runs" / "psi_c0.5_seed0",
        model="psi",
        c=0.5,
        settings=settings,
        prior=output_dir / "prior",
        curve_every=60,
        num_samples=1,
        num_evaluated=20,
        save_every=60.0,
    )


@needs_beam
def test_beam_leaves_the_same(tmp_path):
    for name in ("here", "beam"):
        (tmp_path / name).mkdir()
    here, beam = _run(tmp_path / "here"), _run(tmp_path / "beam")
    prior = SequenceRNN.load(here.prior)
    prior.save(beam.prior)
    grid_training.carry_out_grid([here], 1, tmp_path / "here" / "logs")
    grid_training.carry_out_grid_on_beam([beam], tmp_path / "beam", RUNNER)
    assert beam.is_complete
    for name in ("q_network", "reward_rnn"):
        ours, theirs = (
            np.load(run.directory / name / "weights.npz") for run in (here, beam)
        )
        for key in ours.files:
            np.testing.assert_array_equal(ours[key], theirs[key])
    evaluations = [
        json.loads((run.directory / "evaluation.json").read_text())
        for run in (here, beam)
    ]
    assert evaluations[0] == evaluations[1]
    assert beam.record()["training_seconds"] > 0


@needs_beam
def test_a_run_that_fails_is_named(tmp_path):
    run = _run(tmp_path)
    (run.prior / "weights.npz").unlink()
    with pytest.raises(UserError, match=r"^psi_c0.5_seed0: psi_c0.5_seed0: .*weights"):
        grid_training.carry_out_grid_on_beam([run], tmp_path, RUNNER)
