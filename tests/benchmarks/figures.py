"""Makes the tables and pictures of the documents, and writes them where they stand.

  python tests/benchmarks/figures.py --work_dir=figures
  python tests/benchmarks/figures.py --work_dir=figures --only=transfer_learning
  python tests/benchmarks/figures.py --stale
  python tests/benchmarks/figures.py --list

Each is made from nothing by ordinary commands, in a folder of its own within the work
folder; the same command resumes what was cut, and makes nothing twice that the same
commands and code have made. A document holds a figure between two marks:

  <!-- figure: transfer_learning -->
  <!-- end of figure -->

What stands there is replaced, and tests/benchmarks/figure_records keeps of each figure
the commands, the commit, a fingerprint of the code that it depends on, the machine, the
day and the seconds. `--stale` names those whose commands or code have changed, and
ends with 1 if there are any.
"""

import argparse
import pathlib
import sys

from figure_making import figures, making, records
from figure_making.figure import Figure


def main() -> int:
    """Carries out what the flags say; what a shell is told."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work_dir", type=pathlib.Path, help="where commands run")
    parser.add_argument("--only", default="", help="names, separated by commas")
    parser.add_argument("--stale", action="store_true", help="name what is out of date")
    parser.add_argument("--list", action="store_true", help="name all, with documents")
    flags = parser.parse_args()
    chosen = _chosen(flags.only)
    if flags.list:
        for figure in chosen:
            print(f"{figure.name:42}{', '.join(figure.tables)}")
        return 0
    if flags.stale:
        found = [figure.name for figure in chosen if records.is_stale(figure)]
        print("\n".join(found) or "no figure is out of date")
        return int(bool(found))
    if flags.work_dir is None:
        parser.error("--work_dir is missing; name a folder for what the commands write")
    for figure in chosen:
        making.make(figure, flags.work_dir)
    return 0


def _chosen(only: str) -> list[Figure]:
    names = [name for name in only.split(",") if name]
    unknown = set(names) - figures.FIGURES.keys()
    if unknown:
        sys.exit(
            f"--only={only} names no figure: {', '.join(sorted(unknown))}; choose of "
            f"{', '.join(figures.FIGURES)}"
        )
    return [figures.FIGURES[name] for name in names or figures.FIGURES]


if __name__ == "__main__":
    sys.exit(main())
