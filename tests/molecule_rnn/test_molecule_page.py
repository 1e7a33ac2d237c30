"""The part of a page that shows molecules."""

import re
from html.parser import HTMLParser

from rdkit.Chem import QED, MolFromSmiles
from tiny_smiles_rnn import MOLECULES

from molecule_rnn import molecule_page
from molecule_rnn.molecule_page import add_molecules
from molecule_rnn.scoring.rewards import RewardSettings
from molecule_rnn.task import MoleculeTask
from molecule_rnn.vocabulary import Vocabulary
from rl_tuner.metrics import Evaluation
from rl_tuner.reports.web_page import WebPage
from rl_tuner.scored_sequences import DIRECTORY_NAME, STEM
from rl_tuner.system.csv_shards import CsvShards

BEFORE = ["CCO", "CC(", "C1CC1", "OCC"]
AFTER = ["c1ccccc1", "CCCCCC", "CC=CC", "C(", "CC(=O)O"]


class Reader(HTMLParser):
    """The text of the page in order, and what it asks for elsewhere."""

    def __init__(self):
        super().__init__()
        self.texts, self.links, self.count = [], [], 0

    def handle_starttag(self, tag, attributes):
        self.count += tag == "svg"
        self.links += [v for k, v in attributes if k in ("src", "href", "xlink:href")]

    def handle_data(self, data):
        self.texts += [data] if data.strip() else []


def _shown(directory, folder):
    """The page of models that made `BEFORE` and `AFTER`."""
    weights = {"valid": 0.0, "prefix": 0.0, "prefix_score": 0.0, "length": 0.0}
    reward = RewardSettings(weights={**weights, "log_p": 0.0, "sa": 0.0, "ring": 0.0})
    task = MoleculeTask(
        Vocabulary.learn([*MOLECULES, "CC("]), reward, max_length=12, num_processes=0
    )
    made = {"untuned": BEFORE, "a <b> & c": AFTER}
    sequences = {label: task.from_lines(lines) for label, lines in made.items()}
    evaluations = {
        label: Evaluation(len(rows), 0, {}, {}, task.judge(rows).counts)
        for label, rows in sequences.items()
    }
    page = WebPage("Title")
    add_molecules(page, task, sequences, evaluations, directory)
    page.write(folder / "index.html")
    reader = Reader()
    text = (folder / "index.html").read_text()
    reader.feed(text)
    return reader, text


def _after(reader, heading):
    """The texts from a heading up to the next."""
    start = next(i for i, text in enumerate(reader.texts) if heading in text)
    rest = reader.texts[start + 1 :]
    ends = [i for i, text in enumerate(rest) if "random sample" in text]
    return rest[: ends[0]] if ends else rest


def test_histograms_are_of_each_model(tmp_path, monkeypatch):
    drawn = []

    def draw(models, path):
        drawn.append(models)
        path.write_bytes(b"\x89PNG")

    monkeypatch.setattr(molecule_page, "plot_properties", draw)
    monkeypatch.setattr(molecule_page, "plot_columns", draw)
    _shown(tmp_path, tmp_path)
    assert [list(models) for models in drawn] == [["untuned", "a <b> & c"]] * 2
    numbers = [models[0]["num_valid"] for models in drawn[0].values()]
    assert numbers == [3, 4]
    rewards = [len(columns["reward"]) for columns in drawn[1].values()]
    assert rewards == [3, 4]


def test_best_and_some_of_each_are_drawn_with_their_figures(tmp_path):
    reader, text = _shown(tmp_path, tmp_path)
    # Four that are molecules, twice, and two of the untuned: one is there twice.
    assert reader.count == 4 + 4 + 2
    assert {link.partition(",")[0] for link in reader.links} == {
        "data:image/png;base64"
    }
    assert "http" not in re.sub(r"xmlns(:\w+)?='[^']*'", "", text)
    assert "<script" not in text
    best = _after(reader, "The best of 5 molecules")
    best = [text for text in best if text in AFTER]
    by_qed = sorted(
        (s for s in AFTER if s != "C("), key=lambda s: -QED.qed(MolFromSmiles(s))
    )
    assert best == by_qed
    sample = _after(reader, "A random sample: a <b>")
    sample = [text for text in sample if text in AFTER]
    assert sample == [smiles for smiles in AFTER if smiles != "C("]
    assert f"{QED.qed(MolFromSmiles(by_qed[0])):.2f}" in reader.texts


def test_best_of_all_that_were_scored_come_from_the_run(tmp_path):
    shards = CsvShards(tmp_path / DIRECTORY_NAME, STEM)
    strings = ["CCN", "NCC", "C(", "CCCl"]
    shards.add(
        {
            "step": [1000, 2000, 3000, 4000],
            "reward": [5.0, 4.0, 9.0, 7.25],
            "smiles": strings,
            "valid": [1, 1, 0, 1],
            "my:<score>": [0.125, 0.5, None, 0.875],
        }
    )
    shards.flush()
    reader, _ = _shown(tmp_path, tmp_path)
    best = _after(reader, "The best of all that were scored while tuning")
    assert [text for text in best if text in strings] == ["CCCl", "CCN"]
    place = best.index("CCCl")
    expected = ["step", "4,000", "reward", "7.25", "my:<score>", "0.88"]
    assert best[place + 1 : place + 7] == expected


def test_a_model_without_a_molecule_has_a_page(tmp_path):
    vocabulary = Vocabulary.learn([*MOLECULES, "CC("])
    task = MoleculeTask(vocabulary, max_length=12, num_processes=0)
    rows = task.from_lines(["C(", "CC("])
    page = WebPage("Title")
    evaluation = Evaluation(2, 0, {}, {}, task.judge(rows).counts)
    add_molecules(page, task, {"x": rows}, {"x": evaluation}, tmp_path)
    page.write(tmp_path / "index.html")
    assert "<svg" not in (tmp_path / "index.html").read_text()
