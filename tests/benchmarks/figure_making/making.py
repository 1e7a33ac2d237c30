"""Makes a figure: runs its commands, writes it in its document, keeps its record."""

from __future__ import annotations

import datetime
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

from figure_making import marks, records
from figure_making.code_state import fingerprint
from figure_making.figure import ROOT, Figure

# In a figure's folder: the seconds of the commands that are done, of one state of code.
_PROGRESS = "progress.json"


def make(figure: Figure, work_dir: pathlib.Path) -> None:
    """Makes a figure unless it is made already by commands and code as they are.

    Ends the program in one line if the code is not committed or a command fails.
    """
    known = records.current(figure)
    if known is not None:
        print(f"{figure.name}: made already, on {known.date}")
        return
    code = fingerprint(figure.depends)
    commit = _commit(figure)
    for name in figure.tables:
        marks.with_block((ROOT / name).read_text(encoding="utf-8"), figure.name, "")
    folder = (work_dir / figure.name).absolute()
    seconds = run_commands(figure, folder, code)
    tables = {name: table(folder) for name, table in figure.tables.items()}
    for name, text in tables.items():
        document = (ROOT / name).read_text(encoding="utf-8")
        document = marks.with_block(document, figure.name, text)
        (ROOT / name).write_text(document, encoding="utf-8")
    for source, target in figure.pictures.items():
        (ROOT / target).parent.mkdir(exist_ok=True)
        shutil.copyfile(folder / source, ROOT / target)
    record = records.Record(
        commands=figure.typed,
        commit=commit,
        code=code,
        machine=machine(),
        date=datetime.date.today().isoformat(),
        seconds=round(sum(seconds), 1),
        tables=tables,
        pictures={
            target: records.checksum(ROOT / target)
            for target in figure.pictures.values()
        },
    )
    records.write(figure.name, record)
    print(f"{figure.name}: made in {record.seconds:,.0f} seconds")


def run_commands(figure: Figure, folder: pathlib.Path, code: str) -> list[float]:
    """Runs the commands that are not done; the seconds of each."""
    progress = folder / _PROGRESS
    done: dict[str, float] = {}
    if progress.exists():
        kept = json.loads(progress.read_text())
        if kept["code"] == code:
            done = _unchanged(kept["seconds"], figure.typed)
        else:  # of other code: from nothing
            shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    _keep(progress, code, done)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    for command, typed in zip(figure.commands, figure.typed, strict=True):
        if typed in done:
            continue
        print(f"{figure.name}: {typed}", flush=True)
        began = time.monotonic()
        words = [sys.executable if word == "python" else word for word in command]
        words = [word.replace("{root}", str(ROOT)) for word in words]
        code_of_end = subprocess.run(words, cwd=folder, env=environment).returncode
        if code_of_end:
            sys.exit(
                f"{figure.name}: {typed} ended with {code_of_end}; the same command "
                "resumes"
            )
        done[typed] = time.monotonic() - began
        _keep(progress, code, done)
    return list(done.values())


def _unchanged(seconds: dict[str, float], typed: list[str]) -> dict[str, float]:
    """Of the commands that are done those before the first that is another now.

    What comes after that one may read what it writes.
    """
    same = {}
    for done, now in zip(seconds, typed, strict=False):
        if done != now:
            break
        same[done] = seconds[done]
    return same


def _keep(path: pathlib.Path, code: str, seconds: dict[str, float]) -> None:
    path.write_text(json.dumps({"code": code, "seconds": seconds}))


def _commit(figure: Figure) -> str:
    """The commit that the figure is made of; ends the program if it is none."""
    changed = _git("status", "--porcelain", "--", *_pathspecs(figure))
    if changed:
        sys.exit(f"{figure.name} depends on what is not committed:\n{changed}")
    return _git("rev-parse", "HEAD")


def _pathspecs(figure: Figure) -> list[str]:
    return [f":(glob){pattern}" for pattern in figure.depends]


def _git(*words: str) -> str:
    return subprocess.run(
        ["git", *words], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()


def machine() -> str:
    """The processor and its cores, in words."""
    model = "unknown processor"
    try:
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    return f"{len(os.sched_getaffinity(0))} cores of {model}"
