"""What is left of too few molecules is JSON, to any reader."""

import json
import math

import pytest

from molecule_rnn.scoring.molecule_statistics import molecule_stats, profile_workers
from molecule_rnn.table2 import table2_metrics, table2_standard_errors
from rl_tuner.metrics import Evaluation
from rl_tuner.runs import run_directory
from rl_tuner.system import whole_files


@pytest.mark.parametrize("smiles", [["CCO", "CC"], ["C("], ["CCO"]])
def test_what_is_not_known_is_null(smiles, tmp_path):
    stats = molecule_stats(smiles, profile_workers(len(smiles)))
    metrics = table2_metrics(stats)
    evaluation = Evaluation(
        len(smiles), 0, metrics, table2_standard_errors(stats), stats
    )
    assert math.isnan(metrics["unique_at_10k"])
    run_directory.write_evaluation(tmp_path, evaluation)
    path = tmp_path / run_directory.METRICS_NAME
    whole_files.write_json(path, {"before": metrics, "after": [math.inf, 1.5]})
    for name in (run_directory.METRICS_NAME, run_directory.EVALUATION_NAME):
        text = (tmp_path / name).read_text()
        found = json.loads(text, parse_constant=lambda constant: pytest.fail(constant))
    assert found["metrics"]["unique_at_10k"] is None
    assert json.loads(path.read_text())["after"] == [None, 1.5]
    again = run_directory.read_evaluation(tmp_path)
    for ours, theirs in (
        (again.metrics, metrics),
        (again.standard_errors, evaluation.standard_errors),
    ):
        assert ours == pytest.approx(theirs, nan_ok=True)
