"""What all binaries share: quiet TensorFlow, flags, and errors in one line."""

import os
import pathlib
import sys
from collections.abc import Callable

from absl import app, flags, logging

from rl_tuner.errors import UserError


def run(main: Callable[[], None]) -> None:
    """Parses the flags, runs `main()` and ends the process.

    Exit codes: 0 on success, 1 with one line on standard error when a flag or an
    input is wrong (`UserError`), 130 on an interrupt from the keyboard. TensorFlow
    must be imported inside `main`, so that `--help` does not wait for it.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    program = pathlib.Path(sys.argv[0]).stem
    try:
        app.run(lambda _: _guarded(main, program), flags_parser=_parse_flags)
    except UserError as error:  # from the flags themselves
        _fail(program, error)


def _parse_flags(argv: list[str]) -> list[str]:
    """Parses `argv`; anything wrong, or left over, is a `UserError` of one line."""
    try:
        rest = flags.FLAGS(argv)
    except flags.Error as error:
        line = " ".join(str(error).split())
        raise UserError(f"{line}; --help lists the flags") from error
    if len(rest) > 1:
        raise UserError(f"unexpected argument {rest[1]!r}; --help lists the flags")
    return rest


def _guarded(main: Callable[[], None], program: str) -> None:
    logging.set_verbosity(logging.WARNING)
    try:
        main()
    except UserError as error:
        _fail(program, error)
    except KeyboardInterrupt:
        print(f"{program}: interrupted", file=sys.stderr)
        sys.exit(130)


def _fail(program: str, error: UserError) -> None:
    print(f"{program}: error: {error}", file=sys.stderr)
    sys.exit(1)


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
