"""The PMO benchmark (Gao et al. 2022) on the twenty oracles that RDKit alone computes.

  python tests/benchmarks/pmo.py --output_dir=pmo
  python tests/benchmarks/pmo.py --output_dir=pmo --oracles=zaleplon_mpo --seeds=0,1
  python tests/benchmarks/pmo.py --output_dir=pmo --table_only

Each run spends 10,000 calls of one oracle: distinct valid canonical SMILES, of which
repeats cost nothing. The seeds are those of the paper; all oracles of one seed come
before the next seed. A run that is finished has a file in --output_dir, and is not made
again; the table there, pmo.md, is written anew after each, with the published figures
beside. --set=updates=4,offspring=0 changes settings of `sample_efficiency.optimiser`.
"""

import argparse
import dataclasses
import gzip
import os
import pathlib
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from rdkit import Chem
from rdkit.Contrib.SA_Score import sascorer
from sample_efficiency import table
from sample_efficiency.calls import BUDGET, OracleCalls, area_under_curve, top_mean
from tqdm import tqdm

from molecule_rnn.scoring.components.oracles import ORACLES
from molecule_rnn.scoring.molecule_statistics import internal_diversity
from molecule_rnn.scoring.scoring_pool import ScoringPool
from rl_tuner.system import provenance
from rl_tuner.system.whole_files import write_atomically, write_json

SEEDS = "0,1,2,3,5"
# What takes milliseconds or more a molecule, which processes share.
SLOW = ("deco_hop", "scaffold_hop")


def main() -> None:
    """Makes the runs that are not there, and the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output_dir", type=pathlib.Path, required=True)
    parser.add_argument("--checkpoint_dir", default="checkpoints/smiles_rnn_zinc250k")
    parser.add_argument("--oracles", default=",".join(ORACLES))
    parser.add_argument("--seeds", default=SEEDS)
    parser.add_argument("--budget", type=int, default=BUDGET)
    parser.add_argument("--set", default="", help="settings: updates=4,offspring=0")
    parser.add_argument("--table_only", action="store_true")
    arguments = parser.parse_args()
    arguments.output_dir.mkdir(parents=True, exist_ok=True)
    wanted = [
        (int(seed), oracle)
        for seed in arguments.seeds.split(",")
        for oracle in arguments.oracles.split(",")
    ]
    left = [run for run in wanted if not _file(arguments.output_dir, *run).exists()]
    if left and not arguments.table_only:
        _run_all(left, arguments)
    print(table.write(arguments.output_dir))


def _run_all(runs: list[tuple[int, str]], arguments: argparse.Namespace) -> None:
    from sample_efficiency.optimiser import Optimiser, Settings

    from molecule_rnn.task import MoleculeTask
    from molecule_rnn.vocabulary import Vocabulary
    from rl_tuner.networks.network import Network

    prior = Network.load(arguments.checkpoint_dir)
    kinds = {field.name: field.type for field in dataclasses.fields(Settings)}
    changed = dict(part.split("=") for part in filter(None, arguments.set.split(",")))
    casts = {"int": int, "float": float, "str": str}
    settings = Settings(**{k: casts[str(kinds[k])](v) for k, v in changed.items()})
    vocabulary = Vocabulary.from_json(prior.metadata["vocabulary"])
    task = MoleculeTask(vocabulary, protocol="start_token", max_length=100)
    optimiser = Optimiser(prior, task, settings)
    for number, (seed, oracle) in enumerate(runs, 1):
        if _file(arguments.output_dir, seed, oracle).exists():
            continue  # another process shares the work
        begin = time.perf_counter()
        processes = provenance.available_cores() if oracle in SLOW else 0
        title = f"{number}/{len(runs)} {oracle} seed {seed}"
        with (
            ScoringPool((oracle,), processes) as pool,
            tqdm(total=arguments.budget, desc=title, unit=" calls") as bar,
        ):
            calls = OracleCalls(pool, arguments.budget)

            def report(calls: OracleCalls, bar: tqdm = bar) -> None:
                best = top_mean(list(calls.scores.values()), 10)
                bar.set_postfix_str(f"top-10 {best:.3f}", refresh=False)
                bar.update(len(calls.scores) - bar.n)

            optimiser.run(calls, seed, report)
        result = {
            "oracle": oracle,
            "seed": seed,
            **_figures(calls),
            "seconds": time.perf_counter() - begin,
            "settings": dataclasses.asdict(settings),
            "prior": str(arguments.checkpoint_dir),
            "versions": provenance.versions(),
        }
        path = _file(arguments.output_dir, seed, oracle)
        lines = "".join(f"{s:.9g}\t{name}\n" for name, s in calls.scores.items())
        write_atomically(path.with_suffix(".tsv.gz"), gzip.compress(lines.encode()))
        write_json(path, result)
        print(
            f"{title}: AUC top-10 {result['auc_top10']:.4f}, {result['calls']} calls, "
            f"{result['seconds']:.0f} s",
            file=sys.stderr,
            flush=True,
        )
        table.write(arguments.output_dir)


def _figures(calls: OracleCalls) -> dict[str, float]:
    scores = list(calls.scores.values())
    best = sorted(calls.scores, key=lambda name: -calls.scores[name])[:100]
    molecules = [Chem.MolFromSmiles(name) for name in best]
    return {
        "calls": len(scores),
        **{f"auc_top{k}": area_under_curve(scores, k, calls.budget) for k in TOPS},
        **{f"top{k}": top_mean(scores, k) for k in TOPS},
        "diversity": internal_diversity(best, num_bits=2048),
        "sa": sum(map(sascorer.calculateScore, molecules)) / max(len(molecules), 1),
    }


TOPS = (1, 10, 100)


def _file(directory: pathlib.Path, seed: int, oracle: str) -> pathlib.Path:
    return directory / f"{oracle}_{seed}.json"


if __name__ == "__main__":
    main()
