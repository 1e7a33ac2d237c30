import fractions
import functools

import numpy as np
import pytest
import tensorflow as tf
from reference import REFERENCE, needs_reference

from melody_rnn.encoding import NoteRange
from melody_rnn.music_theory import rewards as music_theory
from melody_rnn.music_theory.settings import MODES, RULE_NAMES, MusicTheorySettings
from rl_tuner.errors import UserError

GOLDEN_NAMES = {
    "key": "reward_key",
    "tonic": "reward_tonic",
    "repeating": "reward_penalize_repeating",
    "autocorrelation": "reward_penalize_autocorrelation",
    "motif": "reward_motif",
    "repeated_motif": "reward_repeated_motif",
    "preferred_intervals": "reward_preferred_intervals",
    "leaps": "reward_leap_up_back",
    "unique_extrema": "reward_high_low_unique",
}
RAW_NUMBER_RULES = ("autocorrelation", "unique_extrema")  # do not know rest from hold


@functools.cache
def golden():
    with np.load(REFERENCE / "music" / "music_theory_rewards.npz") as file:
        return {name: file[name] for name in file.files}


def golden_rule(name):
    order = golden()["rule_names"].tolist()
    return golden()["rule_rewards"][:, :, order.index(GOLDEN_NAMES[name])]


def score(rule, start, **settings):
    """Rewards, rounded, of the first events of a melody of 32."""
    melody = [*start, *[19] * (32 - len(start))]  # 32 always: compiled once
    rewards = music_theory.rule_rewards([melody], **settings)[rule][0]
    return rewards[: len(start)].round(4).tolist()


def score_whole(rule, melody, **settings):
    """Rewards, rounded, of a whole melody by one rule alone."""
    weights = {name: float(name == rule) for name in RULE_NAMES}
    settings = MusicTheorySettings(rule_weights=weights, **settings)
    return music_theory.corpus_rewards([melody], settings)[rule][0].round(4).tolist()


# --- Magenta's own rewards, every rule, step and mode -------------------------------


@functools.cache
def golden_rewards():
    return music_theory.rule_rewards(golden()["compositions"])


@needs_reference
@pytest.mark.parametrize("rule", [r for r in RULE_NAMES if r != "autocorrelation"])
def test_rule_equals_magenta(rule):
    np.testing.assert_allclose(golden_rewards()[rule], golden_rule(rule), atol=1e-3)


def ties(melody):
    """How many lags have a coefficient of exactly .15 or -.15, for each event."""
    melody = [int(event) for event in melody]
    counts = []
    for number in range(1, len(melody) + 1):
        total = sum(melody[:number])
        centred = [number * event - total for event in melody[:number]]
        variance = sum(x * x for x in centred)
        coefficients = [
            fractions.Fraction(
                sum(x * y for x, y in zip(centred, centred[lag:], strict=False)),
                variance,
            )
            for lag in (1, 2, 3)
            if variance
        ]
        counts.append(sum(abs(c) == fractions.Fraction(3, 20) for c in coefficients))
    return counts


@needs_reference
def test_autocorrelation_equals_magenta_but_for_exact_ties():
    ours = golden_rewards()["autocorrelation"]
    theirs = golden_rule("autocorrelation")
    differs = np.abs(ours - theirs) > 1e-3
    tied = np.array([ties(melody) for melody in golden()["compositions"]])
    assert not differs[tied == 0].any()
    # At a tie rounding makes Magenta subtract 3 times .15, once for each lag, or not.
    subtracted = (ours - theirs)[tied > 0] / 0.45
    np.testing.assert_allclose(subtracted, subtracted.round(), atol=1e-3)
    assert (subtracted.round() >= 0).all()
    assert (subtracted.round() <= tied[tied > 0]).all()


@needs_reference
@pytest.mark.parametrize(
    "mode",
    [
        "scale",
        "key",
        "key_and_tonic",
        "non_repeating",
        "music_theory_random",
        "preferred_intervals",
    ],
)
def test_mode_equals_magenta(mode):
    theirs = golden()["mode_rewards"][:, :, golden()["mode_names"].tolist().index(mode)]
    settings = MusicTheorySettings(mode=mode)
    rewards = music_theory.corpus_rewards(golden()["compositions"], settings)
    ours = sum(rewards.values())
    # Where Magenta's function returns nothing the file has NaN.
    np.testing.assert_allclose(ours, np.nan_to_num(theirs), atol=1e-3)


@needs_reference
def test_modes_of_all_rules_sum_the_rules():
    compositions = golden()["compositions"][:64]
    for mode, rules in {
        "music_theory_basic_plus_variety": RULE_NAMES[:4],
        "music_theory_all": RULE_NAMES,
    }.items():
        settings = MusicTheorySettings(mode=mode)
        total = sum(music_theory.corpus_rewards(compositions, settings).values())
        np.testing.assert_allclose(
            total, sum(golden_rewards()[rule][:64] for rule in rules), atol=1e-4
        )
    assert MODES["music_theory_only"].rewards == RULE_NAMES
    assert MODES["music_theory_basic"].rewards == RULE_NAMES[:3]


@needs_reference
def test_corrected_reading_swaps_rest_and_hold():
    compositions = golden()["compositions"]
    swapped = np.where(compositions < 2, 1 - compositions, compositions)
    corrected = music_theory.rule_rewards(swapped, rules="corrected")
    raw = music_theory.rule_rewards(swapped)
    for rule in RULE_NAMES:
        expected = raw[rule] if rule in RAW_NUMBER_RULES else golden_rewards()[rule]
        np.testing.assert_allclose(corrected[rule], expected, atol=1e-4, err_msg=rule)


# --- Hand-worked cases --------------------------------------------------------------


def test_key():
    # C4, C#4, D4, no event, note off.
    assert score("key", [14, 15, 16, 0, 1]) == [0, -1, 0, 0, 0]
    assert score("key", [14, 15, 16, 0, 1], key="A minor") == [0, -1, 0, 0, 0]
    assert score_whole("key", [14, 15, 16, 0, 1], key="Db major") == [0, 0, -1, 0, 0]


def test_tonic():
    melody = [14, 14, 14, 14, 14, 1, 0, 1]
    assert score_whole("tonic", melody) == [3, 0, 0, 0, 3, 3, 3, 3]
    corrected = [3, 0, 0, 0, 3, 0, 3, 3]
    assert score_whole("tonic", melody, rules="corrected") == corrected
    held = [14, 14, 14, 14, 14, 0, 0, 1]
    assert score_whole("tonic", held) == [3, 0, 0, 0, 3, 0, 3, 3]
    assert score_whole("tonic", held, rules="corrected") == [3, 0, 0, 0, 3, 3, 3, 3]
    assert score_whole("tonic", melody, key="A minor") == [0, 0, 0, 0, 0, 3, 3, 3]
    assert score_whole("tonic", [23] * 8, key="A minor") == [3, 0, 0, 0, 3, 0, 0, 0]


def bad_steps(melody, **settings):
    return [i for i, r in enumerate(score("repeating", melody, **settings)) if r]


def test_repeating():
    # The sixth of a row of equal notes has five before it.
    assert bad_steps([14] * 8) == [5, 6, 7]
    # One rest or hold of another kind allows two more.
    assert bad_steps([14, 1, *[14] * 8]) == [8, 9]
    # The walk ends at a different note.
    assert bad_steps([14] * 4 + [16] + [14] * 5) == []
    # A class 0 may follow one other, though notes lie in between only if equal...
    assert bad_steps([14, 0, 0, 0, 0]) == [3, 4]
    # ...and a different note ends its walk too.
    assert bad_steps([0, 16, 0, 0, 17, 0]) == []
    assert bad_steps([14, 1, 1, 1, 1, 1, 1]) == [6]
    corrected = {"rules": "corrected"}
    assert bad_steps([14, 0, 0, 0, 0, 0, 0], **corrected) == [6]
    assert bad_steps([14, 1, 1, 1, 1], **corrected) == [3, 4]
    assert score("repeating", [14] * 6)[-1] == -100


def numpy_autocorrelation_penalty(melody):
    penalties = []
    for number in range(1, len(melody) + 1):
        x = np.array(melody[:number], float)
        centred, variance = x - x.mean(), x.var()
        penalty = 0.0
        for lag in (1, 2, 3):
            if variance > 0 and lag < number:
                c = (centred[lag:] * centred[:-lag]).sum() / number / variance
                penalty -= 3 * abs(c) * (abs(c) > 0.15)
        penalties.append(penalty)
    return penalties


@pytest.mark.parametrize("length", [2, 32, 64, 65, 160])
def test_autocorrelation_against_numpy(length):
    random = np.random.default_rng(length)
    extremes = random.choice([0, 37], length)  # the largest sums there can be
    for melody in (random.integers(0, 38, length), extremes):
        expected = numpy_autocorrelation_penalty(melody)
        assert score_whole("autocorrelation", melody) == pytest.approx(
            expected, abs=1e-3
        )


def test_autocorrelation_of_a_constant_melody_is_undefined_and_free():
    assert score("autocorrelation", [14] * 6) == [0] * 6


def test_autocorrelation_at_exactly_the_limit_is_free():
    random = np.random.default_rng(5)
    melodies = random.integers(0, 6, (4000, 4))
    tied = [m for m in melodies.tolist() if ties(m)[3] == 1]
    assert tied
    for melody in tied[:3]:
        penalty = -score("autocorrelation", melody)[3]
        rest = -numpy_autocorrelation_penalty(melody)[3]
        assert min(abs(penalty - rest), abs(penalty - rest + 0.45)) < 1e-3


def test_motif():
    three = [14, 16, 18, 14, 16, 18, 14, 16]
    assert score("motif", [*three, 0]) == [0] * 7 + [3, 3]
    five = [14, 16, 18, 20, 22, 0, 1, 0]
    assert score("motif", five)[-1] == pytest.approx(3.6)
    # Rests and holds are no notes, two notes no motif.
    assert score("motif", [14, 16, 0, 1, 0, 1, 14, 16]) == [0] * 8
    # Only the last eight events count.
    assert score("motif", [14, 16, *[18] * 8])[-3:] == [3, 0, 0]


def test_repeated_motif():
    motif = [14, 16, 18, 20, 0, 1, 14, 0]
    assert score("repeated_motif", motif * 2) == [0] * 15 + [5]
    # The earlier one must be over before this one begins, and be the same in order.
    assert not any(score("repeated_motif", [14, 16, 18, 14] * 3 + [14, 16, 18, 20]))
    assert score("repeated_motif", [14, 16, 18, 14] * 4)[-1] == 4
    assert not any(score("repeated_motif", motif + motif[::-1]))
    # However long ago.
    distant = score("repeated_motif", [2, *motif, *[30] * 10, *motif])
    assert [i for i, reward in enumerate(distant) if reward] == [26]
    assert not any(score("repeated_motif", [*motif, *motif[:-1]]))  # too short
    # One event that belongs to both does not count: every seventh, here.
    sevens = score("repeated_motif", [14, 16, 18, 20, 22, 24, 26] * 4)
    assert [i for i, reward in enumerate(sevens) if reward] == [*range(21, 28)]


@pytest.mark.parametrize(
    ("previous", "event", "reward"),
    [
        (14, 21, 0.5),  # a fifth up from C
        (21, 14, 0.5),  # a fifth down from G
        (16, 23, 0.1),  # a fifth from D
        (14, 18, 0.75),  # C to E
        (18, 14, 0.75),
        (19, 23, 0.45),  # F to A
        (14, 17, 0),  # C to E flat
        (14, 16, 0.4),
        (14, 19, 0.35),
        (14, 23, 0.25),
        (14, 25, -1.5),
        (14, 26, 0),  # an octave
        (14, 27, -5),
        (2, 37, -5),
        (14, 14, 0),
        (14, 1, 1.5),  # class 1 after C
        (21, 1, 1.5),
        (16, 1, 0.375),
        (14, 0, 0.75),
        (16, 0, 0.25),
    ],
)
def test_preferred_intervals(previous, event, reward):
    rule = "preferred_intervals"
    assert score(rule, [previous, event]) == [0, pytest.approx(reward)]
    # Rests and holds in between do not matter to what the previous note is.
    assert score(rule, [previous, 1, 0, event])[-1] == pytest.approx(reward)
    swapped = 1 - event if event < 2 else event
    corrected = score(rule, [previous, swapped], rules="corrected")
    assert corrected[-1] == pytest.approx(reward)


def test_preferred_intervals_in_minor_prefer_the_minor_third():
    rule, minor = "preferred_intervals", {"key": "A minor"}
    assert score(rule, [23, 26], **minor)[-1] == 0.75  # A to C
    assert score(rule, [26, 23], **minor)[-1] == 0.75
    assert score(rule, [23, 27], **minor)[-1] == pytest.approx(0.45)  # A to C sharp
    assert score(rule, [23, 30], **minor)[-1] == 0.5  # A to E
    assert score(rule, [14, 21], **minor)[-1] == pytest.approx(0.1)  # C to G
    assert score(rule, [30, 1], **minor)[-1] == 1.5


def test_leaps():
    # Up a fifth, and back in steps to where it came from.
    assert score("leaps", [14, 21, 19, 17, 14]) == [0, 0, 0, 0, 5]
    # Down, and back past it.
    assert score("leaps", [21, 14, 16, 22]) == [0, 0, 0, 5]
    # Two leaps the same way; the first stays open.
    assert score("leaps", [2, 14, 21, 19, 2, 2]) == [0, 0, -5, 0, 0, 0]
    # A leap back at once closes the first, unresolved; then there is none to close.
    assert score("leaps", [14, 21, 14, 13, 14]) == [0, 0, 0, 0, 0]
    # After seven events in between it resolves.
    assert score("leaps", [14, 26, *[25] * 6, 2])[-1] == 0
    assert score("leaps", [14, 26, *[25] * 7, 2])[-1] == 5
    # Rests count as steps.
    assert score("leaps", [14, 26, *[0, 1, 25, 0, 1, 0, 0], 2])[-1] == 5
    # No note before: no leap.
    assert score("leaps", [0, 1, 30, 30]) == [0] * 4
    # A sixth semitone is no leap.
    assert score("leaps", [14, 20, 14, 20, 26]) == [0] * 5


def test_unique_extrema():
    assert score_whole("unique_extrema", [14, 21, 14, 2]) == [0, 0, 0, 6]
    assert score_whole("unique_extrema", [14, 21, 21, 2])[-1] == 3
    assert score_whole("unique_extrema", [14, 21, 14, 14])[-1] == 3
    # Rests are no lowest note.
    assert score_whole("unique_extrema", [14, 0, 1, 21])[-1] == 6
    assert score_whole("unique_extrema", [0, 0, 0, 0])[-1] == 0
    assert score_whole("unique_extrema", [0, 0, 1, 0])[-1] == 3


def test_transposing_melody_and_key_together_changes_nothing():
    semitones, key = 11, "B major"
    melodies = np.random.default_rng(0).integers(0, 27, (200, 32))
    transposed = np.where(melodies < 2, melodies, melodies + semitones)
    before = music_theory.rule_rewards(melodies)
    after = music_theory.rule_rewards(transposed, key=key)
    for rule in RULE_NAMES:
        if rule != "autocorrelation":
            np.testing.assert_allclose(after[rule], before[rule], err_msg=rule)
    # Rests are numbers to the autocorrelation, so it needs melodies without.
    notes = np.maximum(melodies, 2)
    np.testing.assert_allclose(
        music_theory.rule_rewards(notes + semitones, key=key)["autocorrelation"],
        music_theory.rule_rewards(notes)["autocorrelation"],
        atol=1e-5,
    )


def test_scale_mode_in_another_key():
    settings = MusicTheorySettings(mode="scale", key="D major")
    scale = [4, 6, 8, 9, 11, 13, 15, 16, 18, 20, 21, 23, 25, 27, 28, 4]
    bonus = music_theory.corpus_rewards([scale], settings)["scale_bonus"][0]
    np.testing.assert_allclose(bonus[1:15], 0.01 + 0.05 + 0.8, atol=1e-6)
    assert bonus[15] == pytest.approx(0.81)


# --- One code for live steps and corpora --------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        MusicTheorySettings(),
        MusicTheorySettings(rules="corrected", key="E minor", mode="scale"),
    ],
    ids=["paper", "corrected"],
)
def test_compiled_steps_at_mixed_beats_equal_the_corpus(settings):
    number, length, steps = 5, 32, 100
    random = np.random.default_rng(1)
    actions = random.integers(0, 38, (steps, number)).astype(np.int32)
    actions[:, 0] = random.choice([0, 1, 14], steps)  # and one that repeats a lot
    start = np.array([0, 7, 7, 21, 31])  # the first, partial, melody is not compared

    @tf.function(jit_compile=True)
    def live(actions):
        # The composition is not cleared between melodies, nor the leap state.
        composition = tf.fill([number, length], 37)
        leap_state = tf.fill([number, 3], 1)
        rewards = tf.TensorArray(tf.float32, steps)
        for i in tf.range(steps):
            beat = (tf.constant(start, tf.int32) + i) % length
            reward, leap_state = music_theory.step_rewards(
                composition, beat, actions[i], leap_state, settings
            )
            here = tf.range(length)[tf.newaxis] == beat[:, tf.newaxis]
            composition = tf.where(here, actions[i][:, tf.newaxis], composition)
            rewards = rewards.write(i, reward)
        return rewards.stack()

    rewards = live(actions).numpy()
    for row, offset in enumerate(start):
        for begin in range(-offset % length, steps - length + 1, length):
            melody = actions[begin : begin + length, row]
            corpus = music_theory.corpus_rewards([melody], settings)
            for column, name in enumerate(settings.reward_names):
                np.testing.assert_allclose(
                    rewards[begin : begin + length, row, column],
                    corpus[name][0],
                    atol=1e-5,
                    err_msg=name,
                )


def test_weights_scale_rules_and_switch_them_off():
    melodies = np.random.default_rng(2).integers(0, 38, (20, 32))
    plain = music_theory.rule_rewards(melodies)
    weights = dict.fromkeys(RULE_NAMES, 0) | {"key": 2.5, "motif": 1}
    settings = MusicTheorySettings(rule_weights=weights)
    weighted = music_theory.corpus_rewards(melodies, settings)
    np.testing.assert_allclose(weighted["key"], 2.5 * plain["key"])
    assert plain["leaps"].any()
    assert not weighted["leaps"].any()
    np.testing.assert_allclose(weighted["motif"], plain["motif"])


def test_a_switched_off_rule_is_not_computed():
    def reductions(autocorrelation):
        weights = dict.fromkeys(RULE_NAMES, 0) | {"autocorrelation": autocorrelation}
        settings = MusicTheorySettings(rule_weights=weights | {"key": 1})
        step = functools.partial(music_theory.step_rewards, settings=settings)
        graph = tf.function(step).get_concrete_function(
            tf.TensorSpec([2, 8], tf.int32),
            *[tf.TensorSpec([2], tf.int32)] * 2,
            tf.TensorSpec([2, 3], tf.int32),
        )
        return [op.type for op in graph.graph.get_operations()].count("Sum")

    assert reductions(autocorrelation=0) == 0
    assert reductions(autocorrelation=1) > 0


def test_extra_rule():
    def high(step):
        return tf.cast(step.action > 30, tf.float32)

    settings = MusicTheorySettings(
        mode="key_and_tonic", extra_rules=[("high", high)], rule_weights={"high": 4}
    )
    rewards = music_theory.corpus_rewards([[14, 31, 37, 30]], settings)
    assert list(rewards) == [*RULE_NAMES, "high"]
    assert rewards["high"].tolist() == [[0, 4, 4, 0]]


@pytest.mark.parametrize("number", [0, 1, 128, 129, 256, 257, 2049])
def test_chunks_do_not_show(number):
    melodies = np.random.default_rng(3).integers(0, 38, (2049, 5))
    weights = dict.fromkeys(RULE_NAMES, 0) | {"key": 1, "leaps": 1}
    settings = MusicTheorySettings(rule_weights=weights)
    rewards = music_theory.corpus_rewards(tf.constant(melodies[:number]), settings)
    everything = music_theory.corpus_rewards(melodies, settings)
    for name, values in rewards.items():
        assert values.shape == (number, 5)
        np.testing.assert_array_equal(values, everything[name][:number])


@pytest.mark.parametrize(
    "compositions", [[1, 2], [[38]], [[-1]], [[1.5]], np.zeros((3, 0), int)]
)
def test_what_is_no_corpus_is_refused(compositions):
    with pytest.raises(UserError, match="compositions"):
        music_theory.rule_rewards(compositions)


@pytest.mark.parametrize("notes", [NoteRange(0, 127), NoteRange(48, 90)])
def test_rules_of_other_notes_are_those_of_ours(notes):
    """The same melodies, where classes stand for more notes."""
    melodies = np.random.default_rng(3).integers(0, 38, [60, 32])
    shift = 48 - notes.min_note
    others = np.where(melodies > 1, melodies + shift, melodies)
    for mode in ("music_theory_all", "scale"):
        ours = MusicTheorySettings(key="D dorian", mode=mode)
        theirs = MusicTheorySettings(key="D dorian", mode=mode, notes=notes)
        expected = music_theory.corpus_rewards(melodies, ours)
        found = music_theory.corpus_rewards(others, theirs)
        for name, values in expected.items():
            # Of class numbers, of which notes have others than rests: not of pitches.
            if shift == 0 or name not in ("autocorrelation", "scale_bonus"):
                np.testing.assert_array_equal(found[name], values, name)
