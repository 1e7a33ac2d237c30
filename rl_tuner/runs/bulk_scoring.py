"""Scores millions of sequences, in shards that can be spread over machines."""

from __future__ import annotations

import csv
import dataclasses
import functools
import io
import itertools
import json
import math
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from rl_tuner import worlds
from rl_tuner.errors import UserError
from rl_tuner.networks.network import Network
from rl_tuner.system import jobs as job_runners
from rl_tuner.system import same_settings, shards, whole_files
from rl_tuner.system.text_source import TextSource
from rl_tuner.task import Task

STEM = "scores"
SUMMARY_NAME = "summary.json"
_LINES_AT_ONCE = 8192


@dataclasses.dataclass(frozen=True)
class Scoring:
    """How sequences are scored.

    Attributes:
      task: as in `--task`.
      task_settings: what the world makes the task of, as JSON.
      model: a model of the task, which has its vocabulary.
      source_settings: how the world reads the sources, as JSON.
    """

    task: str
    task_settings: str
    model: pathlib.Path
    source_settings: str = "{}"

    def source(self, path: pathlib.Path) -> TextSource:
        """A file, as the world reads it."""
        world = worlds.find_world(self.task)
        return world.sequence_source(path, json.loads(self.source_settings))


@dataclasses.dataclass(frozen=True)
class ScoringJob:
    """A shard of it.

    Attributes:
      scoring: how.
      source: a file of sequences.
      begin: where the shard begins there, as `TextSource.parts` says.
      end: where it ends.
      output: a CSV file; beside it go the sums of its columns.
    """

    scoring: Scoring
    source: pathlib.Path
    begin: int
    end: int
    output: pathlib.Path


def score_shards(
    scoring: Scoring,
    sources: Sequence[pathlib.Path],
    output_dir: pathlib.Path,
    num_shards: int,
    runner: str = job_runners.LOCAL,
    beam_options: str = "",
    done: Callable[[str], None] = lambda name: None,
) -> dict[str, Any]:
    """Writes the scores of each line to `scores-00000-of-...csv` and so on.

    They are in the order of the lines; put together, the shards hold the same however
    many there are and wherever they were made. Shards that are there already are left
    as they are.

    Args:
      scoring: how.
      sources: files of sequences.
      output_dir: that all machines see; the files of one scoring only.
      num_shards: into how many parts each source is cut.
      runner: as of `jobs.run_jobs`, as are the other two.
      beam_options: the same.
      done: the same.

    Returns:
      what is in `summary.json` too: `count`, and of each column its `mean` and
      `standard_error`, None where there are none, over the `count` of sequences that
      have a number there.

    Raises:
      UserError: the folder holds other scores, or a line is no sequence of the task.
    """
    same_settings.claim(
        output_dir / "scoring.json",
        {
            "task": scoring.task,
            "task_settings": scoring.task_settings,
            "model": str(scoring.model),
            "sources": [[str(path), path.stat().st_size] for path in sources],
            "num_shards": num_shards,
            "source_settings": scoring.source_settings,
            # Which earlier versions counted as 0.
            "without_a_number": "left out",
        },
    )
    names = shards.shard_names(STEM, ".csv", num_shards * len(sources))
    paths = [output_dir.absolute() / name for name in names]
    parts = [
        (path, *part)
        for path in sources
        for part in scoring.source(path).parts(num_shards)
    ]
    jobs = {
        path.stem: ScoringJob(scoring, source.absolute(), begin, end, path)
        for path, (source, begin, end) in zip(paths, parts, strict=True)
        if not path.exists()
    }
    job_runners.run_jobs(score_shard, jobs, output_dir, runner, beam_options, done)
    summary = _summary([_sums_path(path) for path in paths])
    whole_files.write_json(output_dir / SUMMARY_NAME, summary)
    return summary


def score_shard(job: ScoringJob) -> None:
    """Scores a shard and writes it."""
    task = _load(job.scoring)
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    sums: dict[str, list[float]] = {}
    count = 0
    left = job.scoring.source(job.source).read(job.begin, job.end)
    while texts := list(itertools.islice(left, _LINES_AT_ONCE)):
        columns = task.score_lines(texts)
        if not count:
            writer.writerow(["sequence", *columns])
        for text, *values in zip(texts, *columns.values(), strict=True):
            cells = (f"{x:.7g}" if math.isfinite(x) else "" for x in values)
            writer.writerow([text, *cells])
        for name, column in columns.items():
            numbers = np.asarray(column, np.float64)
            numbers = numbers[np.isfinite(numbers)]
            total = sums.setdefault(name, [0.0, 0.0, 0])
            total[0] += float(numbers.sum())
            total[1] += float((numbers * numbers).sum())
            total[2] += len(numbers)
        count += len(texts)
    record = json.dumps({"count": count, "sums": sums})
    whole_files.write_atomically(_sums_path(job.output), record.encode())
    # Last: it says that the shard is done.
    text = file.getvalue().encode("utf-8", "surrogateescape")
    whole_files.write_atomically(job.output, text)


def _summary(paths: Sequence[pathlib.Path]) -> dict[str, Any]:
    records = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    count = sum(record["count"] for record in records)
    if not count:
        raise UserError("there are no sequences to score: no lines in the sources")
    columns: dict[str, Any] = {}
    for name in next(record["sums"] for record in records if record["count"]):
        totals, squares, counts = zip(
            *(record["sums"][name] for record in records if record["count"]),
            strict=True,
        )
        number = sum(counts)
        if not number:
            columns[name] = {"mean": None, "standard_error": None, "count": 0}
            continue
        mean = math.fsum(totals) / number
        variance = max(0.0, math.fsum(squares) / number - mean * mean)
        error = math.sqrt(variance / number)
        columns[name] = {"mean": mean, "standard_error": error, "count": number}
    return {"count": count, "columns": columns}


def summary_lines(summary: dict[str, Any]) -> list[str]:
    """The means of a summary, a line each; with their n, where it is not all."""
    lines = []
    for name, column in summary["columns"].items():
        if not column["count"]:
            lines.append(f"{name:28}{'-':>12} of 0")
            continue
        line = f"{name:28}{column['mean']:12.5g} +- {column['standard_error']:.2g}"
        is_all = column["count"] == summary["count"]
        lines.append(line if is_all else f"{line} of {column['count']}")
    return lines


def _sums_path(output: pathlib.Path) -> pathlib.Path:
    return output.with_name(f".{output.stem}.sums.json")


@functools.lru_cache(maxsize=1)
def _load(scoring: Scoring) -> Task:
    """What scores; a process keeps the last one."""
    world = worlds.find_world(scoring.task)
    model = Network.load(scoring.model)
    return world.make_task(json.loads(scoring.task_settings), model)
