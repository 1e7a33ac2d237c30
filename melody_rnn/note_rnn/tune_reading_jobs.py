"""Reads a corpus in jobs, which can be spread over machines: see `jobs`."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import tempfile
from collections.abc import Iterator, Sequence

from melody_rnn.note_rnn.melody_extraction import ExtractionRules
from melody_rnn.note_rnn.tune_reader import FileReport, Tune, read_file
from rl_tuner.system import jobs as job_runners
from rl_tuner.system import whole_files

FILES_A_JOB = 32


@dataclasses.dataclass(frozen=True)
class ReadingJob:
    """Some files of a corpus.

    Attributes:
      root: the folder that the names are relative to.
      names: of the files.
      rules: what counts as a melody.
      output: where the reports go.
    """

    root: pathlib.Path
    names: tuple[str, ...]
    rules: ExtractionRules
    output: pathlib.Path


def read_files(
    root: pathlib.Path,
    names: Sequence[str],
    rules: ExtractionRules,
    shared_directory: pathlib.Path,
    runner: str,
    beam_options: str = "",
) -> Iterator[FileReport]:
    """Reads files as `tune_reader.read_files` does, and in the same order.

    Args:
      root: the folder of the corpus, that all machines see.
      names: relative to it.
      rules: what counts as a melody.
      shared_directory: that all machines see; reports lie there for a while.
      runner: as of `jobs.run_jobs`.
      beam_options: the same.
    """
    with tempfile.TemporaryDirectory(
        dir=shared_directory, prefix=".unfinished-"
    ) as name:
        folder = pathlib.Path(name).absolute()
        jobs = {}
        for start in range(0, len(names), FILES_A_JOB):
            job = f"files_{start:09}"
            chosen = tuple(names[start : start + FILES_A_JOB])
            jobs[job] = ReadingJob(
                root.absolute(), chosen, rules, folder / f"{job}.json"
            )
        run = job_runners.run_jobs
        run(read_and_report, jobs, shared_directory, runner, beam_options)
        for done in jobs.values():
            for report in json.loads(done.output.read_text(encoding="utf-8")):
                report["tunes"] = [Tune(**tune) for tune in report["tunes"]]
                yield FileReport(**report)


def read_and_report(job: ReadingJob) -> None:
    """Reads the files of a job and writes the reports as JSON."""
    reports = [
        dataclasses.asdict(read_file(job.root, name, job.rules)) for name in job.names
    ]
    whole_files.write_atomically(job.output, json.dumps(reports).encode())
