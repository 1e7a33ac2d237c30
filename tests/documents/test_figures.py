"""Tables and pictures of the documents are those that were measured and recorded."""

import dataclasses
import json

import documents
import numpy as np
import pytest
from figure_making import code_state, making, marks, records, reproductions, speed
from figure_making.figure import ROOT, Figure
from figure_making.figures import FIGURES
from sample_efficiency import table

from rl_tuner.metrics import MetricRow

DOCUMENTS = [ROOT / page for page in documents.PAGES]


def _recorded(document):
    """What stands at each figure's place, and what its record says stands there."""
    name = document.relative_to(ROOT).as_posix()
    for figure, text in marks.blocks(document.read_text(encoding="utf-8")).items():
        record = records.read(figure)
        yield figure, text, record and record.tables.get(name)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.parent.name)
def test_tables_are_what_their_records_say(document):
    for figure, text, recorded in _recorded(document):
        assert figure in FIGURES, f"{document} has a place for {figure}, which is none"
        assert recorded is not None, f"{figure} was never made; run figures.py"
        assert text == recorded, f"{figure} in {document} is not what was measured"


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_has_its_place_and_its_record(name):
    for page in FIGURES[name].tables:
        document = (ROOT / page).read_text(encoding="utf-8")
        assert name in marks.blocks(document), f"{page} has no place for {name}"
    assert records.read(name) is not None, f"{name} was never made; run figures.py"


def test_every_record_has_its_places_and_pictures():
    for path in sorted(records.FOLDER.glob("*.json")):
        record = records.read(path.stem)
        assert path.stem in FIGURES, f"{path} is of no figure; delete it"
        for name in record.tables:
            document = (ROOT / name).read_text(encoding="utf-8")
            assert path.stem in marks.blocks(document), f"{path.stem} is not in {name}"
        for name, checksum in record.pictures.items():
            assert records.checksum(ROOT / name) == checksum, f"{name} was changed"
        assert set(record.tables) == set(FIGURES[path.stem].tables)
        assert record.seconds > 0


def test_table_of_the_pmo_benchmark_is_that_of_its_runs():
    document = (ROOT / "molecule_rnn/README.md").read_text(encoding="utf-8")
    assert table.of(records.FOLDER / "pmo") in document


@pytest.mark.release
@pytest.mark.parametrize("name", FIGURES)
def test_no_figure_is_out_of_date(name):
    assert not records.is_stale(FIGURES[name]), (
        f"the commands of {name} or their code have changed; run "
        f"python tests/benchmarks/figures.py --only={name}"
    )


def test_code_that_figures_depend_on_is_there():
    for figure in FIGURES.values():
        assert len(code_state.fingerprint(figure.depends)) == 64


def test_a_changed_digit_is_found(tmp_path):
    document = "<!-- figure: one -->\n| 1.25 |\n<!-- end of figure -->\n"
    assert marks.blocks(document) == {"one": "| 1.25 |"}
    changed = marks.with_block(document, "one", "| 1.26 |")
    assert marks.blocks(changed) == {"one": "| 1.26 |"}
    with pytest.raises(ValueError, match="no place for figure two"):
        marks.with_block(document, "two", "")
    with pytest.raises(ValueError, match="twice"):
        marks.blocks(document + document)


def test_only_what_code_does_makes_a_figure_stale(tmp_path):
    def fingerprint(source):
        (tmp_path / "module.py").write_text(source)
        return code_state.fingerprint(["*.py"], tmp_path)

    first = fingerprint('def f(x):\n    """Doubles."""\n    return 2 * x\n')
    assert fingerprint("def f(x):\n\n    return 2*x  # twice\n") == first
    assert fingerprint("def f(x):\n    return 3 * x\n") != first
    with pytest.raises(ValueError, match="names no file"):
        code_state.fingerprint(["gone/*.py"], tmp_path)


def _record(commands, code):
    return records.Record(
        commands=commands,
        commit="0" * 40,
        code=code,
        machine="2 cores of something",
        date="2026-11-26",
        seconds=1.5,
        tables={"README.md": "| 1 ± 2 |"},
        pictures={},
    )


def test_records_are_read_as_they_were_written(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "FOLDER", tmp_path / "records")
    record = _record(["true"], "1" * 64)
    records.write("one", record)
    assert records.read("one") == record
    assert records.read("two") is None
    assert json.loads((tmp_path / "records" / "one.json").read_text())["seconds"] == 1.5


def _figure_of(*commands):
    return Figure(
        name="one",
        commands=commands,
        tables={},
        depends=("tests/benchmarks/figure_making/figure.py",),
    )


def test_commands_are_run_again_from_the_first_that_changed(tmp_path):
    append = "import sys; open('run', 'a').write(sys.argv[1])"
    first, second, other, last = (("python", "-c", append, word) for word in "abcz")
    making.run_commands(_figure_of(first, second, last), tmp_path / "one", "code")
    making.run_commands(_figure_of(first, second, last), tmp_path / "one", "code")
    assert (tmp_path / "one" / "run").read_text() == "abz"
    making.run_commands(_figure_of(first, other, last), tmp_path / "one", "code")
    assert (tmp_path / "one" / "run").read_text() == "abzcz", "last may read other's"
    making.run_commands(_figure_of(first), tmp_path / "one", "other code")
    assert (tmp_path / "one" / "run").read_text() == "a"


def test_a_figure_without_a_place_is_not_begun(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "FOLDER", tmp_path)
    monkeypatch.setattr(making, "_commit", lambda figure: "0" * 40)
    begin = ("python", "-c", "open('begun', 'w')")
    figure = dataclasses.replace(_figure_of(begin), tables={"README.md": str})
    with pytest.raises(ValueError, match="no place for figure one"):
        making.make(figure, tmp_path)
    assert not (tmp_path / "one").exists()


def test_a_changed_command_makes_a_figure_stale(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "FOLDER", tmp_path)
    figure = _figure_of(("true", "--c=2"))
    assert records.is_stale(figure)
    code = code_state.fingerprint(figure.depends)
    records.write("one", _record(figure.typed, code))
    assert not records.is_stale(figure)
    assert records.is_stale(_figure_of(("true", "--c=5")))


def test_growth_is_told_by_size(tmp_path):
    """From what growth.py writes; bytes are told in MiB, and a size may be of one."""

    def point(number, seconds, peak):
        return {"number": number, "seconds": seconds, "peak": peak * 2**20}

    result = {
        "tunes": [point(1000, 12.84, 1270)],
        "molecules": [point(1000, 1.4, 1241), point(10_000, 6.75, 1244)],
        "memory": [(25_000, 1358.6 * 2**20), (50_000, 1358.8 * 2**20)],
    }
    (tmp_path / "growth.json").write_text(json.dumps(result))
    *table, _, told = speed._growth(tmp_path).splitlines()
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in table]
    del cells[1]  # the rule below the header
    assert cells == [
        ["", "1,000", "10,000"],
        ["tunes read into a dataset, s", "12.8", ""],
        ["peak memory, MiB", "1,270", ""],
        ["molecules scored, s", "1.4", "6.8"],
        ["peak memory, MiB", "1,241", "1,244"],
    ]
    assert told == (
        "Memory is 1,358.6 MiB after 25,000 steps of training by Psi, "
        "and 1,358.8 MiB after 50,000."
    )


def test_interval_of_a_further_run_is_students():
    """Of ten runs with mean 0 and deviation 1: t = 2.2622, times sqrt(1.1)."""
    low, high = reproductions.interval(0.0, 1.0, 10)
    assert (low, high) == pytest.approx((-2.3726, 2.3726), abs=1e-4)
    # As often as it says: further runs of normal figures, drawn 20,000 times.
    runs = np.random.default_rng(0).normal(3.0, 2.0, [20_000, 11])
    means, spreads = runs[:, :10].mean(1), runs[:, :10].std(1, ddof=1)
    inside = [
        low <= further <= high
        for further, (low, high) in zip(
            runs[:, 10],
            (reproductions.interval(*x, 10) for x in zip(means, spreads, strict=True)),
            strict=True,
        )
    ]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.006)


def test_paper_stands_in_bold_where_no_further_run_would_fall(tmp_path):
    def entry(model, mean, spread, published, unit="%"):
        numbers = {"mean": mean, "sd_across_runs": spread, "published": published}
        return {"metric": "a_b", "model": model, "unit": unit, "num_runs": 10} | numbers

    entries = [
        entry("untuned", 63.4, None, 63.3),
        entry("q", 50.0, 1.0, 52.0),
        entry("g", 50.0, 1.0, 53.0),
        entry("pure_rl", 99.9, 1.0, None),
    ]
    path = tmp_path / "table1.json"
    path.write_text(json.dumps({"entries": entries}))
    rows = [MetricRow("a_b", "A of b", "%"), MetricRow("c", "Not measured")]
    _, _, row = reproductions.table(path, "Note RNN", rows).splitlines()
    assert [cell.strip() for cell in row.strip("|").split("|")] == [
        *("A of b", "63.40%", "63.30%", "50.00% [47.63, 52.37]", "52.00%"),
        *("50.00% [47.63, 52.37]", "**53.00%**", "99.90% [97.53, 100.00]"),
    ]
    _, _, row = reproductions.table(path, "Note RNN", rows, False).splitlines()
    assert [cell.strip() for cell in row.strip("|").split("|")] == [
        *("A of b", "63.40%", "50.00% [47.63, 52.37]", "50.00% [47.63, 52.37]"),
        "99.90% [97.53, 100.00]",
    ]
