"""Which lines of a source are molecules: RDKit's word, on all cores."""

from __future__ import annotations

import collections
import dataclasses
import functools
import itertools
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future

from molecule_rnn.scoring.workers import StringWorkers
from molecule_rnn.smiles_rnn.source import Line
from molecule_rnn.vocabulary import CHARACTERS, tokenize

TOO_LONG = "tokens"  # the end of that problem
_CHUNK = 1000  # lines that come back at once
_JOB = f"{__name__}:LineChecker"
_CHUNKS_AHEAD = 4  # that are being checked meanwhile


@dataclasses.dataclass(frozen=True)
class CheckRules:
    """What counts as a molecule for a SMILES RNN.

    Attributes:
      tokenizer: what lengths are counted in.
      max_length: the most tokens, without the end of the sequence.
      canonical: whether strings are replaced with RDKit's canonical ones.
    """

    tokenizer: str = CHARACTERS
    max_length: int = 120
    canonical: bool = False


def check_lines(
    lines: Iterable[Line], rules: CheckRules, num_workers: int = 0
) -> Iterator[list[Line]]:
    """Checks lines, and yields them in their order, some at a time.

    A line that holds no molecule comes back with a `problem`, another with its
    `molecule`, and under `canonical` with this as its text.

    Args:
      lines: of a source.
      rules: what counts as a molecule.
      num_workers: processes, which a string may kill; with 0 this one checks.
    """
    remaining = iter(lines)
    chunks = iter(lambda: list(itertools.islice(remaining, _CHUNK)), [])
    if not num_workers:
        _be_quiet()
        yield from map(functools.partial(_check_chunk, rules), chunks)
        return
    workers = StringWorkers(_JOB, dataclasses.asdict(rules), (), num_workers)
    begun: collections.deque[tuple[list[Line], list[Future]]] = collections.deque()
    try:
        for chunk in chunks:
            begun.append((chunk, workers.start([line.text for line in chunk])))
            if len(begun) > _CHUNKS_AHEAD:
                yield _collected(*begun.popleft())
        while begun:
            yield _collected(*begun.popleft())
    finally:
        workers.close()


class LineChecker:
    """`check_line` in a process of its own; a `worker_job.Job` without stages.

    Attributes:
      complaints: none.
      failures: none.
    """

    stages = ()

    def __init__(self, **rules: str | int | bool):
        """Takes the fields of `CheckRules`."""
        self._rules = CheckRules(**rules)  # type: ignore[arg-type]
        self.complaints: dict[str, str] = {}
        self.failures: collections.Counter[str] = collections.Counter()
        _be_quiet()

    def __call__(
        self, text: str, skipped: Collection[int], begin: Callable[[int], None]
    ) -> tuple[str, str, str]:
        """The text, maybe another one, its problem, and its molecule."""
        del skipped, begin
        line = check_line(Line(0, text), self._rules)
        return line.text, line.problem, line.molecule


def _collected(lines: list[Line], futures: list[Future]) -> list[Line]:
    """The lines as `check_line` makes them, from the results of `LineChecker`."""
    results = itertools.chain.from_iterable(future.result() for future in futures)
    checked = []
    for line, result in zip(lines, results, strict=True):
        text, problem, molecule = result or (line.text, "RDKit does not survive it", "")
        if not line.problem:
            line = Line(line.number, text, problem, molecule)
        checked.append(line)
    return checked


def check_line(line: Line, rules: CheckRules) -> Line:
    """The line with its molecule if it holds one; else with its `problem`."""
    if line.problem:
        return line
    problem = _text_problem(line.text, rules)
    if problem:
        return dataclasses.replace(line, problem=problem)
    from rdkit import Chem

    molecule = Chem.MolFromSmiles(line.text)
    if molecule is None:
        return dataclasses.replace(line, problem=_chemistry_problem(line.text))
    if not molecule.GetNumAtoms():
        return dataclasses.replace(line, problem="no atoms")
    canonical = Chem.MolToSmiles(molecule)
    text = canonical if rules.canonical else line.text
    return Line(line.number, text, _text_problem(text, rules), canonical)


def _text_problem(text: str, rules: CheckRules) -> str:
    if any("\udc80" <= character <= "\udcff" for character in text):
        return "not UTF-8"
    if not all("!" <= character <= "~" for character in text):
        return "characters that SMILES has not"
    if len(tokenize(text, rules.tokenizer)) > rules.max_length:
        return f"more than {rules.max_length} {TOO_LONG}"
    return ""


def _chemistry_problem(text: str) -> str:
    from rdkit import Chem

    molecule = Chem.MolFromSmiles(text, sanitize=False)
    if molecule is None:
        return "no SMILES that RDKit can parse"
    problems = [p.Message() for p in Chem.DetectChemistryProblems(molecule)]
    return ": ".join(["no molecule by RDKit's rules", *problems[:1]])


def _check_chunk(rules: CheckRules, lines: list[Line]) -> list[Line]:
    return [check_line(line, rules) for line in lines]


def _be_quiet() -> None:
    """Keeps RDKit from writing about every line that is no molecule."""
    from rdkit import rdBase

    rdBase.DisableLog("rdApp.*")
