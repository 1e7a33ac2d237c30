"""A setting said once: checks, documentation and flags come from its field."""

import dataclasses

import pytest
from absl import flags

from rl_tuner import settings
from rl_tuner.commands import setting_flags
from rl_tuner.config import RLTunerConfig
from rl_tuner.errors import UserError
from rl_tuner.pretraining.config import PretrainingConfig
from rl_tuner.settings import setting


@settings.documented
@dataclasses.dataclass(frozen=True)
class Example:
    """An example."""

    sizes: tuple[int, ...] = setting((1,), "Cells.", low=1)
    share: float = setting(0.5, "Of the whole.", above=0, high=1, flag="example_share")
    steps: int | None = setting(None, "At most.", low=0)
    kind: str = setting("a", "of example.", choices=("a", "b"), own="module:Kind")

    def __post_init__(self):
        settings.check(self)


@dataclasses.dataclass(frozen=True)
class Larger(Example):
    """Has another default."""

    share: float = settings.with_default(Example, "share", 0.75)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"sizes": (2, 0)}, r"sizes is \(2, 0\); it must be at least 1"),
        ({"sizes": ()}, "sizes is empty"),
        ({"share": 0.0}, "example_share is 0.0; it must be above 0 and at most 1"),
        ({"share": float("nan")}, "example_share is nan; it must be above 0"),
        ({"steps": -1}, "steps is -1; it must be at least 0"),
        ({"steps": float("inf")}, "steps is inf; it must be a finite number"),
        ({"kind": "c"}, "unknown kind 'c'; choose one of a, b, or module:Kind"),
    ],
)
@pytest.mark.parametrize("config", [Example, Larger])
def test_nonsense_is_refused_by_name(config, values, message):
    with pytest.raises(UserError, match=message):
        config(**values)


def test_what_is_allowed():
    config = Larger(sizes=(3, 4), steps=7, kind="my.module:Mine")
    assert config.share == 0.75
    assert Example().steps is None


@pytest.mark.parametrize("config", [Example, RLTunerConfig, PretrainingConfig])
def test_every_field_is_a_setting_and_documented(config):
    names = [field.name for field in dataclasses.fields(config)]
    assert list(settings.fields(config)) == names
    for name in names:
        assert f"\n  {name}: " in config.__doc__


def test_flags_have_the_kinds_defaults_and_help_of_fields(monkeypatch):
    values = flags.FlagValues()
    monkeypatch.setattr(setting_flags, "FLAGS", values)
    for kind, define in dict(setting_flags._DEFINE).items():

        def define_here(*args, define=define):
            return define(*args, flag_values=values)

        monkeypatch.setitem(setting_flags._DEFINE, kind, define_here)
    setting_flags.define(Larger, settings.fields(Larger))
    values(["binary", "--sizes=5,6", "--steps=3"])
    assert setting_flags.values(Larger) == {
        "sizes": ["5", "6"],
        "share": 0.75,
        "steps": 3,
        "kind": "a",
    }
    assert values["kind"].help == "One of a, b: of example."
    with pytest.raises(flags.Error, match="steps"):
        values(["binary", "--steps=1.5"])
