import csv
import io

from PIL import Image
from rdkit import Chem
from rdkit.Chem import QED

from molecule_rnn.structures import COLUMNS, draw_grid, write_structures

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


def test_odd_molecules_can_be_drawn():
    odd = ["*", "[Na+].[Cl-]", "[H][H]", "C" * 120, "[13CH4]", "C->[Fe]", "[nH]1cccc1"]
    picture = Image.open(io.BytesIO(draw_grid(odd, odd)))
    assert picture.size == (1200, 480)
