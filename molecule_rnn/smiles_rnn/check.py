"""Which lines of a source are molecules: RDKit's word, on all cores."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import functools
import itertools
import multiprocessing
import signal
from collections.abc import Iterable, Iterator

from molecule_rnn.smiles_rnn.source import Line
from molecule_rnn.vocabulary import CHARACTERS, tokenize

_CHUNK = 1000  # lines that a process gets at once


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
    lines: Iterable[Line], rules: CheckRules, num_workers: int = 1
) -> Iterator[list[Line]]:
    """Checks lines, and yields them in their order, some at a time.

    A line that holds no molecule comes back with a `problem`; under `canonical` the
    others come back with another text.

    Args:
      lines: of a source.
      rules: what counts as a molecule.
      num_workers: processes.
    """
    remaining = iter(lines)
    chunks = iter(lambda: list(itertools.islice(remaining, _CHUNK)), [])
    check = functools.partial(_check_chunk, rules)
    if num_workers == 1:
        _be_quiet()
        yield from map(check, chunks)
        return
    # Spawned, not forked: the caller may hold TensorFlow's threads.
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(
        num_workers, context, initializer=_begin_worker
    ) as pool:
        yield from pool.map(check, chunks)


def check_line(line: Line, rules: CheckRules) -> Line:
    """The line if it holds a molecule; else with its `problem`."""
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
    if rules.canonical:
        text = Chem.MolToSmiles(molecule)
        return dataclasses.replace(line, text=text, problem=_text_problem(text, rules))
    return line


def _text_problem(text: str, rules: CheckRules) -> str:
    if any("\udc80" <= character <= "\udcff" for character in text):
        return "not UTF-8"
    if not all("!" <= character <= "~" for character in text):
        return "characters that SMILES has not"
    if len(tokenize(text, rules.tokenizer)) > rules.max_length:
        return f"more than {rules.max_length} tokens"
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


def _begin_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its workers
    _be_quiet()


def _be_quiet() -> None:
    """Keeps RDKit from writing about every line that is no molecule."""
    from rdkit import rdBase

    rdBase.DisableLog("rdApp.*")
