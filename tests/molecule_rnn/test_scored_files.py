"""What rl_tuner_score leaves of files of molecules, beside RDKit's own numbers."""

import csv
import gzip
import json
import math

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import QED, Crippen
from rdkit.Contrib.SA_Score import sascorer
from tiny_smiles_rnn import tiny_smiles_rnn

from rl_tuner.errors import UserError
from rl_tuner.runs import bulk_scoring

SMILES = ["CC1(C)CC[NH+](CCS(=O)(=O)Oc2ccccc2)C1", "CCO", "c1ccccc1"]


@pytest.fixture(name="score", scope="module")
def _score(tmp_path_factory):
    """Scores a file; all by one task, whose processes are started once."""
    model = tmp_path_factory.mktemp("model")
    tiny_smiles_rnn().save(model)
    scoring = bulk_scoring.Scoring("molecule", "{}", model)

    def score(folder, name, content, num_shards=1):
        source = folder / name
        source.write_bytes(content if isinstance(content, bytes) else content.encode())
        output = folder / "scored"
        output.mkdir()
        summary = bulk_scoring.score_shards(scoring, [source], output, num_shards)
        rows = []
        for path in sorted(output.glob("*.csv")):
            with open(path, newline="", encoding="utf-8") as file:
                rows += csv.DictReader(file)
        return rows, summary

    yield score
    bulk_scoring._load.cache_clear()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.smi", "".join(f"{s}\tZINC{n}\n" for n, s in enumerate(SMILES))),
        ("a.smi", "SMILES ID\n" + "".join(f"{s} {n}\n" for n, s in enumerate(SMILES))),
        ("a.csv", "id,smiles\n" + "".join(f'"a, ""b""",{s}\n' for s in SMILES)),
        ("a.smi.gz", gzip.compress("\n".join(SMILES).encode())),
        ("a.smi", "\n".join(f"{s} naïve" for s in SMILES).encode("latin-1")),
    ],
    ids=["names", "header", "table", "gzipped", "latin-1"],
)
def test_every_molecule_of_a_usual_file_is_scored(score, tmp_path, name, content):
    rows, summary = score(tmp_path, name, content, num_shards=2)
    assert [row["sequence"] for row in rows] == SMILES
    assert summary["columns"]["valid"]["mean"] == 1.0
    qed = [QED.qed(Chem.MolFromSmiles(s)) for s in SMILES]
    assert [float(row["qed"]) for row in rows] == pytest.approx(qed)
    assert summary["columns"]["qed"]["mean"] == pytest.approx(np.mean(qed))


def test_means_are_over_molecules_and_other_lines_have_no_numbers(score, tmp_path):
    content = "CCO\n\nc1ccccc1\nnot_a_smiles\nC(C)(C)(C)(C)C\n"
    rows, summary = score(tmp_path, "mixed.smi", content)
    assert [row["valid"] for row in rows] == ["1", "0", "1", "0", "0"]
    molecules = [Chem.MolFromSmiles(s) for s in ("CCO", "c1ccccc1")]
    expected = {
        "sa": [sascorer.calculateScore(m) for m in molecules],
        "qed": [QED.qed(m) for m in molecules],
        # Worth nothing to the reward from a start token; still of interest.
        "log_p": [Crippen.MolLogP(m) for m in molecules],
    }
    for name, values in expected.items():
        assert [rows[n][name] for n in (1, 3, 4)] == ["", "", ""]
        column = summary["columns"][name]
        assert column["mean"] == pytest.approx(np.mean(values), rel=1e-6)
        error = np.std(values) / math.sqrt(2)
        assert column["standard_error"] == pytest.approx(error, rel=1e-5)
        assert column["count"] == 2
    assert summary["columns"]["valid"]["mean"] == pytest.approx(0.4)
    assert summary["count"] == 5
    assert any("of 2" in line for line in bulk_scoring.summary_lines(summary))


def test_no_molecule_at_all_has_no_means(score, tmp_path):
    rows, summary = score(tmp_path, "none.smi", "nothing\n\n")
    assert len(rows) == 2
    text = (tmp_path / "scored" / "summary.json").read_text()
    assert json.loads(text, parse_constant=pytest.fail) == summary
    assert summary["columns"]["qed"] == {
        "mean": None,
        "standard_error": None,
        "count": 0,
    }


def test_an_archive_that_is_none_is_one_line(score, tmp_path):
    with pytest.raises(UserError, match=r"cannot read .*a\.smi\.gz") as error:
        score(tmp_path, "a.smi.gz", "CCO\n")
    assert "\n" not in str(error.value)
