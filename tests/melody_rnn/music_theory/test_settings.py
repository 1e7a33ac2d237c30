import math
import subprocess
import sys

import pytest

from melody_rnn.music_theory.settings import (
    MODES,
    RULE_NAMES,
    MusicTheorySettings,
    parse_own_rules,
    parse_rule_weights,
)
from rl_tuner.errors import UserError


def test_equal_settings_are_one_key():
    one = MusicTheorySettings(rule_weights={"motif": 0, "key": 2})
    other = MusicTheorySettings(rule_weights=(("key", 2.0), ("motif", 0.0)))
    assert one == other
    assert hash(one) == hash(other)
    assert one != MusicTheorySettings()


def test_weights():
    settings = MusicTheorySettings(rule_weights={"key": 2, "motif": 0})
    weights = {name: settings.weight(name) for name in RULE_NAMES}
    assert weights == dict.fromkeys(RULE_NAMES, 1.0) | {"key": 2.0, "motif": 0.0}


def test_modes_leave_rules_out():
    settings = MusicTheorySettings(mode="music_theory_basic")
    on = [name for name in settings.reward_names if settings.weight(name)]
    assert on == ["key", "tonic", "repeating"]
    assert settings.uses_log_prior
    assert not MusicTheorySettings(mode="music_theory_only").uses_log_prior
    with_prior = {name for name, mode in MODES.items() if mode.uses_log_prior}
    assert with_prior == {
        "music_theory_basic",
        "music_theory_basic_plus_variety",
        "music_theory_all",
    }


def test_reward_names_start_with_the_nine_rules():
    settings = MusicTheorySettings(mode="scale", extra_rules=[("mine", abs)])
    assert settings.reward_names == (*RULE_NAMES, "scale_bonus", "mine")
    assert settings.weight("mine") == settings.weight("scale_bonus") == 1
    assert settings.weight("key") == 0


def test_readings():
    paper, corrected = MusicTheorySettings(), MusicTheorySettings(rules="corrected")
    assert (paper.rest, paper.hold) == (0, 1)
    assert (corrected.rest, corrected.hold) == (1, 0)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"rules": "papers"}, "unknown rules 'papers'.*paper, corrected"),
        ({"mode": "all"}, "unknown reward mode 'all'.*music_theory_all"),
        ({"key": "H major"}, "unknown key"),
        ({"rule_weights": {"keys": 1}}, "unknown rule 'keys'.*unique_extrema"),
        ({"rule_weights": {"key": math.inf}}, "not a finite number"),
        ({"rule_weights": {"key": "2"}}, "not a finite number"),
        ({"extra_rules": [("motif", abs)]}, "'motif'.*taken"),
        ({"extra_rules": [("a", abs), ("a", abs)]}, "'a'.*taken"),
    ],
)
def test_bad_settings(arguments, reason):
    with pytest.raises(UserError, match=reason):
        MusicTheorySettings(**arguments)


def test_parse_rule_weights():
    assert parse_rule_weights(" key=2, motif = 0 ,") == {"key": 2.0, "motif": 0.0}
    assert parse_rule_weights("") == {}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("key", "rule=number.*repeated_motif"),
        ("keys=1", "unknown rule 'keys'.*repeated_motif"),
        ("key=much", "'much' of rule 'key'"),
        ("key=nan", "'nan' of rule 'key'"),
        ("key=1,key=2", "two weights"),
    ],
)
def test_bad_rule_weights(text, reason):
    with pytest.raises(UserError, match=reason):
        parse_rule_weights(text)


def test_own_rules_are_named_by_their_functions():
    assert parse_own_rules(" a.b:rise, c:fall") == {
        "rise": "a.b:rise",
        "fall": "c:fall",
    }
    assert parse_rule_weights("rise=2,key=0", ["rise"]) == {"rise": 2.0, "key": 0.0}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("paper", "--rule=paper is not of the form.*--rules"),
        ("a:motif", "two rules are called 'motif'"),
        ("a:rise,b:rise", "two rules are called 'rise'"),
    ],
)
def test_bad_own_rules(text, reason):
    with pytest.raises(UserError, match=reason):
        parse_own_rules(text)


def test_needs_no_tensorflow():
    program = (
        "import sys, melody_rnn.music_theory.settings\n"
        "print({'tensorflow', 'note_seq', 'numpy'} & set(sys.modules))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert printed.strip() == "set()"
