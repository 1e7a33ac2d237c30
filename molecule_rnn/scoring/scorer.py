"""Scorer: what is done to one string, in a process of a pool or in this one."""

from __future__ import annotations

import collections
import signal
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from rdkit import Chem, rdBase

from molecule_rnn.scoring.descriptors import find_components

# Most strings are prefixes that are no molecules, and RDKit would tell of each.
rdBase.DisableLog("rdApp.*")


def parse_smiles(smiles: str) -> Chem.Mol | None:
    """The molecule of a string; None if it is none.

    The empty string is none, nor is one with white space or a NUL in it, of which RDKit
    would read the first word only.
    """
    if smiles.split() != [smiles] or "\0" in smiles:
        return None
    try:
        molecule = Chem.MolFromSmiles(smiles)
    except UnicodeEncodeError:  # half a surrogate pair
        return None
    return molecule if molecule is not None and molecule.GetNumAtoms() else None


class Scorer:
    """Computes components; a `worker_job.Job`, whose stages are the components.

    Attributes:
      complaints: what went wrong since it was last emptied, by the component's name.
      failures: on how many molecules, likewise.
    """

    def __init__(
        self, components: Sequence[str], scoring: Mapping[str, Any] | None = None
    ):
        """Finds the components, as `descriptors.find_components` does."""
        self._components: tuple[Any, ...] = find_components(components, scoring)
        self.stages = tuple(components)
        self.complaints: dict[str, str] = {}
        self.failures: collections.Counter[str] = collections.Counter()

    def __call__(
        self,
        smiles: str,
        skipped: Collection[int] = (),
        begin: Callable[[int], None] = lambda stage: None,
    ) -> list[float] | None:
        """The value of each component; None if the string is no molecule.

        Args:
          smiles: any text.
          skipped: components, by their place, that count as their failing value.
          begin: called with each component's place before it is computed.
        """
        molecule = parse_smiles(smiles)
        if molecule is None:
            return None
        values = []
        for stage, component in enumerate(self._components):
            value = component.failing_value
            if stage not in skipped:
                begin(stage)
                try:
                    value = component.value(molecule)
                except BaseException as error:  # a user's may do anything
                    if isinstance(error, KeyboardInterrupt) and _hears_the_keyboard():
                        raise
                    self.failures[component.name] += 1
                    reason = " ".join(f"{type(error).__name__}: {error}".split())
                    self.complaints.setdefault(
                        component.name,
                        f"component {component.name!r} fails on {smiles!r:.80} "
                        f"({reason:.200}) and counts as {value:g} there",
                    )
            values.append(value)
        return values


def _hears_the_keyboard() -> bool:
    """Whether Ctrl-C interrupts this process; those of a pool do not."""
    return signal.getsignal(signal.SIGINT) is not signal.SIG_IGN
