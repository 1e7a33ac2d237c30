"""Files of molecules as people have them, whole and in parts."""

import gzip

import pytest

from molecule_rnn.molecule_file import MoleculeFile
from rl_tuner.errors import UserError

ROWS = [("CCO", "ethanol"), ("c1ccccc1", "benzene, pure"), ("C[C@@H](N)O", "x")]
STRINGS = [string for string, _ in ROWS]


def _quoted(separator):
    rows = [("ChEMBL ID", "Name", "Smiles"), *((f"C{n}", n, s) for s, n in ROWS)]
    return "".join(separator.join(f'"{field}"' for field in row) + "\n" for row in rows)


def _file(tmp_path, name, content):
    data = content if isinstance(content, bytes) else content.encode()
    path = tmp_path / name
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return MoleculeFile(path)


PLAIN = "".join(f"{string}\t{name}\n" for string, name in ROWS)
FILES = {
    "names.smi": PLAIN,
    "names.smi.gz": PLAIN,
    "blanks.smi": PLAIN.replace("\t", "  "),
    "commas.smi": "".join(f"{string},{name}\n" for string, name in ROWS),
    "header.smi": "SMILES ID\n" + PLAIN,
    "tab_header.txt": "smiles\tname\n" + PLAIN,
    "ids_first.smi": "zinc_id smiles\n" + "".join(f"Z {s}\n" for s in STRINGS),
    "table.txt": "name;SMILES\n" + "".join(f"x;{s}\n" for s in STRINGS),
    "semicolons.csv": _quoted(";"),
    "commas.csv": _quoted(","),
    "tabs.csv": _quoted("\t"),
    "commas.tsv": _quoted(","),
    "bars.csv.gz": _quoted("|"),
    "spreadsheet.csv": _quoted(";").encode("utf-16"),
    "utf16.smi": PLAIN.encode("utf-16"),
    "mark.smi": b"\xef\xbb\xbf" + PLAIN.encode(),
    "latin1.smi": PLAIN.replace("x", "naïve").encode("latin-1"),
    "latin1.csv": _quoted(";").replace("pure", "pür").encode("latin-1"),
    "old_mac.smi": PLAIN.replace("\n", "\r"),
    "dos.smi": PLAIN.replace("\n", "\r\n"),
}


@pytest.mark.parametrize("name", FILES)
def test_the_same_molecules_whole_and_in_parts(name, tmp_path):
    file = _file(tmp_path, name, FILES[name])
    assert list(file.lines()) == STRINGS
    for number in (1, 2, 5):
        parts = file.parts(number)
        assert len(parts) == number
        assert [s for part in parts for s in file.read(*part)] == STRINGS


def test_a_molecule_called_smiles_is_no_header(tmp_path):
    assert list(_file(tmp_path, "a.smi", "CCO smiles\nCC x\n").lines()) == ["CCO", "CC"]


def test_empty_and_damaged_lines_keep_their_places(tmp_path):
    content = "smiles,x\nCCO,1\n\n" + '"C,2\n' + "C" * 100_000 + "\nCN,4\n"
    file = _file(tmp_path, "a.csv", content)
    assert list(file.lines()) == ["CCO", "", "", "", "CN"]
    file = _file(tmp_path, "a.smi", "CCO\n\n  \nCN\n")
    assert list(file.lines()) == ["CCO", "", "", "CN"]


def test_a_missing_column_is_told_with_those_that_are_there(tmp_path):
    for content in ("a;b\n1;2\n", '"a";"b"\n'):
        with pytest.raises(UserError, match=r"has no column smiles .*: 'a, b'"):
            list(_file(tmp_path, "a.csv", content).lines())
    path = tmp_path / "a.csv"
    path.write_text(_quoted(";"))
    assert next(iter(MoleculeFile(path, "name").lines())) == "ethanol"


@pytest.mark.parametrize("packed", ["", ".gz"])
@pytest.mark.parametrize("name", ["a.smi", "a.csv", "a.txt"])
def test_a_line_without_an_end_is_refused(tmp_path, name, packed):
    """Such as a file of terabytes that is nothing but a hole."""
    text = b"smiles,n\nCCO,1\n" if name == "a.csv" else b"CCO\nCCN\n"
    file = _file(tmp_path, name + packed, text + bytes(1 << 25))
    for reader in (file.numbered_lines(), file.read(0, 1 << 25)):
        with pytest.raises(UserError, match=r"/a\S+ has a line of more than 16 MiB"):
            list(reader)
