"""Finds tunes that share passages, so that a split can keep them on one side."""

from collections.abc import Sequence

import numpy as np

from melody_rnn.encoding import FIRST_NOTE

PASSAGE_STEPS = 32  # two bars of 4/4
_MIN_NOTES = 8  # a passage of fewer notes is no evidence


def tune_families(tunes: Sequence[np.ndarray]) -> np.ndarray:
    """Numbers the families of tunes that share a passage of `PASSAGE_STEPS` steps.

    A tune book holds many settings of the same tune. Were they split between training
    and evaluation, the evaluation would measure memory.

    Args:
      tunes: the classes of each tune, in a common key.

    Returns:
      [len(tunes)] ints: tunes with the same number are of one family, directly or
      through others. Families are numbered from 0 in the order of their first tunes.
    """
    parents = np.arange(len(tunes))

    def root(tune: int) -> int:
        while parents[tune] != tune:
            parents[tune] = parents[parents[tune]]
            tune = parents[tune]
        return tune

    passages = [_passages(np.asarray(tune)) for tune in tunes]
    owners = np.repeat(np.arange(len(tunes)), [len(p) for p in passages])
    hashes = np.concatenate([*passages, np.empty(0, np.uint64)])
    order = np.argsort(hashes, kind="stable")
    hashes, owners = hashes[order], owners[order]
    shared = np.flatnonzero(hashes[1:] == hashes[:-1])
    for first, second in zip(owners[shared], owners[shared + 1], strict=True):
        a, b = sorted((root(first), root(second)))
        parents[b] = a
    roots = [root(tune) for tune in range(len(tunes))]
    return np.unique(roots, return_inverse=True)[1]


def _passages(tune: np.ndarray) -> np.ndarray:
    """64-bit hashes of the passages of one tune that start with a note."""
    if len(tune) < PASSAGE_STEPS:
        return np.empty(0, np.uint64)
    windows = np.lib.stride_tricks.sliding_window_view(tune, PASSAGE_STEPS)
    is_note = windows >= FIRST_NOTE
    windows = windows[is_note[:, 0] & (is_note.sum(axis=1) >= _MIN_NOTES)]
    factors = np.random.default_rng(0).integers(1, 2**63, PASSAGE_STEPS, np.uint64)
    return np.unique(windows.astype(np.uint64) @ factors)  # modulo 2**64
