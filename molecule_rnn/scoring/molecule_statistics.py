"""Statistics of generated strings as molecules: the counts behind Table 2."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from rdkit import DataStructs

from molecule_rnn.moses.metrics import (
    cosine_similarity,
    morgan_fingerprints,
    nearest_similarities,
)
from molecule_rnn.scoring.descriptors import COMPONENTS
from molecule_rnn.scoring.profiler import STAGES, Profiler
from molecule_rnn.scoring.workers import InProcess, StringWorkers
from rl_tuner.system.provenance import available_cores

# Sizes of samples whose uniqueness is compared across papers (Polykovskiy et al. 2020).
UNIQUE_SAMPLES = (1_000, 10_000)
# Molecules, from the first on, for what is too slow for all, or depends on how many.
PAINS_SAMPLE = 10_000
DIVERSITY_SAMPLE = 1_000
# Molecules of each of two sets that are compared, and of the training set so many that
# lie evenly in it.
COMPARED_SAMPLE = 10_000
# Fewer strings than these are not worth starting processes for.
_FEW = 200


class Bins(NamedTuple):
    """Where a histogram counts; what lies outside counts in the outermost bins."""

    low: float
    high: float
    number: int

    @property
    def edges(self) -> np.ndarray:
        """Of the bins, [number + 1]."""
        return np.linspace(self.low, self.high, self.number + 1)


HISTOGRAMS: Mapping[str, Bins] = {
    "log_p": Bins(-3.0, 9.0, 48),
    "sa": Bins(1.0, 8.0, 56),
    "qed": Bins(0.0, 1.0, 50),
    "length": Bins(0.0, 120.0, 60),
}


def profile_workers(
    num_strings: int, num_processes: int | None = None
) -> StringWorkers | InProcess:
    """What profiles this many strings quickest; to be closed after use.

    Args:
      num_strings: a few are profiled in this process.
      num_processes: otherwise; by default one for each core.
    """
    if num_strings < _FEW:
        return InProcess(Profiler())
    return start_profilers(num_processes or available_cores())


def start_profilers(num_processes: int) -> StringWorkers | InProcess:
    """So many processes that profile, with 0 this one; to be closed after use."""
    if not num_processes:
        return InProcess(Profiler())
    return StringWorkers(
        "molecule_rnn.scoring.profiler:Profiler", {}, STAGES, num_processes
    )


def molecule_stats(
    smiles: Sequence[str],
    workers: StringWorkers | InProcess | None = None,
    training_set: Collection[str] | None = None,
) -> dict[str, Any]:
    """Counts what strings are as molecules.

    Args:
      smiles: N strings, molecules or not, in the order in which they were generated.
      workers: of `profile_workers`; by default some are started and closed again.
      training_set: canonical SMILES, as of `canonical_smiles`, to count what is new.

    Returns:
      A dictionary that JSON can hold: `num_strings` and `num_valid`; of the valid ones,
      `sums` and `sums_of_squares` of each component, and of `length`, that of the
      string in characters; `num_unique`, how many of the
      first 1,000 and 10,000 are distinct molecules (None if there are fewer valid
      ones); `num_distinct` molecules in all, and of these, with a training set,
      `num_novel`; `num_scaffolds`, distinct ring systems with their linkers;
      `num_filtered`, how many of the first went through the PAINS filter, and
      `num_passing`, and `num_accepted` by a filter as MOSES's; with a training set
      `compared`, see `compare`, else None; `internal_diversity`, 1 - the mean Tanimoto
      similarity of two of the first 1,000 (Morgan fingerprints of radius 2, 1,024
      bits), NaN if there are not two; `histograms`, counts in the bins of `HISTOGRAMS`.
    """
    if workers is None:
        workers = profile_workers(len(smiles))
        try:
            return molecule_stats(smiles, workers, training_set)
        finally:
            workers.close()
    profiles = profile(smiles, workers, (*COMPONENTS, "canonical", "scaffold"))
    known = {k: values for k, values in profiles.items() if values is not None}
    valid = [string for string in smiles if string in known]
    columns = {
        name: np.array([known[string][name] for string in valid]) for name in COMPONENTS
    }
    columns["length"] = np.array([len(string) for string in valid], float)
    canonical = [known[string]["canonical"] for string in valid]
    scaffolds = {known[string]["scaffold"] for string in valid}
    distinct = set(canonical)
    filtered = valid[:PAINS_SAMPLE]
    alerts = profile(filtered, workers, ("pains", "refusal"))
    found = [values for values in map(alerts.get, filtered) if values is not None]
    return {
        "num_strings": len(smiles),
        "num_valid": len(valid),
        "sums": {name: float(column.sum()) for name, column in columns.items()},
        "sums_of_squares": {
            name: float((column * column).sum()) for name, column in columns.items()
        },
        "num_unique": {
            str(size): len(set(canonical[:size])) if len(valid) >= size else None
            for size in UNIQUE_SAMPLES
        },
        "num_distinct": len(distinct),
        "num_novel": None
        if training_set is None
        else len(distinct - set(training_set)),
        "num_scaffolds": len(scaffolds - {""}),
        "num_filtered": len(filtered),
        "num_passing": sum(not values["pains"] for values in found),
        "num_accepted": sum(
            not (values["pains"] or values["refusal"]) for values in found
        ),
        "compared": compare(valid, training_set, workers) if training_set else None,
        "internal_diversity": internal_diversity(valid[:DIVERSITY_SAMPLE]),
        "histograms": {
            name: np.histogram(np.clip(columns[name], bins.low, bins.high), bins.edges)[
                0
            ].tolist()
            for name, bins in HISTOGRAMS.items()
        },
    }


def compare(
    valid: Sequence[str],
    training_set: Collection[str],
    workers: StringWorkers | InProcess,
) -> dict[str, Any]:
    """How like the training set molecules are, as MOSES measures it.

    Args:
      valid: SMILES strings that are molecules, repeated ones too.
      training_set: such strings.
      workers: of `profile_workers`.

    Returns:
      of the first 10,000 and as many of the training set: `number` of them; the sum and
      the sum of squares of `nearest`, the similarity to the nearest neighbour;
      `fragments` and `scaffolds`, cosine similarities, None where there are none.
    """
    reference = sorted(training_set)
    reference = reference[:: -(-len(reference) // COMPARED_SAMPLE)]
    generated = valid[:COMPARED_SAMPLE]
    stages = ("fragments", "ring_scaffold")
    sets = []
    for strings in (generated, reference):
        profiles = profile(strings, workers, stages)
        sets.append([values for s in strings if (values := profiles[s]) is not None])
    cosines = {
        "fragments": cosine_similarity(
            *([values["fragments"].split(".") for values in chosen] for chosen in sets)
        ),
        "scaffolds": cosine_similarity(
            *(
                [[x["ring_scaffold"]] for x in chosen if x["ring_scaffold"]]
                for chosen in sets
            )
        ),
    }
    nearest = nearest_similarities(generated, reference)
    return {
        "number": len(nearest),
        "nearest": [float(nearest.sum()), float((nearest * nearest).sum())],
        **{name: None if np.isnan(x) else x for name, x in cosines.items()},
    }


def canonical_smiles(
    smiles: Sequence[str], workers: StringWorkers | InProcess
) -> list[str]:
    """RDKit's canonical SMILES of each string that is a molecule, in order."""
    profiles = profile(smiles, workers, ("canonical",))
    found = (profiles[string] for string in smiles)
    return [values["canonical"] for values in found if values is not None]


def internal_diversity(smiles: Sequence[str], num_bits: int = 1024) -> float:
    """1 - the mean Tanimoto similarity of two different ones of these molecules.

    Of Morgan fingerprints of radius 2 and so many bits; NaN if there are not two.
    """
    if len(smiles) < 2:
        return float("nan")
    prints = morgan_fingerprints(smiles, num_bits)
    total = sum(
        sum(DataStructs.BulkTanimotoSimilarity(prints[index], prints[:index]))
        for index in range(1, len(prints))
    )
    return 1.0 - total / (len(prints) * (len(prints) - 1) / 2)


def profile(
    smiles: Sequence[str], workers: StringWorkers | InProcess, stages: Collection[str]
) -> dict[str, dict[str, Any] | None]:
    """Profiles strings, each distinct one once.

    Args:
      smiles: the strings.
      workers: of `profile_workers`.
      stages: what to find out, of `profiler.STAGES`.

    Returns:
      by string, None if it is no molecule, else its values by stage.
    """
    left_out = [place for place, stage in enumerate(STAGES) if stage not in stages]
    distinct = list(dict.fromkeys(smiles))
    return {
        string: None if values is None else dict(zip(STAGES, values, strict=True))
        for string, values in zip(
            distinct, workers.map(distinct, left_out), strict=True
        )
    }
