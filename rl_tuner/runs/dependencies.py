"""What a run depends on beside its settings: SHA-256 by what it is."""

from __future__ import annotations

import hashlib
import json
import pathlib
from typing import TYPE_CHECKING, Any

from rl_tuner import user_code
from rl_tuner.errors import UserError
from rl_tuner.system.whole_files import read_whole
from rl_tuner.world import World

if TYPE_CHECKING:
    from rl_tuner.generation.diversity import Corpus
    from rl_tuner.networks.network import Network


def of_run(
    world: World, task_settings: dict[str, Any], prior: Network, path: pathlib.Path
) -> dict[str, str]:
    """The fingerprints of what every run depends on: its task and its prior.

    Raises:
      UserError: as of `of_task`.
    """
    return {**of_task(world, task_settings), **of_model(prior, path)}


def of_model(model: Network, path: pathlib.Path) -> dict[str, str]:
    """The fingerprint of all but the weights, which have one of their own.

    A vocabulary, or the statistics of a training set, decide about rewards.
    """
    known = {**model.architecture(), "metadata": model.metadata}
    digits = hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()
    return {f"what the model {path.absolute()} says of itself": digits}


def of_task(world: World, task_settings: dict[str, Any]) -> dict[str, str]:
    """The fingerprints of users' modules, and of the files that a task is made of.

    To be called when the task is made: the modules are those that are loaded.

    Raises:
      UserError: a file can no longer be read.
    """
    modules = user_code.loaded_files()
    return {f"the module {name}": _of_file(modules[name]) for name in modules} | {
        f"the file {path}": _of_file(path) for path in world.files_of(task_settings)
    }


def of_corpus(corpus: Corpus, directory: str) -> dict[str, str]:
    """The fingerprint of a corpus' sequences, whatever file they are in."""
    digest = hashlib.sha256()
    for sequence in corpus.sequences:
        data = sequence.encode() if isinstance(sequence, str) else sequence.tobytes()
        digest.update(len(sequence).to_bytes(8, "little") + data)
    return {f"the corpus {directory}": digest.hexdigest()}


def _of_file(path: pathlib.Path) -> str:
    try:
        return hashlib.sha256(read_whole(path, 1 << 33)).hexdigest()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
