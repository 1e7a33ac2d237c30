import itertools

import numpy as np
import pytest

from rl_tuner.pretraining.batches import (
    padded_batch,
    shuffled_sequences,
    whole_sequences,
)


def _sequences(number, seed=0, longest=60):
    """No two alike: the first token is the number of the sequence."""
    rng = np.random.default_rng(seed)
    return [
        np.array([index, *rng.integers(1, 9, rng.integers(1, longest))], np.int32)
        for index in range(number)
    ]


def _take(number, *arguments, **keywords):
    return list(itertools.islice(shuffled_sequences(*arguments, **keywords), number))


def _assert_same(ones, others):
    for one, other in zip(ones, others, strict=True):
        for mine, theirs in zip(one, other, strict=True):
            np.testing.assert_array_equal(mine, theirs)


def _rows(batch):
    """The sequences that a batch was made of."""
    for inputs, labels, weights in zip(*(part.numpy() for part in batch), strict=True):
        steps = int(weights.sum())
        assert (weights[:steps] == 1).all()
        yield [*inputs[:1], *labels[:steps]]


def test_an_epoch_holds_every_sequence_once_and_whole():
    sequences = _sequences(40)
    for epoch in range(2):
        seen = {}
        for batch in _take(5, sequences, 8, seed=3, first_batch=5 * epoch):
            for row in _rows(batch):
                seen[row[0]] = row
        assert sorted(seen) == list(range(40))
        for index, row in seen.items():
            assert row == sequences[index].tolist()


def test_epochs_differ_and_what_does_not_fill_a_batch_sits_out():
    sequences = _sequences(11)
    epochs = [
        sorted(
            row[0]
            for batch in _take(2, sequences, 5, seed=0, first_batch=2 * epoch)
            for row in _rows(batch)
        )
        for epoch in range(8)
    ]
    assert all(len(set(epoch)) == 10 for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1


def test_a_batch_depends_on_seed_and_number_alone():
    sequences = _sequences(50)
    whole = _take(17, sequences, 8, seed=1)
    for first in (3, 6, 13):  # within, at the beginning of and in a later epoch
        _assert_same(whole[first:], _take(17 - first, sequences, 8, 1, first))
    other = _take(1, sequences, 8, seed=2)
    assert not np.array_equal(whole[0].inputs, other[0].inputs)


def test_little_of_a_batch_is_padding():
    sequences = _sequences(4000)
    batches = _take(125, sequences, 32, seed=0)
    shares = [float(np.mean(batch.weights)) for batch in batches]
    assert np.mean(shares) > 0.8  # half, unsorted
    order = [batch.inputs.shape[1] for batch in batches]
    assert set(order) == {8, 16, 24, 32, 40, 48, 56, 64}
    assert abs(np.corrcoef(order[1:], order[:-1])[0, 1]) < 0.3  # shuffled again


def test_fewer_sequences_than_a_batch():
    (batch,) = _take(1, _sequences(3), 8, seed=0)
    assert batch.inputs.shape[0] == 3


def test_unscored_steps_carry_no_weight():
    batch = padded_batch([np.arange(6), np.arange(3)], unscored_steps=2)
    np.testing.assert_array_equal(batch.weights, [[0, 0, 1, 1, 1], [0, 0, 0, 0, 0]])
    np.testing.assert_array_equal(batch.inputs[1], [0, 1, 2, 0, 0])
    np.testing.assert_array_equal(batch.labels[0], [1, 2, 3, 4, 5])


@pytest.mark.parametrize("batch_size", [1, 7, 100])
def test_whole_sequences_leave_none_out(batch_size):
    sequences = _sequences(20)
    batches = list(whole_sequences(sequences, batch_size, 0))
    seen = sorted(row for batch in batches for row in _rows(batch))
    assert seen == sorted(sequence.tolist() for sequence in sequences)
