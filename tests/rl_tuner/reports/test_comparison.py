import csv
import html.parser
import io
import json

import pytest

from rl_tuner.metrics import Evaluation, MetricRow
from rl_tuner.reports import comparison
from rl_tuner.reports.publication import Publication
from rl_tuner.reports.web_page import Drawing, WebPage

ROWS = [
    MetricRow("share", "Share of rests", "%", "lower"),
    MetricRow("mean", "Mean <pitch>"),
    MetricRow("absent", "Not measured"),
]


class TinyPublication(Publication):
    prior_label = "Note RNN"
    published = {  # noqa: RUF012
        "untuned": {"share": 63.3},
        "g": (column := {"share": 0.03}),
        "g_reference": column,
    }


def evaluation(share, mean, error=0.5):
    errors = {"share": error}
    return Evaluation(100, 0, {"share": share, "mean": mean}, errors, {})


@pytest.fixture(name="entries")
def _entries():
    evaluations = {
        "untuned": [evaluation(63.0, 1.0)],
        "g_reference": [evaluation(70.0, 2.0)],
        "g": [evaluation(0.004, 3.0, error=0.002)],
        "pure_rl": [evaluation(62.9, float("nan"))],
    }
    return comparison.compare(0.5, evaluations, ROWS, TinyPublication())


def test_table_has_ours_beside_the_papers_and_marks_what_is_significant(entries):
    lines = comparison.as_markdown(entries, TinyPublication()).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[0] == [
        *["Metric", "Note RNN", "paper", "G"],
        *["G, reference update", "paper", "RL only", "better"],
    ]
    assert cells[2] == [
        *["Share of rests", "63.00% ±0.50", "63.30%", "**0.004%** ±0.002"],
        *["70.00%† ±0.50", "0.03%", "62.90% ±0.50", "lower"],
    ]
    assert cells[3] == ["Mean <pitch>", "1.00", "-", "3.00", "2.00", "-", "-", ""]
    assert len(cells) == 4


def test_seeds_are_averaged_and_their_spread_is_printed():
    evaluations = {
        "untuned": [evaluation(63.0, 1.0)],
        "q": [evaluation(share, 1.0) for share in (1.0, 2.0, 3.0)],
    }
    entries = comparison.compare(0.5, evaluations, ROWS, TinyPublication())
    table = comparison.as_markdown(entries, TinyPublication())
    assert "**2.00%** ±0.29 [1.00]" in table
    assert "across 3 seeds" in comparison.legend(entries, TinyPublication())[0]


def test_files_hold_every_entry(tmp_path, entries):
    text = comparison.write_tables(
        tmp_path / "table", "Title", ["Mind this."], {"c = 0.5": entries}, Publication()
    )
    assert (tmp_path / "table.md").read_text() == text + "\n"
    assert "Mind this." in text
    content = json.loads(
        (tmp_path / "table.json").read_text(), parse_constant=pytest.fail
    )
    assert len(content["entries"]) == 8
    first, second, *_ = content["entries"]
    assert (first["model"], first["mean"], first["p"]) == ("untuned", 63.0, None)
    assert second["published"] == 0.03
    rows = list(csv.DictReader(io.StringIO((tmp_path / "table.csv").read_text())))
    assert [row["model"] for row in rows] == [e["model"] for e in content["entries"]]
    assert float(rows[1]["mean"]) == 0.004
    assert rows[1]["significant"] == "better"


class Reader(html.parser.HTMLParser):
    """Collects links and text, and proves that tags are closed in order."""

    VOID = ("meta", "img")

    def __init__(self):
        super().__init__()
        self.open, self.links, self.texts = [], [], []

    def handle_starttag(self, tag, attributes):
        if tag not in self.VOID:
            self.open.append(tag)
        self.links += [v for k, v in attributes if k in ("src", "href")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def test_page_is_whole_and_needs_nothing_else(tmp_path, entries):
    samples = tmp_path / "samples"
    samples.mkdir()
    for name in ("a&b.png", "a&b.wav", 'a"b.mid'):
        (samples / name).write_bytes(b"bytes")
    page = WebPage("Title & more")
    page.table(comparison.layout(entries, TinyPublication()))
    page.picture(samples / "a&b.png", 'a "picture"')
    page.drawings([Drawing("<svg></svg>", "C<C", {"my:<score>": "1 < 2"})])
    page.samples({"Psi": samples})
    page.text("<settings>")
    page.write(tmp_path / "index.html")
    reader = Reader()
    reader.feed((tmp_path / "index.html").read_text())
    assert not reader.open
    assert {link.partition(":")[0] for link in reader.links} == {"data"}
    assert len(reader.links) == 4
    escaped = ("Title & more", "Mean <pitch>", "<settings>", 'a"b.mid', "C<C")
    for text in (*escaped, "my:<score>", "1 < 2"):
        assert text in reader.texts
