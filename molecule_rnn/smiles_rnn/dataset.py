"""Makes a dataset for the SMILES RNN: checked, deduplicated, split, on disk."""

from __future__ import annotations

import collections
import csv
import dataclasses
import hashlib
import io
import json
import pathlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from molecule_rnn.smiles_rnn import check
from molecule_rnn.smiles_rnn.check import CheckRules
from molecule_rnn.smiles_rnn.source import Line, Source
from molecule_rnn.smiles_rnn.statistics import TrainingStatistics
from molecule_rnn.vocabulary import Vocabulary
from rl_tuner.errors import UserError
from rl_tuner.pretraining import dataset_files
from rl_tuner.system import provenance
from rl_tuner.system.whole_files import read_whole

DESCRIPTION_FILE = "description.json"
SKIPPED_FILE = "skipped.csv"
SPLIT_FILES = {"training": "training.smi", "eval": "eval.smi"}


@dataclasses.dataclass(frozen=True)
class DatasetConfig:
    """How to make a dataset.

    Attributes:
      rules: what counts as a molecule, and how it is cut into tokens.
      eval_ratio: share of the molecules that is kept for evaluation, in (0, 1).
      seed: decides the split.
    """

    rules: CheckRules = dataclasses.field(default_factory=CheckRules)
    eval_ratio: float = 0.1
    seed: int = 0


@dataclasses.dataclass(frozen=True)
class SmilesDataset:
    """A dataset that was read.

    Attributes:
      training: SMILES strings to train on.
      evaluation: strings to stop by and to measure with.
      vocabulary: of both.
      statistics: of the training molecules.
      description: the content of `description.json`.
    """

    training: list[str]
    evaluation: list[str]
    vocabulary: Vocabulary
    statistics: TrainingStatistics
    description: dict[str, Any]


def create_dataset(
    source: Source,
    config: DatasetConfig,
    output_dir: pathlib.Path,
    num_workers: int = 0,
    progress: Callable[[Iterable[list[Line]]], Iterable[list[Line]]] | None = None,
) -> dict[str, Any]:
    """Reads molecules and writes them, split, with a description, to `output_dir`.

    The files appear there complete or not at all, `description.json` last. The result
    depends on the source and `config` alone.

    Args:
      source: where the molecules are from.
      config: what to keep and how to split it.
      output_dir: an existing directory; an earlier dataset in it is replaced.
      num_workers: processes that check molecules; with 0 this one does.
      progress: wraps the iteration over the checked lines.

    Returns:
      The content of `description.json`.

    Raises:
      UserError: the source cannot be read, or too little of it is a molecule.
    """
    checked: Iterable[list[Line]] = check.check_lines(
        source.lines(), config.rules, num_workers
    )
    if progress is not None:
        checked = progress(checked)
    num_lines, skipped = 0, []
    splits: dict[str, list[str]] = {name: [] for name in SPLIT_FILES}
    molecules: dict[str, set[str]] = {name: set() for name in SPLIT_FILES}
    seen: set[str] = set()
    for line in (line for lines in checked for line in lines):
        num_lines += 1
        if not line.problem and line.text in seen:
            line = dataclasses.replace(line, problem="duplicate")
        if line.problem:
            skipped.append(line)
            continue
        seen.add(line.text)
        # All spellings of a molecule: one in training would give the others away.
        held_out = is_held_out(line.molecule, config.eval_ratio, config.seed)
        split = "eval" if held_out else "training"
        splits[split].append(line.text)
        molecules[split].add(line.molecule)
    by_reason = collections.Counter(line.problem.split(":")[0] for line in skipped)
    if not all(splits.values()):
        reasons = "; ".join(f"{n}x {reason}" for reason, n in by_reason.most_common(3))
        raise UserError(
            f"{source.path} gave {len(molecules['training'])} molecules to train on "
            f"and {len(molecules['eval'])} to evaluate on, of {num_lines} lines "
            f"({reasons or 'none skipped'}); a dataset needs some of both"
            + _advice(by_reason)
        )
    vocabulary = Vocabulary.learn(seen, config.rules.tokenizer)
    statistics = TrainingStatistics.measure(splits["training"], vocabulary)
    files = {
        SPLIT_FILES[name]: "".join(f"{text}\n" for text in smiles).encode()
        for name, smiles in splits.items()
    }
    files[SKIPPED_FILE] = _skipped_table(skipped)
    description = {
        "format": "SMILES, one a line",
        "num_classes": vocabulary.num_classes,
        "settings": dataclasses.asdict(config),
        "source": source.terms,
        "counts": {
            "lines": num_lines,
            "strings": len(seen),
            "molecules": sum(map(len, molecules.values())),
            "skipped": len(skipped),
        },
        "skipped_by_reason": dict(by_reason.most_common()),
        "splits": {
            name: {
                "file": SPLIT_FILES[name],
                "strings": len(smiles),
                "molecules": len(molecules[name]),
                "sha256": hashlib.sha256(files[SPLIT_FILES[name]]).hexdigest(),
            }
            for name, smiles in splits.items()
        },
        "vocabulary": vocabulary.to_json(),
        "statistics": statistics.to_json(),
        "versions": {
            name: version
            for name, version in provenance.versions().items()
            if name in ("rl-tuner", "python", "numpy", "rdkit")
        },
    }
    text = json.dumps(description, indent=1) + "\n"
    files[DESCRIPTION_FILE] = text.encode()
    dataset_files.publish(output_dir, files, DESCRIPTION_FILE)
    return description


def is_held_out(smiles: str, eval_ratio: float, seed: int) -> bool:
    """Whether a molecule is for evaluation; by its canonical SMILES alone."""
    digest = hashlib.blake2b(f"{seed}:{smiles}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") < eval_ratio * 2**64


def read_dataset(directory: pathlib.Path) -> SmilesDataset:
    """Reads what `create_dataset` wrote.

    Raises:
      UserError: there is no finished dataset, or it is damaged.
    """
    description = read_description(directory)
    splits = {}
    for name, split in description["splits"].items():
        path = directory / split["file"]
        try:
            data = read_whole(path, 1 << 36)
        except OSError as error:
            raise UserError(f"cannot read {path}: {error.strerror}") from error
        if hashlib.sha256(data).hexdigest() != split["sha256"]:
            raise UserError(
                f"{path} is damaged: its checksum is not the one in "
                f"{DESCRIPTION_FILE}; make the dataset anew"
            )
        splits[name] = data.decode("ascii").splitlines()
    return SmilesDataset(
        training=splits["training"],
        evaluation=splits["eval"],
        vocabulary=Vocabulary.from_json(description["vocabulary"]),
        statistics=TrainingStatistics.from_json(description["statistics"]),
        description=description,
    )


def read_description(directory: pathlib.Path) -> dict[str, Any]:
    """Reads the `description.json` of a finished dataset.

    Raises:
      UserError: there is none, or it is damaged.
    """
    path = directory / DESCRIPTION_FILE
    try:
        description = json.loads(read_whole(path))
        for name, file in SPLIT_FILES.items():
            split = description["splits"][name]
            if split["file"] != file or not isinstance(split["sha256"], str):
                raise ValueError
        if description["num_classes"] != 1 + len(description["vocabulary"]["tokens"]):
            raise ValueError
        for name in ("settings", "source", "counts", "statistics"):
            description[name]
    except OSError as error:
        raise UserError(
            f"{directory} holds no finished dataset ({DESCRIPTION_FILE}: "
            f"{error.strerror}); make one with smiles_rnn_create_dataset"
        ) from error
    except (ValueError, LookupError, TypeError) as error:
        raise UserError(
            f"{path} is no description of a dataset of molecules; "
            "make the dataset anew with smiles_rnn_create_dataset"
        ) from error
    return description


def summary_text(description: dict[str, Any]) -> str:
    """The counts of a `description.json` in a few lines."""
    counts, splits = description["counts"], description["splits"]
    statistics = description["statistics"]
    lines = ["{lines} lines: {molecules} molecules, {skipped} skipped".format(**counts)]
    if counts["strings"] != counts["molecules"]:
        lines[0] += "; the molecules have {strings} spellings".format(**counts)
    for reason, number in description["skipped_by_reason"].items():
        lines.append(f"  {number:6} {reason}")
    if counts["skipped"]:
        advice = _advice(description["skipped_by_reason"])
        lines.append(f"each of them is in {SKIPPED_FILE}{advice}")
    lines += [
        f"training: {splits['training']['molecules']} molecules, "
        f"eval: {splits['eval']['molecules']}; {description['num_classes']} classes",
        "tokens a molecule, its end counted: mean {mean_length:.2f}, standard "
        "deviation {length_deviation:.2f}, {min_length} to {max_length}".format(
            **statistics
        ),
        "limits for the reward: short below {short_length:.2f} tokens, far too short "
        "below {very_short_length}; at most {carbon_limit} 'C' in a row".format(
            **statistics
        ),
    ]
    return "\n".join(lines)


def _advice(reasons: Mapping[str, int]) -> str:
    """What to do about molecules that were skipped."""
    is_long = any(check.TOO_LONG in reason for reason in reasons)
    return "; --max_length lets longer molecules in" if is_long else ""


def _skipped_table(skipped: list[Line]) -> bytes:
    """What was left out: line, reason, and the text with odd characters escaped."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(("line", "reason", "text"))
    for line in skipped:
        text = ascii(line.text[:200])[1:-1]
        writer.writerow((line.number, line.problem, text))
    return table.getvalue().encode()
