"""A scoring function is seen in all that is left of molecules, and in the reward."""

import csv

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import QED, rdMolDescriptors
from tiny_smiles_rnn import tiny_smiles_rnn

from molecule_rnn.scoring.rewards import scoring_of_flags
from molecule_rnn.world import MoleculeWorld
from rl_tuner.errors import UserError

STRINGS = ["CCO", "C(", "c1ccccc1", "CC(=O)O"]
SCORING = {
    "mean": "arithmetic",
    "component": [
        {"property": "qed"},
        {"property": "tpsa", "transform": "clip", "upper": 50.0, "weight": 3.0},
    ],
}


@pytest.fixture(scope="module")
def task():
    return MoleculeWorld().make_task({"scoring": SCORING}, tiny_smiles_rnn())


@pytest.fixture(scope="module")
def expected():
    molecules = [Chem.MolFromSmiles(STRINGS[row]) for row in (0, 2, 3)]
    tpsa = np.array([rdMolDescriptors.CalcTPSA(molecule) for molecule in molecules])
    qed = np.array([QED.qed(molecule) for molecule in molecules])
    return {"tpsa": tpsa, "score": (qed + 3 * np.minimum(tpsa / 50, 1)) / 4}


def test_rows_and_errors(task, expected):
    judgement = task.judge(task.from_lines(STRINGS))
    for name, values in expected.items():
        mean, error = np.mean(values), np.std(values) / np.sqrt(3)
        assert judgement.metrics[f"mean_{name}"] == pytest.approx(mean, rel=1e-5)
        found = judgement.standard_errors[f"mean_{name}"]
        assert found == pytest.approx(error, rel=1e-4)
        assert f"mean_{name}" in task.curve_panels
    better = {row.name: row.better for row in task.metric_rows()}
    assert (better["mean_score"], better["mean_tpsa"]) == ("higher", "")


def test_columns(task, expected, tmp_path):
    task.write_samples(task.from_lines(STRINGS), tmp_path, "")
    with open(tmp_path / "molecules.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    for name, values in expected.items():
        found = [float(row[name]) for row in rows if row[name]]
        assert found == pytest.approx(values.tolist(), rel=1e-5)


def test_nothing_else_is_rewarded(task, expected):
    rewards = task.rewards(task.from_lines(STRINGS))
    score = expected["score"]
    totals = [3000 * score[0], 0.0, 3000 * score[1], 3000 * score[2]]
    assert rewards.sum(axis=1) == pytest.approx(totals, rel=1e-5)


def test_an_oracle_is_a_scoring_function_of_its_own():
    scoring = scoring_of_flags("", "isomers_c7h8n2o2")
    task = MoleculeWorld().make_task({"scoring": scoring}, tiny_smiles_rnn())
    assert task.reward_settings.reported_components == ("isomers_c7h8n2o2", "score")
    with pytest.raises(UserError, match="--scoring and --oracle exclude each other"):
        scoring_of_flags("my_scoring.toml", "qed")
    with pytest.raises(UserError, match="unknown oracle 'drd2'"):
        scoring_of_flags("", "drd2")
    assert scoring_of_flags("", "") is None
