import csv
import dataclasses
import json
import time

import pytest
from binaries import assert_refused, run_binary
from rdkit import Chem
from zinc import needs_zinc, zinc_smiles

from molecule_rnn.smiles_rnn import check
from molecule_rnn.smiles_rnn import dataset as smiles_dataset
from molecule_rnn.smiles_rnn.check import CheckRules, check_line, check_lines
from molecule_rnn.smiles_rnn.dataset import DatasetConfig, create_dataset, read_dataset
from molecule_rnn.smiles_rnn.source import Line, find_source
from molecule_rnn.smiles_rnn.statistics import TrainingStatistics
from rl_tuner.errors import UserError

_HALF = DatasetConfig(eval_ratio=0.5)


def _create(tmp_path, content, config=_HALF, name="source.smi", **more):
    source, output = tmp_path / name, tmp_path / "dataset"
    source.write_bytes(content if isinstance(content, bytes) else content.encode())
    output.mkdir(exist_ok=True)
    description = create_dataset(find_source(str(source)), config, output, **more)
    return output, description


def _skipped(output):
    with open(output / "skipped.csv", encoding="utf-8", newline="") as file:
        return {int(row["line"]): row for row in csv.DictReader(file)}


def _alkanols(number):
    return "".join("C" * n + "O\n" for n in range(1, number + 1))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("CCO", ""),
        ("[NH4+].[Cl-]", ""),
        ("C" * 120, ""),
        ("C" * 121, "more than 120 tokens"),
        ("C" * 10_000, "more than 120 tokens"),
        ("C[", "no SMILES that RDKit can parse"),
        ("C(C", "no SMILES that RDKit can parse"),
        ("C1CC", "no SMILES that RDKit can parse"),
        ("[[[[C]]]]", "no SMILES that RDKit can parse"),
        ("(" * 120, "no SMILES that RDKit can parse"),
        ("CCO,1.5", "no SMILES that RDKit can parse"),
        ("smiles", "no SMILES that RDKit can parse"),
        ("*", ""),
        ("C\0C", "characters that SMILES has not"),
        ("C\u00e9", "characters that SMILES has not"),
        ("C\udcffC", "not UTF-8"),
        ("F(F)F", "no molecule by RDKit's rules: Explicit valence"),
        ("c1cccc1", "no molecule by RDKit's rules: Can't kekulize"),
    ],
)
def test_each_kind_of_line(text, problem):
    began = time.monotonic()
    found = check_line(Line(1, text), CheckRules()).problem
    assert found.startswith(problem)
    assert bool(found) == bool(problem)
    assert time.monotonic() - began < 5


def test_lengths_are_counted_in_tokens():
    line = Line(1, "[C@@H](Cl)(Br)F")
    for tokenizer, length in (("atoms", 8), ("characters", 15)):
        for most, fits in ((length, True), (length - 1, False)):
            rules = CheckRules(tokenizer, most)
            assert bool(check_line(line, rules).problem) != fits


def test_canonical_strings_on_request():
    line = check_line(Line(1, "OCC"), CheckRules(canonical=True))
    assert line.text == Chem.CanonSmiles("OCC") == "CCO"
    assert check_line(Line(1, "OCC"), CheckRules()).text == "OCC"
    # A canonical form may be longer than what was read.
    line = check_line(Line(1, "[H]C1=CC=CC=C1"), CheckRules("characters", 8))
    assert line.problem == "more than 8 tokens"


def test_string_that_kills_rdkit_is_skipped_alone(monkeypatch):
    monkeypatch.setattr(check, "_JOB", "scoring_components:DeadlyChecker")
    texts = ["OCC", "CBrC", "C(", "CCN", ""]
    lines = [Line(i, text, "" if text else "empty") for i, text in enumerate(texts, 1)]
    chunks = check_lines(lines, CheckRules(canonical=True), 1)
    found = {line.number: line for chunk in chunks for line in chunk}
    assert [found[i].text for i in (1, 2, 4)] == ["CCO", "CBrC", "CCN"]
    assert found[2].problem == "RDKit does not survive it"
    assert found[3].problem.startswith("no SMILES")
    assert found[5] == lines[4]
    assert not found[1].problem
    assert not found[4].problem


@needs_zinc
def test_zinc_is_what_rdkit_says_in_one_process_or_two():
    lines = [Line(i, text) for i, text in enumerate(zinc_smiles(1500), 1)]
    rules = CheckRules(canonical=True)
    alone = [line for chunk in check_lines(lines, rules) for line in chunk]
    together = [line for chunk in check_lines(lines, rules, 2) for line in chunk]
    assert alone == together
    assert [line.number for line in alone] == list(range(1, 1501))
    assert all(not line.problem for line in alone)
    assert alone[7].text == Chem.CanonSmiles(lines[7].text)


def test_what_is_left_out_is_listed_with_its_line_and_reason(tmp_path):
    content = _alkanols(20).encode() + (
        b"CO\n\n" + b"C" * 10_000 + b"\nC\xff\nC(\nC\0\n" + b"[" * 500 + b"\nNC=O\r\n"
    )
    output, description = _create(tmp_path, content)
    rows = _skipped(output)
    assert {number: row["reason"] for number, row in rows.items()} == {
        21: "duplicate",
        22: "empty",
        23: "more than 120 tokens",
        24: "not UTF-8",
        25: "no SMILES that RDKit can parse",
        26: "characters that SMILES has not",
        27: "more than 120 tokens",
    }
    assert rows[21]["text"] == "CO"
    assert rows[24]["text"] == r"C\udcff"
    assert rows[26]["text"] == r"C\x00"
    assert description["counts"] == {
        "lines": 28,
        "strings": 21,
        "molecules": 21,
        "skipped": 7,
    }
    assert description["skipped_by_reason"]["more than 120 tokens"] == 2
    dataset = read_dataset(output)
    kept = dataset.training + dataset.evaluation
    assert sorted(kept) == sorted([*_alkanols(20).split(), "NC=O"])
    text = smiles_dataset.summary_text(description)
    assert "28 lines: 21 molecules, 7 skipped" in text
    assert "1 duplicate" in text


def test_the_split_depends_on_a_molecule_and_the_seed_alone(tmp_path):
    strings = _alkanols(60).split()
    first, _ = _create(tmp_path, "\n".join(strings))
    one = read_dataset(first)
    second, _ = _create(tmp_path, "\n".join(["NCCN", *reversed(strings)]))
    other = read_dataset(second)
    assert set(one.evaluation) == set(other.evaluation) - {"NCCN"}
    third, _ = _create(tmp_path, "\n".join(strings), dataclasses.replace(_HALF, seed=1))
    assert set(read_dataset(third).evaluation) != set(one.evaluation)
    share = sum(smiles_dataset.is_held_out(str(n), 0.1, 0) for n in range(20_000))
    assert share / 20_000 == pytest.approx(0.1, abs=0.01)


def test_spellings_of_a_molecule_are_one_molecule_in_one_split(tmp_path):
    """As of SMILES enumeration, by RDKit's own random spellings."""
    molecules = [Chem.MolFromSmiles(f"{'C' * n}(O)CN(C)C") for n in range(1, 41)]
    spellings = {
        Chem.MolToSmiles(molecule, doRandom=True, kekuleSmiles=n % 2 == 0)
        for molecule in molecules
        for n in range(8)
    }
    output, description = _create(tmp_path, "\n".join(sorted(spellings)))
    assert description["counts"]["molecules"] == 40
    assert description["counts"]["strings"] == len(spellings) > 100
    dataset = read_dataset(output)
    assert sorted(dataset.training + dataset.evaluation) == sorted(spellings)
    one, other = (
        {Chem.CanonSmiles(smiles) for smiles in split}
        for split in (dataset.training, dataset.evaluation)
    )
    assert not one & other
    splits = description["splits"]
    assert splits["training"]["molecules"] == len(one)
    assert splits["eval"]["molecules"] == len(other)
    assert splits["eval"]["strings"] == len(dataset.evaluation)
    text = smiles_dataset.summary_text(description)
    assert f"40 molecules, 0 skipped; the molecules have {len(spellings)} sp" in text


def test_the_same_bytes_from_one_process_and_two(tmp_path):
    output, _ = _create(tmp_path, _alkanols(30))
    before = {path.name: path.read_bytes() for path in output.iterdir()}
    _create(tmp_path, _alkanols(30), num_workers=2)
    assert {path.name: path.read_bytes() for path in output.iterdir()} == before


def test_what_is_read_is_what_was_made(tmp_path):
    output, description = _create(
        tmp_path,
        _alkanols(30) + "C[NH3+]\nCC[NH3+]\n",
        DatasetConfig(CheckRules("atoms")),
    )
    dataset = read_dataset(output)
    assert dataset.vocabulary.tokens == ("C", "O", "[NH3+]")
    assert description["num_classes"] == 4
    assert dataset.statistics == TrainingStatistics.measure(
        dataset.training, dataset.vocabulary
    )
    assert dataset.description == json.loads(json.dumps(description))


def test_damaged_datasets_are_refused(tmp_path):
    output, description = _create(tmp_path, _alkanols(30))
    path = output / "training.smi"
    whole = path.read_bytes()
    path.write_bytes(whole[:-3])
    with pytest.raises(UserError, match=r"training\.smi is damaged"):
        read_dataset(output)
    path.unlink()
    with pytest.raises(UserError, match=r"cannot read .*training\.smi"):
        read_dataset(output)
    path.write_bytes(whole)
    for damage in (
        {},
        [],
        description | {"num_classes": 99},
        description | {"statistics": {"mean_length": 1}},
        description | {"splits": {}},
        {k: v for k, v in description.items() if k != "vocabulary"},
    ):
        (output / "description.json").write_text(json.dumps(damage))
        with pytest.raises(UserError) as error:
            read_dataset(output)
        assert "\n" not in str(error.value)
    (output / "description.json").unlink()
    with pytest.raises(UserError, match="holds no finished dataset"):
        read_dataset(output)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"0 molecules to train on and 0 to evaluate on, of 0 lines \(none"),
        ("C(\n[\n\n", "of 3 lines .2x no SMILES that RDKit can parse; 1x empty"),
        ("CCO\n", "a dataset needs some of both"),
    ],
)
def test_too_little_is_refused_and_leaves_nothing(tmp_path, content, message):
    with pytest.raises(UserError, match=message):
        _create(tmp_path, content)
    assert not list((tmp_path / "dataset").iterdir())


def test_the_binary_reads_a_table_and_reports(tmp_path):
    table = tmp_path / "drugs.csv"
    rows = "".join(f"{n},{string}\n" for n, string in enumerate(_alkanols(30).split()))
    table.write_text("id,Drug\n" + rows + "x,C(\n")
    result = run_binary(
        "smiles_rnn_create_dataset",
        *(f"--source={table}", "--smiles_column=drug", "--tokenizer=atoms"),
        *(f"--output_dir={tmp_path / 'out'}", "--num_workers=1", "--eval_ratio=0.3"),
    )
    assert result.returncode == 0, result.stderr
    assert "31 lines: 30 molecules, 1 skipped" in result.stdout
    assert "1 no SMILES that RDKit can parse" in result.stdout
    assert _skipped(tmp_path / "out")[32]["text"] == "C("
    dataset = read_dataset(tmp_path / "out")
    assert len(dataset.training) + len(dataset.evaluation) == 30


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--tokenizer=words"], "--tokenizer=words must be one of characters, atoms"),
        (["--eval_ratio=1"], "--eval_ratio=1 must lie between 0 and 1"),
        (["--max_length=0"], "--max_length=0 must be at least 1"),
        (["--source=nowhere.smi"], "--source=nowhere.smi does not exist"),
        (["--source=moses"], "pip download --no-deps molsets==0.3.1"),
    ],
)
def test_a_bad_flag_is_one_line(tmp_path, flags, message):
    result = run_binary(
        "smiles_rnn_create_dataset", f"--output_dir={tmp_path / 'out'}", *flags
    )
    assert_refused(result, message)
    assert not (tmp_path / "out").exists()
