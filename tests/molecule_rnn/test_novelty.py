"""What is new is told by canonical SMILES, whatever vocabulary a corpus has."""

import pytest
from tiny_smiles_rnn import MOLECULES

from molecule_rnn.scoring import molecule_statistics
from molecule_rnn.smiles_rnn.check import CheckRules
from molecule_rnn.smiles_rnn.dataset import DatasetConfig, create_dataset, read_dataset
from molecule_rnn.smiles_rnn.source import find_source
from molecule_rnn.task import MoleculeTask
from molecule_rnn.vocabulary import Vocabulary
from molecule_rnn.world import MoleculeWorld
from rl_tuner.generation.diversity import Corpus

# Of the model, with classes that neither dataset gives to the same tokens.
VOCABULARY = Vocabulary.learn([*MOLECULES, "CS", "CF"])
FEWER = ["CCO", "CCN", "OC", "CCC", "CCCC", "NCC", "CCCO", "CCCN"]
MORE = [*FEWER, "C[C@@H](N)C(=O)O", "CC[NH3+]", "BrCCl", "CC(=O)[O-]"]


@pytest.mark.parametrize("tokenizer", ["characters", "atoms"])
@pytest.mark.parametrize("strings", [FEWER, MORE], ids=["fewer", "more"])
def test_a_corpus_of_another_vocabulary_is_compared_as_text(
    strings, tokenizer, tmp_path
):
    source = tmp_path / "corpus.smi"
    source.write_text("\n".join(strings))
    config = DatasetConfig(CheckRules(tokenizer), eval_ratio=0.5)
    create_dataset(find_source(str(source)), config, tmp_path)
    training = read_dataset(tmp_path).training
    corpus = Corpus(MoleculeWorld().read_corpus(str(tmp_path)))
    task = MoleculeTask(VOCABULARY, max_length=12, num_processes=0)
    # Each string of the corpus, each spelled otherwise, and two that are new.
    ours = [s for s in training if set(s) <= set("CON")]
    others = {"CCO": "OCC", "CCN": "C(C)N", "OC": "CO", "CCC": "C(C)C"}
    respelled = [others[s] for s in ours if s in others]
    sequences = task.from_lines([*ours, *respelled, "CS", "CF"])
    assert task.judge(sequences, corpus.sequences).metrics["novel"] == pytest.approx(
        100 * 2 / (len(ours) + 2)
    )
    copied = corpus.copied_share(sequences, task.end_token, task.to_lines)
    assert copied == pytest.approx(100 * len(ours) / len(sequences))


def test_a_corpus_is_measured_whatever_tokens_it_has():
    """As the training data beside the models of rl_tuner_reproduce."""
    task = MoleculeTask(VOCABULARY, max_length=12, num_processes=0)
    metrics = task.judge_lines(["C[C@@H](N)C(=O)O", "C" * 40, "Br("]).metrics
    assert metrics["percent_valid"] == pytest.approx(100 * 2 / 3)
    strings = ["CCO", "CC(", "CCN"]
    expected = task.judge(task.from_lines(strings)).counts
    assert task.judge_lines(strings).counts == expected


def test_a_corpus_is_read_by_rdkit_once(monkeypatch):
    """Before and after a tuning it is the same; ZINC takes a minute."""
    read = []
    canonical = molecule_statistics.canonical_smiles
    monkeypatch.setattr(
        molecule_statistics,
        "canonical_smiles",
        lambda smiles, workers: read.append(smiles) or canonical(smiles, workers),
    )
    task = MoleculeTask(VOCABULARY, max_length=12, num_processes=0)
    sequences, corpus, other = task.from_lines(["CCO", "CC"]), ["OCC"], ["CC", "OCC"]
    novel = [task.judge(sequences, c).metrics["novel"] for c in (corpus, corpus, other)]
    assert novel == [50.0, 50.0, 0.0]
    assert read == [corpus, other]
