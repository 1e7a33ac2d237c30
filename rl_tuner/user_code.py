"""Finds a user's own code, which flags name as `module:name`."""

from __future__ import annotations

import contextlib
import errno
import functools
import importlib
import importlib.util
import os
import pathlib
import sys
import sysconfig
import threading
import time
import traceback
from collections.abc import Iterator
from types import FrameType
from typing import Any, NoReturn

from rl_tuner.errors import UserError
from rl_tuner.system.declared_worlds import declared_worlds

_PATIENCE = 60.0  # seconds

_found: set[str] = set()  # modules of users' own
_forks: list[int] = []  # this process, if users' code forked it


def find(path: str, what: str) -> Any:
    """Imports what `path` names: binaries look in the folder they run in, too.

    Args:
      path: `some.module:some_name`.
      what: it is meant to be, for the messages, such as `--task`.

    Raises:
      UserError: it is not of that form, cannot be imported, or is not there.
    """
    module, name = _split(path, what)
    _tell_of_exits()
    _notice_forks()
    _tell_of_calls_without_end()
    try:
        found = getattr(importlib.import_module(module), name)
    except (Exception, SystemExit) as error:  # a user's module may fail in any way
        raise _not_importable(path, what, error) from error
    _found.add(module)
    return found


def check_module(path: str, what: str) -> None:
    """Checks that the module of `path` is there, without importing it.

    Raises:
      UserError: it is not, or `path` is not of the form that `find` takes.
    """
    module, _ = _split(path, what)
    try:
        if importlib.util.find_spec(module) is None:
            raise ModuleNotFoundError(f"No module named {module!r}")
    except Exception as error:  # of the packages it lies in, which are imported
        raise _not_importable(path, what, error) from error


def loaded_files() -> dict[str, pathlib.Path]:
    """The files of the modules that were found, and of what they import beside them.

    Installed packages are none of them, nor are this one and its worlds.

    Returns:
      {path from the folder in which modules are found: file}.
    """
    if not _found:
        return {}
    ours = {entry.module.partition(".")[0] for entry in declared_worlds().values()}
    ours |= {__name__.partition(".")[0], "__main__"}
    installed = [
        pathlib.Path(path).resolve() for path in sysconfig.get_paths().values()
    ]
    files: dict[str, pathlib.Path] = {}
    paths = {
        name: pathlib.Path(file).resolve()
        for name, module in list(sys.modules.items())
        if (file := getattr(module, "__file__", None))
        and name.partition(".")[0] not in ours
    }
    for module in _found & paths.keys():
        is_package = paths[module].stem == "__init__"
        root = paths[module].parents[module.count(".") + is_package]
        for name, path in paths.items():
            is_own = name == module or not any(map(path.is_relative_to, installed))
            if is_own and path.is_relative_to(root):
                files[path.relative_to(root).as_posix()] = path
    return files


@contextlib.contextmanager
def blamed() -> Iterator[None]:
    """Turns what a user's own code raises into a `UserError` that says where.

    Raises:
      UserError: names the file, the line and the function; other errors pass.
    """
    try:
        yield
    except UserError:
        raise
    except (Exception, SystemExit) as error:
        files = {str(path) for path in loaded_files().values()}
        own = [
            frame
            for frame in traceback.extract_tb(error.__traceback__)
            if files and str(pathlib.Path(frame.filename).resolve()) in files
        ]
        if files and getattr(error, "errno", None) == errno.EBADF:
            raise UserError(
                f"files of this process were closed, which only own code does, in one "
                f"of {', '.join(sorted(files))}; it may close what it has opened"
            ) from error
        if not own:
            raise
        raise UserError(
            f"{own[-1].name}, in {own[-1].filename}, line {own[-1].lineno}, failed "
            f"({gist(error)})"
        ) from error


def end_fork(status: int = 0) -> None:
    """Ends this process if a user's own code forked it.

    To be called where own code comes back: a child that was not ended there would go on
    as if it were its parent.
    """
    if _forks:
        os._exit(status)


def gist(error: BaseException) -> str:
    """An error in a line; TensorFlow's span pages."""
    said = f": {error}" if str(error) else ""
    text = f"{type(error).__name__}{said}".strip().splitlines()
    shown = text[0] if len(text) == 1 else f"{text[0]} ... {text[-1].strip()}"
    return " ".join(shown.split())[:200]


@functools.cache
def _tell_of_exits() -> None:
    """From now on a user's module that calls `os._exit` does not end us in silence."""
    process, end = os.getpid(), os._exit

    def tell_and_end(status: int) -> NoReturn:
        caller = sys._getframe(1).f_code
        is_own = pathlib.Path(caller.co_filename).resolve() in loaded_files().values()
        if os.getpid() == process and is_own:
            print(
                f"{caller.co_name}, in {caller.co_filename}, ends this process by "
                f"os._exit({status})",
                file=sys.stderr,
                flush=True,
            )
            status = status or 1  # 0 would say that all is done
        end(status)

    os._exit = tell_and_end


@functools.cache
def _notice_forks() -> None:
    """From now on a process that is forked off this one knows that it is."""
    os.register_at_fork(after_in_child=lambda: _forks.append(os.getpid()))


@functools.cache
def _tell_of_calls_without_end() -> None:
    """From now on a line tells of a user's function that the main thread waits for."""
    main = threading.main_thread().ident or 0
    threading.Thread(target=_watch, args=[main, _PATIENCE], daemon=True).start()


def _watch(thread: int, patience: float) -> None:
    """Looks at what a thread runs; says once of each call that it takes long."""
    last: FrameType | None = None
    since, is_told = 0.0, False
    files: set[str] = set()
    num_modules = 0
    while True:
        time.sleep(patience / 6)
        if len(sys.modules) != num_modules:  # to look through them takes a while
            num_modules = len(sys.modules)
            files = {str(path) for path in loaded_files().values()}
        # The frame is kept, so that no other is taken for it.
        call = _own_call(sys._current_frames().get(thread), files)
        if call is None or call is not last:
            last, since, is_told = call, time.monotonic(), False
        elif not is_told and time.monotonic() - since >= patience:
            is_told = True
            code = call.f_code
            print(
                f"\n{code.co_name}, in {code.co_filename}, has not returned for "
                f"{patience:g} s; Ctrl-C twice ends this, and the last save stays",
                file=sys.stderr,
                flush=True,
            )


def _own_call(frame: FrameType | None, files: set[str]) -> FrameType | None:
    """The outermost frame of a user's own code; None where none runs."""
    found = None
    while frame:
        if frame.f_code.co_filename in files:
            found = frame
        frame = frame.f_back
    return found


def _split(path: str, what: str) -> tuple[str, str]:
    module, _, name = path.partition(":")
    if not (module and name):
        raise UserError(f"{what}={path} is not of the form my_module:my_name")
    return module, name


def _not_importable(path: str, what: str, error: BaseException) -> UserError:
    return UserError(
        f"{what}={path} cannot be imported ({gist(error)}); "
        f"{path.partition(':')[0]} must lie in the folder that this runs in, "
        "or on the PYTHONPATH"
    )
