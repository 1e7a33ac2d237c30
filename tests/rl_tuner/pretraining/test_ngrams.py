import math

import numpy as np
import pytest

from rl_tuner.pretraining.ngrams import NGramModel

_CLASSES = 5


def _melodies(seed, number=12):
    rng = np.random.default_rng(seed)
    return [rng.integers(0, _CLASSES - 1, rng.integers(6, 30)) for _ in range(number)]


def _naive_probability(training, context, token):
    """Witten-Bell by its definition, counting anew for every question."""
    if context is None:
        return 1 / _CLASSES
    n = len(context)
    followers = [
        melody[i + n]
        for melody in training
        for i in range(len(melody) - n)
        if tuple(melody[i : i + n]) == context
    ]
    shorter = context[1:] if context else None
    backoff = _naive_probability(training, shorter, token)
    kinds = len(set(followers))
    if not kinds:
        return backoff
    hits = sum(follower == token for follower in followers)
    return (hits + kinds * backoff) / (len(followers) + kinds)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("unscored_steps", [1, 8])
def test_perplexity_equals_a_naive_count(order, unscored_steps):
    training, held_out = _melodies(0), _melodies(1)
    held_out[0][:] = _CLASSES - 1  # a token that training never saw
    nats, right, number = 0.0, 0, 0
    for melody in held_out:
        for place in range(unscored_steps + 1, len(melody)):
            context = tuple(melody[place - order + 1 : place])
            p = [_naive_probability(training, context, t) for t in range(_CLASSES)]
            assert sum(p) == pytest.approx(1)
            nats -= math.log(p[melody[place]])
            right += p[melody[place]] == max(p)
            number += 1
    score = NGramModel(training, order, _CLASSES).score(held_out, unscored_steps)
    assert score.num_predictions == number
    assert score.log_perplexity == pytest.approx(nats / number)
    assert score.accuracy == pytest.approx(right / number)
    assert score.as_dict()["perplexity"] == pytest.approx(math.exp(nats / number))


def test_a_deterministic_language_is_learned_by_the_trigram_only():
    cycle = np.array([0, 0, 1, 1] * 100)  # 0 and 1 are equally likely after each
    scores = [NGramModel([cycle], n, 2).score([cycle], 8) for n in (1, 2, 3)]
    assert [round(score.accuracy, 1) for score in scores] == [0.5, 0.5, 1.0]
    assert scores[0].log_perplexity == pytest.approx(math.log(2), abs=1e-3)
    assert scores[2].log_perplexity < 0.05


def test_a_context_may_not_reach_before_the_tune():
    with pytest.raises(ValueError, match="longer context"):
        NGramModel(_melodies(0), 3, _CLASSES).score(_melodies(1), 0)
