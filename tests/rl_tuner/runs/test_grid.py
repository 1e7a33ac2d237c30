import dataclasses
import pathlib

import pytest

from rl_tuner.config import RLTunerConfig
from rl_tuner.errors import UserError
from rl_tuner.metrics import Evaluation
from rl_tuner.reports import models as model_names
from rl_tuner.runs import grid, run_directory
from rl_tuner.runs.run_directory import RunSettings
from rl_tuner.system import whole_files

BASE = dataclasses.asdict(RLTunerConfig(discount_rate=0.25))


def make_run(directory, num_evaluated=10):
    config = dataclasses.asdict(RLTunerConfig(algorithm="g", seed=7))
    settings = RunSettings("melody", {}, "some/prior", 100, config)
    return grid.GridRun(
        directory=directory,
        model="g",
        c=0.5,
        settings=settings,
        prior=pathlib.Path("prior"),
        curve_every=10,
        num_samples=1,
        num_evaluated=num_evaluated,
        save_every=60.0,
    )


def test_grid_has_a_config_for_each_model_c_and_seed():
    configs = grid.grid_configs(
        ["pure_rl", "g"], [0.5, 2.0], [3, 4], lambda _: BASE, True
    )
    models = ["g", "g_reference", "pure_rl"]
    assert list(configs) == [
        (m, c, s) for s in (3, 4) for c in (0.5, 2.0) for m in models
    ]
    frozen, moved = configs["g", 2.0, 4], configs["g_reference", 2.0, 4]
    assert frozen == RLTunerConfig(
        algorithm="g", reward_scaler=0.5, discount_rate=0.25, seed=4
    )
    assert moved == dataclasses.replace(frozen, reference_g_update=True)
    for (model, _, _), config in configs.items():
        assert model_names.model_of(dataclasses.asdict(config)) == model


def test_unknown_algorithm_is_refused():
    with pytest.raises(UserError, match="unknown algorithm 'sarsa'; choose one"):
        grid.grid_configs(["q", "sarsa"], [0.5], [0], lambda _: BASE)


def test_run_is_complete_when_it_is_trained_and_measured(tmp_path):
    run = make_run(tmp_path)
    measuring = grid.STEPS_PER_EVALUATED * 10
    assert (run.is_complete, run.work) == (False, 100 + measuring)
    run_directory.write_evaluation(tmp_path, Evaluation(10, 7, {"a": 1.0}, {}, {}))
    assert (run.is_complete, run.work) == (False, 100 + measuring)
    whole_files.write_json(tmp_path / grid.TRAINED_NAME, {"steps": 100, "seconds": 2.5})
    assert (run.is_complete, run.work) == (True, 0)
    assert run.record()["training_seconds"] == 2.5
    # Measured on another number of sequences: only that is to be done again.
    more = make_run(tmp_path, num_evaluated=20)
    assert (more.is_complete, more.work) == (False, grid.STEPS_PER_EVALUATED * 20)


def test_damaged_curves_and_marks_of_a_run_are_refused(tmp_path):
    run = make_run(tmp_path)
    curves = tmp_path / "curves.csv"
    curves.write_text("step,loss\n0,2.5\n10,1.5\n")
    grid.mark_as_trained(run, 2.5)
    assert grid.read_curves(run) == [
        {"step": 0.0, "loss": 2.5},
        {"step": 10.0, "loss": 1.5},
    ]
    curves.write_text("step,loss\n0,2.5\n10,1.6\n")
    with pytest.raises(UserError, match=r"curves\.csv is damaged: it has another"):
        grid.read_curves(run)
    mark = tmp_path / grid.TRAINED_NAME
    mark.write_text(mark.read_text().replace("2.5", "3.5"))
    with pytest.raises(UserError, match=r"training\.json is damaged"):
        run.record()
