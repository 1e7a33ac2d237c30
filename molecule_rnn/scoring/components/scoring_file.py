"""Reads a scoring file, `--scoring=my_scoring.toml`."""

from __future__ import annotations

import re
import sys

from molecule_rnn.scoring.components.oracles import oracle
from molecule_rnn.scoring.components.scoring_function import (
    ComponentError,
    ScoringFunction,
)
from rl_tuner.errors import UserError
from rl_tuner.system.whole_files import read_whole

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_HEADING = re.compile(r"\s*\[\[\s*component\s*\]\]")


def read(path: str) -> ScoringFunction:
    """Reads and checks a scoring file.

    Raises:
      UserError: it cannot be read, or something in it makes no sense; names the line.
    """
    try:
        text = read_whole(path).decode("utf-8-sig")
        content = tomllib.loads(text.replace("\r\n", "\n"))
    except OSError as error:
        raise UserError(f"cannot read --scoring={path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"--scoring={path} is not UTF-8 text") from error
    except (ValueError, RecursionError) as error:  # of numbers and depths without end
        raise UserError(f"--scoring={path} is no TOML: {error}") from error
    try:
        return ScoringFunction.from_json(content)
    except ComponentError as error:
        headings = [
            number
            for number, line in enumerate(text.splitlines(), 1)
            if _HEADING.match(line)
        ]
        where = f"component {error.number}"
        if error.number <= len(headings):
            where += f", line {headings[error.number - 1]}"
        raise UserError(f"--scoring={path}, {where}: {error.problem}") from None
    except UserError as error:
        raise UserError(f"--scoring={path}: {error}") from None


def of_oracle(name: str) -> ScoringFunction:
    """An oracle alone, as a file with this one component would have it.

    Raises:
      UserError: there is no such oracle.
    """
    oracle(name)
    return ScoringFunction.from_json({"component": [{"property": name}]})
