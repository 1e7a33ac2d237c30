import dataclasses

import pytest

from melody_rnn.listening import sources
from melody_rnn.listening.sources import Judge, ModelSource
from rl_tuner.config import RLTunerConfig
from rl_tuner.errors import UserError
from rl_tuner.runs import run_directory
from rl_tuner.runs.run_directory import RunSettings


@pytest.fixture(name="prior")
def _prior(tmp_path):
    directory = tmp_path / "prior"
    directory.mkdir()
    (directory / "config.json").write_text('{"weights_sha256": "1"}')
    return directory


@pytest.fixture(name="run")
def _run(tmp_path):
    directory = tmp_path / "run"
    for name in ("q_network", "reward_rnn"):
        (directory / name).mkdir(parents=True)
        (directory / name / "config.json").write_text("{}")
    config = dataclasses.asdict(RLTunerConfig())
    settings = RunSettings("melody", {"rules": "corrected"}, "prior", 10, config)
    run_directory.write_settings(directory, settings)
    return directory


def test_models_are_read_in_order(prior, run):
    read = sources.parse_models(f" mle = {prior}, Ψ-2.0={run}, ")
    assert read == [ModelSource("mle", prior), ModelSource("Ψ-2.0", run)]
    assert [source.is_run for source in read] == [False, True]
    assert sources.parse_models("") == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{prior}", "write name=directory"),
        ("mle=", "write name=directory"),
        ("../x={prior}", "has the name '../x'"),
        ("a/b={prior}", "has the name 'a/b'"),
        ("=={prior}", "has the name ''"),
        ("-x={prior}", "start with a letter"),
        ("<b>={prior}", "has the name '<b>'"),
        ("a={prior},a={prior}", "two models named 'a'"),
        ("a={prior}/nothing", "no model 'a' at"),
        ("a=nowhere/at/all", "no model 'a' at"),
    ],
)
def test_bad_models_are_refused(prior, text, message):
    with pytest.raises(UserError, match=message):
        sources.parse_models(text.format(prior=prior))


def test_fingerprints_tell_models_apart(prior, run, tmp_path):
    first = sources.fingerprint(ModelSource("a", prior))
    assert sources.fingerprint(ModelSource("b", prior)) == first
    (prior / "MODEL_CARD.md").write_text("says nothing of the weights")
    assert sources.fingerprint(ModelSource("a", prior)) == first
    (prior / "config.json").write_text('{"weights_sha256": "2"}')
    assert sources.fingerprint(ModelSource("a", prior)) != first
    tuned = sources.fingerprint(ModelSource("q", run))
    (run / "q_network" / "config.json").write_text('{"more": 1}')
    assert sources.fingerprint(ModelSource("q", run)) != tuned
    magenta = tmp_path / "magenta"
    magenta.mkdir()
    for name in ("model.ckpt-1.index", "model.ckpt-1.data"):
        (magenta / name).write_text(name)
    by_prefix = sources.fingerprint(ModelSource("m", magenta / "model.ckpt-1"))
    assert sources.fingerprint(ModelSource("m", magenta)) == by_prefix


def test_the_untuned_is_judged_by_the_rules_of_the_tuned(prior, run):
    untuned, tuned = ModelSource("mle", prior), ModelSource("q", run)
    corrected = Judge("melody", {"rules": "corrected"})
    assert sources.judge_of(tuned, [untuned, tuned]) == corrected
    assert sources.judge_of(untuned, [untuned, tuned]) == corrected
    assert sources.judge_of(untuned, [untuned]) == Judge("melody", {})
