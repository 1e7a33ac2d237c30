"""A score of one's own is seen in all that is left of molecules."""

import csv

import numpy as np
import pytest
from rdkit import Chem
from tiny_smiles_rnn import MOLECULES

from molecule_rnn.scoring.rewards import RewardSettings
from molecule_rnn.task import MoleculeTask
from molecule_rnn.vocabulary import Vocabulary
from rl_tuner.reports import tables

ATOMS = "scoring_components:heavy_atoms"
STRINGS = ["CCO", "C(", "c1ccccc1", "CC(=O)O"]
HEAVY = [3.0, 6.0, 4.0]


def _task(**weights):
    reward = RewardSettings(weights={ATOMS: 20.0, **weights}, components=(ATOMS,))
    vocabulary = Vocabulary.learn(MOLECULES)
    return MoleculeTask(vocabulary, reward, max_length=12, num_processes=0)


def test_mean_with_its_error_stands_in_tables_and_curves():
    task = _task(qed=0.0)
    judgement = task.judge(task.from_lines(STRINGS))
    name = f"mean_{ATOMS}"
    assert judgement.metrics[name] == pytest.approx(np.mean(HEAVY))
    error = np.std(HEAVY) / np.sqrt(3)
    assert judgement.standard_errors[name] == pytest.approx(error)
    assert judgement.counts["sums"][ATOMS] == sum(HEAVY)
    assert task.curve_panels[name] == f"Mean {ATOMS}"
    table = tables.comparison_table(task.metric_rows(), {"after": judgement.metrics})
    (line,) = [line for line in table.splitlines() if ATOMS in line]
    assert "4.33" in line
    assert "higher" in line
    better = {row.name: row.better for row in _task(**{ATOMS: -1.0}).metric_rows()}
    assert better[name] == "lower"
    assert np.isnan(task.judge(task.from_lines(["C("])).metrics[name])


@pytest.mark.parametrize("weight", [20.0, 0.0])
def test_column_stands_beside_the_structures(weight, tmp_path):
    task = _task(**{ATOMS: weight})
    task.write_samples(task.from_lines(STRINGS), tmp_path, "", sdf=True)
    with open(tmp_path / "molecules.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row[ATOMS] for row in rows] == ["3.0", "", "6.0", "4.0"]
    (first, *_) = Chem.SDMolSupplier(str(tmp_path / "molecules.sdf"))
    assert float(first.GetProp(ATOMS)) == 3.0


def test_without_one_nothing_is_added(tmp_path):
    vocabulary = Vocabulary.learn(MOLECULES)
    task = MoleculeTask(vocabulary, max_length=12, num_processes=0)
    metrics = task.judge(task.from_lines(STRINGS)).metrics
    named = {row.name for row in task.metric_rows()}
    assert set(metrics) <= named
