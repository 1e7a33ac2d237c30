"""Runs independent jobs in this process, or on any runner of Apache Beam.

A job does the same in either case and leaves its results in files, so they do not
depend on where it ran. Beam may run a job twice: it must write its files whole.
"""

from __future__ import annotations

import functools
import importlib
import logging
import pathlib
import shlex
import tempfile
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from rl_tuner.errors import UserError
from rl_tuner.system import whole_files

LOCAL = "local"


def run_jobs(
    function: Callable[[Any], None],
    jobs: Mapping[str, Any],
    shared_directory: pathlib.Path,
    runner: str = LOCAL,
    beam_options: str = "",
    done: Callable[[str], None] = lambda name: None,
) -> None:
    """Calls `function(job)` for each job.

    Args:
      function: of a module, so that another machine can import it.
      jobs: by name; they can be pickled.
      shared_directory: that all machines see.
      runner: `LOCAL`, or the name of a Beam runner.
      beam_options: further options of it, as on a command line.
      done: called with each job that has ended, if they run in this process.

    Raises:
      UserError: a job raised one, which the message names; or Beam is not installed,
        or refuses its options.
    """
    if runner == LOCAL:
        for name, job in jobs.items():
            try:
                function(job)
            except UserError as error:
                raise UserError(f"{name}: {error}") from error
            done(name)
        return
    beam, options = _beam(runner, beam_options)
    prefix = ".unfinished-"
    with tempfile.TemporaryDirectory(dir=shared_directory, prefix=prefix) as name:
        errors = pathlib.Path(name).absolute()
        call = functools.partial(
            _call, function.__module__, function.__name__, str(errors)
        )
        with beam.Pipeline(options=options) as pipeline:
            _ = (
                pipeline
                | "Jobs" >> beam.Create(list(jobs.items()))
                | "Spread" >> beam.Reshuffle()
                | "Work" >> beam.Map(call)
            )
        for path in sorted(errors.iterdir()):
            raise UserError(path.read_text(encoding="utf-8"))


def _call(module: str, function: str, errors: str, named_job: tuple[str, Any]) -> None:
    """What a worker does; a `UserError` is no reason to try again."""
    name, job = named_job
    try:
        getattr(importlib.import_module(module), function)(job)
    except UserError as error:
        path = pathlib.Path(errors) / f"{name}.txt"
        whole_files.write_atomically(path, f"{name}: {error}".encode())


def _beam(runner: str, beam_options: str) -> tuple[Any, Any]:
    """Beam, and its options."""
    try:
        # Importing it warns of what the clouds would need.
        logging.getLogger().setLevel(logging.ERROR)
        warnings.filterwarnings("ignore", module="apache_beam")
        import apache_beam as beam
        from apache_beam.options.pipeline_options import PipelineOptions
        from apache_beam.runners.runner import create_runner
    except ImportError as error:
        raise UserError(
            f"--runner={runner} needs Apache Beam; pip install 'rl-tuner[beam]', or "
            f"take --runner={LOCAL}"
        ) from error
    try:
        given = shlex.split(beam_options)
        create_runner(runner)
        options = PipelineOptions([f"--runner={runner}", *given])
    except (ValueError, ImportError, AttributeError) as error:
        line = " ".join(str(error).split())
        raise UserError(
            f"--runner={runner} --beam_options={beam_options}: {line}"
        ) from error
    return beam, options
