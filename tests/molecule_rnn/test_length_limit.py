"""Long molecules: the model's length limit is as long as what it was trained on."""

import dataclasses

import pytest
from tiny_smiles_rnn import tiny_smiles_rnn

from molecule_rnn.smiles_rnn.dataset import DatasetConfig, create_dataset, summary_text
from molecule_rnn.smiles_rnn.source import find_source
from molecule_rnn.smiles_rnn.statistics import TrainingStatistics
from molecule_rnn.world import MoleculeWorld
from rl_tuner.errors import UserError


@pytest.mark.parametrize(
    ("longest", "settings", "limit"),
    [
        (50, {}, 120),
        (328, {}, 328),
        (328, {"max_length": None}, 328),
        (328, {"max_length": 60}, 60),
        (9999, {}, 4096),
    ],
)
def test_limit_is_the_training_sets_where_none_is_given(longest, settings, limit):
    model = tiny_smiles_rnn()
    statistics = TrainingStatistics.from_json(model.metadata["statistics"])
    long = dataclasses.replace(statistics, max_length=longest)
    model.metadata["statistics"] = long.to_json()
    world = MoleculeWorld()
    assert world.make_task(settings, model).max_length == limit
    assert world.complete_settings(settings, model)["max_length"] == limit


def test_molecules_that_are_cut_are_told():
    task = MoleculeWorld().make_task({"max_length": 6}, tiny_smiles_rnn())
    sequences = task.from_lines(["CCO", "CCCCCC", "CC(=O)", "CC"])
    (remark,) = task.remarks_on(sequences)
    assert "2 of 4 molecules do not end within 6 tokens" in remark
    judgement = task.judge(sequences)
    assert judgement.metrics["cut"] == 50.0
    assert "cut" in {row.name for row in task.metric_rows()}
    whole = task.from_lines(["CCO", "CC"])
    assert task.remarks_on(whole) == []
    assert "cut" not in task.judge(whole).metrics


def test_skipping_long_molecules_tells_of_the_limit(tmp_path):
    peptide = "NCC(=O)" * 30 + "O"
    source = tmp_path / "peptides.smi"
    source.write_text(peptide)
    with pytest.raises(UserError, match=r"more than 120 tokens.*--max_length lets"):
        create_dataset(find_source(str(source)), DatasetConfig(), tmp_path)
    source.write_text("\n".join([peptide, *("C" * n for n in range(1, 60))]))
    description = create_dataset(find_source(str(source)), DatasetConfig(), tmp_path)
    assert "; --max_length lets longer molecules in" in summary_text(description)
