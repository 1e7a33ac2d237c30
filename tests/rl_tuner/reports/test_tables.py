import pytest

from rl_tuner.reports.tables import (
    MetricRow,
    comparison_table,
    markdown_table,
    plot_curves,
)

ROWS = [MetricRow("a", "Share of a", "%", "lower"), MetricRow("b", "Mean b")]


def test_comparison_table_is_markdown_with_a_row_each():
    columns = {"before": {"a": 63.3, "b": -0.16}, "after": {"a": 0.0021, "b": 1e-9}}
    assert comparison_table(ROWS, columns).splitlines() == [
        "| Metric     | before |   after | better |",
        "| ---------- | -----: | ------: | -----: |",
        "| Share of a | 63.30% | 0.0021% |  lower |",
        "| Mean b     |  -0.16 |    0.00 |        |",
    ]


def test_undefined_figure_is_a_dash():
    table = comparison_table(ROWS, {"x": {"a": float("nan"), "b": 0.0}})
    assert "|    - |" in table


def test_what_is_never_known_has_no_panel(tmp_path):
    curves = [{"step": step, "a": step, "gap": float("nan")} for step in (1, 2, 3)]
    plot_curves(curves, {"a": "a"}, "title", tmp_path / "one.png")
    plot_curves(curves, {"gap": "gap", "a": "a"}, "title", tmp_path / "known.png")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "known.png").read_bytes()


@pytest.mark.parametrize("panels", [1, 4])
def test_curves_become_a_picture(tmp_path, panels):
    labels = {f"m{index}": f"measure {index}" for index in range(panels)}
    curves = [{"step": step, **dict.fromkeys(labels, step)} for step in (1, 2, 3)]
    plot_curves(curves, labels, "title", tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_bar_within_a_cell_begins_no_other():
    rows = markdown_table([["Metric", "a|b"], ["log p(a|s)", "1.00"]])
    assert rows.splitlines() == [
        r"| Metric      | a\|b |",
        "| ----------- | ---: |",
        r"| log p(a\|s) | 1.00 |",
    ]
