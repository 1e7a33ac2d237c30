import collections
import itertools
import random
import sqlite3

import pytest
from listening_study import make_study, models_of

from melody_rnn.listening import study as study_module
from melody_rnn.listening.study import AlreadyRatedError, Study
from rl_tuner.errors import UserError


@pytest.fixture(name="store")
def _store(tmp_path):
    store, _ = make_study(tmp_path, "abcd", num_melodies=5)
    yield store
    store.close()


@pytest.fixture(name="study")
def _study(store):
    return Study(store, random.Random(1))


def pairs_of(store, condition="1"):
    """{pair of models: trials}, of all pairs."""
    counted = collections.Counter()
    for row in store.rows(f"SELECT public_id FROM trials WHERE {condition}"):
        counted[frozenset(models_of(store.path, row["public_id"]))] += 1
    return [counted[frozenset(pair)] for pair in itertools.combinations("abcd", 2)]


def test_pairs_of_models_stay_balanced_whoever_comes_and_goes(store, study):
    rng = random.Random(2)
    raters = [study.join(f"rater {number}") for number in range(9)]
    for _ in range(60):
        rater = rng.choice(raters)
        trial = study.hand_out(rater)
        counts = pairs_of(store)
        assert max(counts) - min(counts) <= 1
        if rng.random() < 0.8:
            study.vote(rater, trial.public_id, rng.randint(1, 5))


def test_a_rater_alone_hears_all_pairs_of_models_before_one_comes_again(store, study):
    rater = study.join("alone")
    for _ in range(3):
        for _ in range(6):
            study.vote(rater, study.hand_out(rater).public_id, 3)
        assert len(set(pairs_of(store))) == 1


def test_raters_who_take_turns_hear_all_pairs_of_models_as_well(store, study):
    ann, bob = study.join("Ann"), study.join("Bob")
    for _ in range(6):
        for rater in (ann, bob):
            study.vote(rater, study.hand_out(rater).public_id, 3)
    assert pairs_of(store, f"rater_id = {ann}") == [1] * 6
    assert pairs_of(store, f"rater_id = {bob}") == [1] * 6


def test_order_is_random(store, study):
    firsts = collections.Counter()
    for number in range(100):
        trial = study.hand_out(study.join(f"rater {number}"))
        firsts[
            models_of(store.path, trial.public_id)
            in set(itertools.combinations("abcd", 2))
        ] += 1
    assert 30 < firsts[True] < 70  # four standard deviations


def test_the_open_trial_waits_for_its_rater(study):
    ann, bob = study.join("Ann"), study.join("Bob")
    trial = study.hand_out(ann)
    assert study.hand_out(ann) == study.open_trial(ann) == trial
    assert study.hand_out(bob) != trial
    assert study.join(" ann ") == ann  # whoever comes back
    assert study.rater_name(ann) == "Ann"


def test_what_nobody_answers_goes_to_somebody_else(store, study, monkeypatch):
    ann, bob = study.join("Ann"), study.join("Bob")
    given_up = study.hand_out(ann)
    monkeypatch.setattr(study_module, "HOLD_SECONDS", -1.0)
    counts = collections.Counter()
    for _ in range(6):
        trial = study.hand_out(bob)
        counts[frozenset(models_of(store.path, trial.public_id))] += 1
        study.vote(bob, trial.public_id, 3)
    assert set(counts.values()) == {1}
    assert len(counts) == 6  # Ann's pair of models as well
    assert study.hand_out(ann) != given_up
    with pytest.raises(LookupError):
        study.vote(ann, given_up.public_id, 3)


def test_a_vote_is_cast_once_and_by_its_rater(store, study):
    ann, bob = study.join("Ann"), study.join("Bob")
    trial = study.hand_out(ann).public_id
    with pytest.raises(LookupError):
        study.vote(bob, trial, 3)
    for rating in (0, 6, -1):
        with pytest.raises(UserError, match="five answers"):
            study.vote(ann, trial, rating)
    study.vote(ann, trial, 4)
    with pytest.raises(AlreadyRatedError):
        study.vote(ann, trial, 1)
    assert [vote.rating for vote in study.votes()] == [4]
    assert study.num_votes(ann) == 1
    assert study.audio(ann, trial, True).startswith(b"RIFF")
    assert study.audio(bob, trial, True) is None


def test_the_file_itself_refuses_a_pair_twice(store, study):
    ann = study.join("Ann")
    study.vote(ann, study.hand_out(ann).public_id, 4)
    with pytest.raises(sqlite3.IntegrityError), store.transaction() as connection:
        connection.execute(
            """
            INSERT INTO trials SELECT id + 1, 'again', rater_id, second_melody,
              first_melody, low_melody, high_melody, low_model, high_model,
              handed_out_at, rating, rated_at FROM trials"""
        )
    assert len(study.votes()) == 1


def test_every_pair_of_melodies_comes_once_and_then_it_is_done(tmp_path):
    store, _ = make_study(tmp_path, "ab", num_melodies=3)
    study = Study(store)
    ann = study.join("Ann")
    heard = set()
    for _ in range(9):
        study.vote(ann, study.hand_out(ann).public_id, 3)
    for vote in study.votes():
        heard.add(frozenset([vote.first_melody, vote.second_melody]))
    assert len(heard) == 9
    assert study.hand_out(ann) is None


def test_a_model_that_joins_late_catches_up(tmp_path):
    store, _ = make_study(tmp_path, "ab", num_melodies=5)
    study = Study(store)
    ann = study.join("Ann")
    for _ in range(4):
        study.vote(ann, study.hand_out(ann).public_id, 3)
    make_study(tmp_path, "abc", num_melodies=5)
    for _ in range(8):
        study.vote(ann, study.hand_out(ann).public_id, 3)
    models = collections.Counter(
        frozenset([vote.first_model, vote.second_model]) for vote in study.votes()
    )
    assert list(models.values()) == [4, 4, 4]


@pytest.mark.parametrize("name", ["", "   ", "x" * 41, "a\0b", "a‮b"])
def test_bad_names_are_refused(study, name):
    with pytest.raises(UserError, match="name or initials"):
        study.join(name)


def test_one_model_makes_no_pair(tmp_path):
    store, _ = make_study(tmp_path, "a")
    study = Study(store)
    assert study.num_pairs() == 0
    assert study.hand_out(study.join("Ann")) is None
