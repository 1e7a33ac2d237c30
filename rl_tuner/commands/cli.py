"""What all binaries share: quiet TensorFlow, flags, and errors in one line."""

import contextlib
import errno
import fcntl
import importlib
import io
import itertools
import os
import pathlib
import re
import resource
import sys
from collections.abc import Callable, Iterator
from typing import Any

from absl import app, flags, logging

from rl_tuner import user_code
from rl_tuner.errors import UserError

# Keras imports them where they are installed, which takes a second, to wrap and to show
# what nothing here does.
_UNUSED_BY_KERAS = ("sklearn", "matplotlib.pyplot")

_LARGEST_FLAGFILE = 1 << 20
_FIRST_KEPT = 1000  # descriptors below it are what loops over them close
# What a disk says that is full.
_FULL = (errno.ENOSPC, errno.EDQUOT)


def run(
    main: Callable[[], None], define_flags: Callable[[list[str]], Any] | None = None
) -> None:
    """Parses the flags, runs `main()` and ends the process.

    `define_flags` is called with the command line first, for flags that depend on it.

    Exit codes: 0 on success, 1 with one line on standard error when a flag or an
    input is wrong (`UserError`), 130 on an interrupt from the keyboard. TensorFlow
    must be imported inside `main`, so that `--help` does not wait for it.
    """
    program = pathlib.Path(sys.argv[0]).stem
    _open_what_is_closed()
    _keep_streams()
    for stream in (sys.stdout, sys.stderr):  # names of files may be of any encoding
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    # Where a user's own tasks and rules are found, but nothing that is installed.
    with contextlib.suppress(FileNotFoundError):  # it was deleted
        sys.path.append(os.getcwd())
    try:
        if define_flags:
            define_flags(sys.argv)
        if {"--help", "-help", "-h"}.intersection(sys.argv[1:]):
            print(_help(sys.modules[main.__module__].__doc__, program), flush=True)
            sys.exit(0)
        app.run(lambda _: _guarded(main, program), flags_parser=_parse_flags)
    except UserError as error:  # of the flags themselves
        _fail(program, error)
    except BrokenPipeError:  # whoever read the output wants no more: `... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        if error.errno not in _FULL:
            raise  # a mistake of ours
        _fail(program, UserError(f"cannot write: {error.strerror}"))
    except RuntimeError as error:
        if "home directory" not in str(error):  # as pathlib says it
            raise
        line = (
            "a path begins with the ~ of nobody that this machine knows; write it out"
        )
        _fail(program, UserError(line))


def _open_what_is_closed() -> None:
    """Gives what was closed, as by `2>&-`, a place: else the next file would take it.

    What libraries say on standard error would be written into that file.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
        if getattr(sys, name) is None:
            mode = "w" if number else "r"
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115


class _Kept(io.TextIOWrapper):
    """A stream that stays open."""

    def close(self) -> None:
        """Writes what is left."""
        self.flush()


def _keep_streams() -> None:
    """Has us write by descriptors that nobody else knows of, and so does not close.

    Own code may close 1 and 2: the next file, such as a save, would be one of these.
    """
    first = min(_FIRST_KEPT, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if type(stream) is not io.TextIOWrapper:  # but a test's or a notebook's
            continue
        stream.flush()
        number = fcntl.fcntl(stream.fileno(), fcntl.F_DUPFD_CLOEXEC, first)
        file = io.FileIO(number, "w")
        is_raw = isinstance(stream.buffer, io.RawIOBase)  # as by python -u
        kept = _Kept(
            file if is_raw else io.BufferedWriter(file),
            encoding=stream.encoding,
            line_buffering=stream.line_buffering,
            write_through=stream.write_through,
        )
        setattr(sys, name, kept)


def load_tensorflow() -> None:
    """Imports TensorFlow, and says so, since it takes seconds.

    Its start-up messages go to the C library's standard error before any log level is
    heeded; they are shown only to users who set TF_CPP_MIN_LOG_LEVEL themselves.
    """
    if "tensorflow" in sys.modules:
        return
    print("loading TensorFlow ...", file=sys.stderr, flush=True)
    with _hidden(*_UNUSED_BY_KERAS):
        _import_tensorflow()


@contextlib.contextmanager
def _hidden(*names: str) -> Iterator[None]:
    """Modules that are not loaded yet cannot be imported while it is entered."""
    hidden = [name for name in names if name not in sys.modules]
    try:
        sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def _import_tensorflow() -> None:
    """Imports it without its messages."""
    if "TF_CPP_MIN_LOG_LEVEL" in os.environ:
        importlib.import_module("tensorflow")
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        tensorflow = importlib.import_module("tensorflow")
    finally:
        os.dup2(kept, 2)
        os.close(kept)
    tensorflow.get_logger().setLevel("ERROR")


def _help(doc: str | None, program: str) -> str:
    """What the binary does, and its flags, by the module that defines them."""
    parts = [(doc or program).strip()]
    for module in flags.FLAGS.flags_by_module_dict():
        if not module.startswith("absl"):
            parts.append(flags.FLAGS.module_help(module).partition("\n")[2])
    return "\n\n".join(parts)


def _parse_flags(argv: list[str]) -> list[str]:
    """Parses `argv`; anything wrong, or left over, is a `UserError` of one line."""
    try:
        _check_flagfiles(argv)
        rest = flags.FLAGS(argv)
    except UnicodeDecodeError as error:
        raise UserError(
            f"the --flagfile is no text in UTF-8: {error.reason}"
        ) from error
    except flags.Error as error:
        line = " ".join(str(error).split())
        # What absl passes on from int() and float().
        line = re.sub(r"invalid literal for int.*", "it takes a whole number", line)
        line = re.sub(r"could not convert string .*", "it takes a number", line)
        raise UserError(f"{line}; --help lists the flags") from error
    if len(rest) > 1:
        raise UserError(f"unexpected argument {rest[1]!r}; --help lists the flags")
    return rest


def _check_flagfiles(argv: list[str]) -> None:
    """Proves that files of flags have an end: absl would read what has none."""
    for arg, following in itertools.pairwise([*argv, ""]):
        name, _, path = arg.lstrip("-").partition("=")
        if not arg.startswith("-") or name != "flagfile":
            continue
        path = os.path.expanduser(path or following)
        if not os.path.isfile(path) and os.path.exists(path):
            raise UserError(f"--flagfile={path} is no file")
        if os.path.isfile(path) and os.path.getsize(path) > _LARGEST_FLAGFILE:
            raise UserError(f"--flagfile={path} is larger than 1 MiB")


def _guarded(main: Callable[[], None], program: str) -> None:
    logging.set_verbosity(logging.ERROR)
    try:
        with user_code.blamed():
            try:
                main()
            finally:
                user_code.end_fork(1)
    except UserError as error:
        _fail(program, error)
    except KeyboardInterrupt:
        print(f"{program}: interrupted", file=sys.stderr)
        sys.exit(130)
    except MemoryError as error:
        said = f" ({user_code.gist(error)})" if str(error) else ""
        _fail(program, UserError(f"there is not enough memory for this{said}"))
    except OSError as error:
        if error.filename is None and error.errno not in _FULL:
            raise  # a broken pipe, or a mistake of ours
        where = f" {error.filename}" if error.filename else ""
        _fail(program, UserError(f"cannot read or write{where}: {error.strerror}"))


def _fail(program: str, error: UserError) -> None:
    # What users give may hold line breaks and other control characters.
    line = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode()
        for char in str(error)
    )
    print(f"{program}: error: {line}", file=sys.stderr)
    try:
        sys.stdout.flush()
    except OSError:  # Python would try again at its end, and tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(1)


def check_at_least(**least: int) -> None:
    """Proves that flags are not below a number; a `UserError` names the first that is.

    Args:
      **least: the least value of each, by the flag's name.
    """
    for name, number in least.items():
        value: Any = flags.FLAGS[name].value
        if value < number:
            raise UserError(f"--{name}={value} must be at least {number}")


def writable_directory(path: str, flag: str = "output_dir") -> pathlib.Path:
    """Creates `path` if need be and proves that files can be written there.

    Raises:
      UserError: `path` is empty, is a file, or cannot be created or written.
    """
    if not path:
        raise UserError(f"--{flag} is empty; name a directory to write to")
    directory = pathlib.Path(path).expanduser()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        probe = directory / f".write_probe_{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UserError(
            f"cannot write to --{flag}={path}: {error.strerror}; "
            "choose a directory that you may write to"
        ) from error
    return directory
