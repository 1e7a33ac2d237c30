"""The table of models beside the untuned one and the published figures."""

from __future__ import annotations

import csv
import io
import math
import pathlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from rl_tuner.metrics import Evaluation, MetricRow
from rl_tuner.reports.models import UNTUNED, in_order, label
from rl_tuner.reports.publication import Publication
from rl_tuner.reports.significance import LEVEL, Summary, summarize, verdict
from rl_tuner.reports.tables import (
    POLICY_ROWS,
    format_figure,
    markdown_table,
)
from rl_tuner.system.whole_files import write_json

if TYPE_CHECKING:
    from rl_tuner.task import Task


class Entry(NamedTuple):
    """A metric of a model.

    Attributes:
      c: of the models that it is compared with.
      model: as in `reports.models`.
      metric: how it is shown.
      summary: its figure.
      published: the paper's; NaN if there is none.
      p: two-sided, against the untuned model; NaN where that is not known.
      verdict: `better` or `worse` where p is below `significance.LEVEL`, else empty.
    """

    c: float
    model: str
    metric: MetricRow
    summary: Summary
    published: float
    p: float
    verdict: str


class Cell(NamedTuple):
    """What a table shows in one place.

    Attributes:
      figure: the number, or a heading.
      errors: what is printed behind it.
      verdict: as in `Entry`.
    """

    figure: str
    errors: str = ""
    verdict: str = ""


def rows_of(task: Task, evaluation: Evaluation) -> list[MetricRow]:
    """How what was measured is shown: as the task says, or by its name."""
    rows = [*task.metric_rows(), *POLICY_ROWS]
    named = {row.name for row in rows}
    others = [MetricRow(name, name) for name in evaluation.metrics if name not in named]
    return [*others, *rows]


def compare(
    c: float,
    evaluations: Mapping[str, Sequence[Evaluation]],
    rows: Sequence[MetricRow],
    publication: Publication,
) -> list[Entry]:
    """Compares models, metric by metric.

    Args:
      c: of the tuned models.
      evaluations: of each model's runs; of the untuned one under `grid.UNTUNED`.
      rows: the metrics, in order.
      publication: of the published figures.
    """
    entries = []
    for row in rows:
        baseline = None
        for model in in_order(evaluations):
            runs = evaluations[model]
            if any(row.name not in run.metrics for run in runs):
                continue
            summary = summarize(
                [run.metrics[row.name] for run in runs],
                [run.standard_errors.get(row.name, math.nan) for run in runs],
            )
            p, mark = math.nan, ""
            if model == UNTUNED:
                baseline = summary
            elif baseline is not None:
                p, mark = verdict(row.better, summary, baseline)
            published = publication.published.get(model, {}).get(row.name, math.nan)
            entries.append(Entry(c, model, row, summary, published, p, mark))
    return entries


def write_tables(
    stem: pathlib.Path,
    title: str,
    remarks: Sequence[str],
    tables: Mapping[str, Sequence[Entry]],
    publication: Publication,
) -> str:
    """Writes tables as Markdown, CSV and JSON.

    Args:
      stem: where to, without the ending.
      title: of the Markdown file.
      remarks: sentences that a reader must know.
      tables: by their heading, which may be empty.
      publication: of what was published.

    Returns:
      the Markdown.
    """
    everything = [entry for entries in tables.values() for entry in entries]
    explained = [*remarks, *legend(everything, publication)]
    parts = [f"# {title}"]
    for heading, entries in tables.items():
        parts += [f"## {heading}"] if heading else []
        parts.append(as_markdown(entries, publication))
    text = "\n\n".join([*parts, *explained])
    stem.with_suffix(".md").write_text(text + "\n", encoding="utf-8")
    stem.with_suffix(".csv").write_text(as_csv(everything), encoding="utf-8")
    content = {"remarks": explained, "entries": as_records(everything)}
    write_json(stem.with_suffix(".json"), content)
    return text


def as_records(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """The entries for JSON and CSV; what is not known is None."""
    return [
        {
            "c": entry.c,
            "model": entry.model,
            "metric": entry.metric.name,
            "unit": entry.metric.unit,
            "better": entry.metric.better,
            "mean": _known(entry.summary.mean),
            "standard_error": _known(entry.summary.standard_error),
            "sd_across_runs": _known(entry.summary.spread),
            "num_runs": entry.summary.num_runs,
            "published": _known(entry.published),
            "p": _known(entry.p),
            "significant": entry.verdict,
        }
        for entry in entries
    ]


def as_csv(entries: Sequence[Entry]) -> str:
    """A line for each metric of each model."""
    records = as_records(entries)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(records[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


def as_markdown(entries: Sequence[Entry], publication: Publication) -> str:
    """A table to read; better is bold, worse has a dagger."""
    table: list[list[str]] = []
    for row in layout(entries, publication):
        table.append([])
        for cell in row:
            figure = {"better": f"**{cell.figure}**", "worse": f"{cell.figure}†"}.get(
                cell.verdict, cell.figure
            )
            table[-1].append(f"{figure} {cell.errors}".strip())
    return markdown_table(table)


def layout(entries: Sequence[Entry], publication: Publication) -> list[list[Cell]]:
    """The cells of a table: metrics down, models across, the paper's beside ours."""
    found = {(entry.metric.name, entry.model): entry for entry in entries}
    metrics = {entry.metric.name: entry.metric for entry in entries}
    models = in_order(entry.model for entry in entries)
    columns: list[tuple[str, bool]] = []
    for model, following in zip(models, [*models[1:], None], strict=True):
        columns.append((model, False))
        published = publication.published.get(model)
        # Variants of one model share a published column, behind the last of them.
        if published and publication.published.get(following or "") is not published:
            columns.append((model, True))
    labels = {model: label(model, publication.prior_label) for model in models}
    header = ["paper" if is_paper else labels[model] for model, is_paper in columns]
    table = [[Cell("Metric"), *map(Cell, header), Cell("better")]]
    for name, metric in metrics.items():
        cells = [_cell(found.get((name, m)), is_paper) for m, is_paper in columns]
        table.append([Cell(metric.label), *cells, Cell(metric.better)])
    return table


def legend(entries: Sequence[Entry], publication: Publication) -> list[str]:
    """Sentences that say what the marks in a table mean, and which test was made."""
    num_runs = max(entry.summary.num_runs for entry in entries)
    prior = publication.prior_label
    test = (
        f"Bold is better than {prior} at p < {LEVEL:g}, two-sided, and † is worse; no "
        "correction is made for the number of tests, and where a metric should be near "
        "zero, absolute values are compared. "
    )
    if num_runs > 1:
        figures = (
            "Figures are means over seeds, ± their standard error from the sampling "
            "of sequences, and in brackets the standard deviation across "
            f"{num_runs} seeds."
        )
        test += (
            "The test is Welch's t with the runs of the seeds as units: it says "
            "whether the tuning makes a difference."
        )
    else:
        figures = "Figures are means ± their standard error."
        test += (
            "The test is z = difference / sqrt(SE1² + SE2²): it says that two networks "
            "differ, not that those of another seed would."
        )
    clusters = (
        "Standard errors take sequences as independent, and the events of one as a "
        "cluster."
    )
    if len({entry.model for entry in entries}) == 1:
        return [figures, clusters]
    return [figures, clusters, test]


def _cell(entry: Entry | None, is_paper: bool) -> Cell:
    if entry is None:
        return Cell("-")
    unit = entry.metric.unit
    if is_paper:
        return Cell(format_figure(entry.published, unit))
    mean, standard_error, spread, _ = entry.summary
    known = [error for error in (standard_error, spread) if math.isfinite(error)]
    if not known or not math.isfinite(mean):
        return Cell(format_figure(mean, unit), "", entry.verdict)
    # As many digits as the larger error leaves one of.
    decimals = 2
    if 1e-6 < max(known) < 0.01:
        decimals = -math.floor(math.log10(max(known)))
    errors = []
    if math.isfinite(standard_error):
        errors.append(f"±{standard_error:.{decimals}f}")
    if math.isfinite(spread):
        errors.append(f"[{spread:.{decimals}f}]")
    return Cell(f"{mean:.{decimals}f}{unit}", " ".join(errors), entry.verdict)


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
