import numpy as np
import pytest
from PIL import Image

from molecule_rnn.publication import MoleculePublication
from molecule_rnn.scoring.molecule_statistics import molecule_stats, profile_workers
from molecule_rnn.table2 import PAPER_TABLE2, TABLE2_ROWS
from molecule_rnn.task import MoleculeTask
from molecule_rnn.vocabulary import Vocabulary
from rl_tuner.metrics import Evaluation
from rl_tuner.reports import comparison, figures

VOCABULARY = Vocabulary.learn(["CCO", "C1CCCCCC1", "c1ccccc1N(", "Cl"])


@pytest.fixture(name="task", scope="module")
def _task():
    return MoleculeTask(VOCABULARY, max_length=12, num_processes=0)


def sequences(task, *smiles):
    rows = [task.vocabulary.encode(text) for text in smiles]
    return np.array([[*row, *[0] * (12 - len(row))] for row in rows])


def evaluation(task, *smiles):
    judgement = task.judge(sequences(task, *smiles))
    return Evaluation(len(smiles), 0, *judgement)


def test_sequences_are_judged_as_molecules_up_to_their_end(task):
    tokens = sequences(task, "CCO", "C1CCCCCC1", "C(", "CC")
    tokens[3, 5:] = 1  # after the end
    metrics, errors, counts = task.judge(tokens)
    assert counts == molecule_stats(
        ["CCO", "C1CCCCCC1", "C(", "CC"], profile_workers(1)
    )
    assert metrics["percent_valid"] == 75.0
    assert metrics["mean_ring_penalty"] == pytest.approx(-1 / 3)
    assert errors["percent_valid"] > 0


def test_molecules_of_the_training_set_are_not_novel(task):
    """Even where they are written in another way."""
    corpus = [task.vocabulary.encode(smiles) for smiles in ("OCC", "CC", "CC")]
    metrics = task.judge(sequences(task, "CCO", "CCC", "CCl", "C("), corpus).metrics
    assert metrics["novel"] == pytest.approx(200 / 3)
    assert "novel" not in task.judge(sequences(task, "CCO")).metrics


def test_papers_figures_stand_beside_psi(task):
    publication = MoleculePublication()
    measured = evaluation(task, "CCO", "CC", "C(")
    rows = comparison.rows_of(task, measured)
    entries = comparison.compare(
        1 / 0.35, {"untuned": [measured], "psi": [measured]}, rows, publication
    )
    published = {
        (entry.model, entry.metric.name): entry.published
        for entry in entries
        if entry.metric in TABLE2_ROWS
    }
    for model, column in (("untuned", "SMILES RNN"), ("psi", "Psi")):
        for name, figure in PAPER_TABLE2[column].items():
            assert published[model, name] == figure
    table = comparison.as_markdown(entries, publication)
    assert "SMILES RNN" in table
    assert "-2.77" in table


def test_remarks_say_what_is_odd_in_the_paper(task):
    remarks = " ".join(task.remarks())
    assert "says Q" in remarks
    assert "random token" in remarks
    task = MoleculeTask(VOCABULARY, protocol="start_token", num_processes=0)
    assert "start token" in task.remarks()[-1]


def test_tokens_are_called_by_their_text(task):
    labels = task.token_labels()
    assert labels[0] == "end"
    assert len(labels) == task.num_classes
    assert labels[VOCABULARY.encode("C")[0]] == "C"


def test_properties_are_drawn_also_where_nothing_is_valid(task, tmp_path):
    publication = MoleculePublication()
    evaluations = {
        name: [evaluation(task, *smiles) for smiles in runs]
        for name, runs in {
            "training data": [["CCO", "CC", "CCC"]],
            "SMILES RNN": [["C("]],
            "Psi": [["CCO"], ["Cl", "C("]],
        }.items()
    }
    (picture,) = publication.draw_more(evaluations, tmp_path, "_c2")
    assert picture.path == tmp_path / "properties_c2.png"
    assert len(Image.open(picture.path).convert("L").getcolors()) > 20


def test_validity_and_each_component_are_drawn_along_training(task, tmp_path):
    """Some points have no valid molecule, and so no means."""
    curve = [
        {"step": step, "log_prior": -1.0, "task_reward": 2.0}
        | task.metrics(sequences(task, *smiles))
        for step, smiles in ((0, ["C("]), (10, ["CCO", "C("]), (20, ["CCO"]))
    ]
    panels = {**figures.REWARD_PANELS, **task.curve_panels}
    assert list(panels)[2:] == [row.name for row in TABLE2_ROWS]
    figures.plot_learning({"Psi": [curve]}, panels, "", tmp_path / "c.png")
    assert Image.open(tmp_path / "c.png").size[1] > 1500
