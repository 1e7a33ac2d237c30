import csv
import io

import pytest
from PIL import Image
from rdkit import Chem
from rdkit.Chem import QED

from molecule_rnn.sdf import sd_text
from molecule_rnn.structures import COLUMNS, draw_grid, write_structures

ODD = ["*", "[Na+].[Cl-]", "[H][H]", "C" * 120, "[13CH4]", "C->[Fe]", "[nH]1cccc1"]
SMILES = ["CC(=O)Oc1ccccc1C(=O)O", "C(", "", "CCO", "CCO"]


def read(directory):
    with open(directory / "molecules.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_table_has_every_string_in_order(tmp_path):
    write_structures(SMILES, tmp_path)
    records = read(tmp_path)
    assert [record["smiles"] for record in records] == SMILES
    assert [record["valid"] for record in records] == ["1", "0", "0", "1", "1"]
    assert tuple(records[0]) == COLUMNS
    aspirin = Chem.MolFromSmiles(SMILES[0])
    assert float(records[0]["qed"]) == QED.qed(aspirin)
    assert records[0]["canonical"] == Chem.MolToSmiles(aspirin)
    assert records[1]["qed"] == ""


def test_picture_shows_a_panel_for_each_molecule(tmp_path):
    write_structures(SMILES, tmp_path)
    picture = Image.open(tmp_path / "molecules.png")
    assert picture.size == (3 * 300, 240)
    for panel in range(3):  # something is drawn in each
        box = (panel * 300, 0, (panel + 1) * 300, 240)
        assert len(picture.convert("L").crop(box).getcolors()) > 20
    write_structures(["C"] * 30, tmp_path)
    assert Image.open(tmp_path / "molecules.png").size == (4 * 300, 6 * 240)


def test_without_a_molecule_there_is_no_picture(tmp_path):
    write_structures(SMILES, tmp_path)
    write_structures(["C(", ")"], tmp_path)
    assert [record["valid"] for record in read(tmp_path)] == ["0", "0"]
    assert not (tmp_path / "molecules.png").exists()


def test_sd_file_has_every_molecule_with_its_scores(tmp_path):
    write_structures(SMILES, tmp_path)
    assert not (tmp_path / "molecules.sdf").exists()
    write_structures(SMILES, tmp_path, sdf=True)
    lines = {str(n): record for n, record in enumerate(read(tmp_path), 1)}
    found = list(Chem.SDMolSupplier(str(tmp_path / "molecules.sdf")))
    assert [molecule.GetProp("_Name") for molecule in found] == ["1", "4", "5"]
    for molecule in found:
        record = lines[molecule.GetProp("_Name")]
        fields = molecule.GetPropsAsDict()
        assert set(fields) == set(record) - {"valid"}
        assert Chem.MolToSmiles(molecule) == record["canonical"]
        assert fields["smiles"] == record["smiles"]
        assert fields["qed"] == pytest.approx(float(record["qed"]), rel=1e-6)
        # Drawn: atoms lie apart.
        places = molecule.GetConformer().GetPositions()
        assert len({tuple(place) for place in places}) == molecule.GetNumAtoms()


def test_odd_molecules_are_in_the_sd_file(tmp_path):
    (tmp_path / "odd.sdf").write_text(
        sd_text((smiles, {"name": smiles, "empty": "", "none": None}) for smiles in ODD)
    )
    found = list(Chem.SDMolSupplier(str(tmp_path / "odd.sdf"), removeHs=False))
    for smiles, molecule in zip(ODD, found, strict=True):
        assert Chem.MolToSmiles(molecule) == Chem.CanonSmiles(smiles)
        assert molecule.GetProp("_Name") == smiles
        assert molecule.GetPropsAsDict() == {}


def test_odd_molecules_can_be_drawn():
    picture = Image.open(io.BytesIO(draw_grid(ODD, ODD)))
    assert picture.size == (1200, 480)
