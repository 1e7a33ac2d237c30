import numpy as np
import pytest

from rl_tuner.generation.diversity import Corpus, unique_share


def test_unique_share_counts_distinct_rows():
    assert unique_share(np.array([[1, 2], [1, 2], [2, 1], [3, 3]])) == 75.0


@pytest.mark.parametrize(
    ("sequence", "is_copied"),
    [([1, 2, 3], True), ([3, 4, 5], True), ([2, 3, 4], True), ([5, 300, 7], False)],
)
def test_copies_are_found_anywhere_in_a_tune(sequence, is_copied):
    corpus = Corpus([np.array([1, 2, 3, 4, 5]), np.array([300, 7]), np.array([9])])
    assert corpus.copied_share(np.array([sequence])) == 100.0 * is_copied


def test_copied_share_equals_a_search_in_strings():
    rng = np.random.default_rng(0)
    tunes = [rng.integers(0, 3, rng.integers(3, 30)) for _ in range(20)]
    sequences = rng.integers(0, 3, [300, 5])
    texts = ["".join(map(str, tune)) for tune in tunes]
    found = [any("".join(map(str, s)) in text for text in texts) for s in sequences]
    assert 0 < sum(found) < 300
    assert Corpus(tunes).copied_share(sequences) == pytest.approx(100 * np.mean(found))
