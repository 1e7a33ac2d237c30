"""Any lines, weights and records: molecules, numbers, or a line that says why not."""

import gzip
import pathlib

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from property_settings import property_settings

from molecule_rnn.scoring.rewards import (
    RewardSettings,
    carbon_runs,
    parse_reward_components,
    parse_reward_weights,
    prefix_rewards,
)
from molecule_rnn.scoring.scoring_pool import Scores
from molecule_rnn.smiles_rnn import check
from molecule_rnn.smiles_rnn import source as smiles_source
from molecule_rnn.smiles_rnn.statistics import TrainingStatistics
from molecule_rnn.vocabulary import EOS, TOKENIZERS, Vocabulary, tokenize
from rl_tuner.errors import UserError

SMILES = st.text("CNOclBr=#()[]@+-123%/\\.Hn", max_size=20)
TEXTS = st.one_of(st.text(), SMILES)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=8,
)


def _refusal(function, *args):
    """What a function says where it refuses; None where it does not."""
    try:
        function(*args)
    except UserError as error:
        return str(error)
    return None


@property_settings(100)
@hypothesis.given(st.lists(TEXTS, max_size=5), st.sampled_from(TOKENIZERS))
def test_strings_come_back_from_their_classes(strings, tokenizer):
    for string in strings:
        assert "".join(tokenize(string, tokenizer)) == string
    if not any(strings):
        with pytest.raises(UserError, match="needs one token or more"):
            Vocabulary.learn(strings, tokenizer)
        return
    vocabulary = Vocabulary.learn(strings, tokenizer)
    assert Vocabulary.from_json(vocabulary.to_json()) == vocabulary
    rows = [vocabulary.encode(string) for string in strings]
    padded = np.full([len(rows), 1 + max(map(len, rows))], EOS)
    for row, classes in zip(padded, rows, strict=True):
        assert all(0 < each < vocabulary.num_classes for each in classes)
        row[: len(classes)] = classes
    assert vocabulary.decode(padded) == strings


@property_settings(80)
@hypothesis.given(
    st.one_of(
        JSON,
        st.fixed_dictionaries({"tokens": JSON, "tokenizer": JSON}),
        st.fixed_dictionaries(
            {"tokens": st.lists(TEXTS), "tokenizer": st.sampled_from(TOKENIZERS)}
        ),
    )
)
def test_record_is_a_vocabulary_or_refused(record):
    refusal = _refusal(Vocabulary.from_json, record)
    if refusal is None:
        assert Vocabulary.from_json(record).to_json() == record


NAMES = list(TrainingStatistics.__dataclass_fields__)


@property_settings(40)
@hypothesis.given(
    st.one_of(JSON, st.fixed_dictionaries({name: JSON for name in NAMES}))
)
def test_record_is_statistics_or_refused(record):
    refusal = _refusal(TrainingStatistics.from_json, record)
    if refusal is None:
        numbers = TrainingStatistics.from_json(record).to_json().values()
        assert np.isfinite(list(numbers)).all()


@property_settings(150)
@hypothesis.given(
    st.one_of(
        st.text(),
        st.lists(
            st.builds(
                "{}={}".format,
                st.sampled_from(["qed", "log_p", "valid", "q ed", ""]),
                st.one_of(st.floats(), st.integers(), st.text(max_size=5)),
            )
        ).map(",".join),
    )
)
def test_text_is_weights_or_refused(text):
    if _refusal(parse_reward_weights, text) is None:
        weights = parse_reward_weights(text)
        assert np.isfinite(list(weights.values())).all()
        RewardSettings(weights=weights)


@property_settings(60)
@hypothesis.given(
    st.one_of(
        st.text(max_size=20),
        st.sampled_from(
            ["os:path", "os:no", "no_such:f", ":", "a:", ":b", "qed", "..:x", "\0:\0"]
        ),
    )
)
def test_text_is_components_or_refused(text):
    if _refusal(parse_reward_components, text) is None:
        assert all(":" in name for name in parse_reward_components(text))


@property_settings(60)
@hypothesis.given(st.data())
def test_rewards_are_numbers(data):
    number = data.draw(st.integers(0, 6))
    column = st.lists(st.floats(-1e6, 1e6, width=32), min_size=number, max_size=number)
    settings = RewardSettings(
        weights={
            name: data.draw(st.floats(-1e3, 1e3), label=name)
            for name in ("valid", "qed", "carbon")
        }
    )
    names = settings.scored_components
    values = np.array([data.draw(column) for _ in names], np.float32).T
    parsed, ended = (
        np.array(data.draw(st.lists(st.booleans(), min_size=number, max_size=number)))
        for _ in range(2)
    )
    tokens = np.array(
        data.draw(
            st.lists(
                st.lists(st.integers(0, 2), min_size=9, max_size=9),
                min_size=number,
                max_size=number,
            )
        )
    ).reshape(number, 9)
    lengths = data.draw(st.lists(st.integers(1, 9), min_size=number, max_size=number))
    lengths = np.array(lengths, int)
    runs = carbon_runs(tokens, lengths, 1)
    for row, length, run in zip(tokens, lengths, runs, strict=True):
        text = "".join(map(str, row[:length]))
        assert run == len(text) - len(text.rstrip("1"))
    scores = Scores(names, parsed.astype(bool), values.reshape(number, len(names)))
    rewards = prefix_rewards(scores, lengths, ended.astype(bool), runs, settings)
    assert rewards.shape == (number,)
    assert rewards.dtype == np.float32
    assert np.isfinite(rewards).all()


@property_settings(80)
@hypothesis.given(
    st.sampled_from([".smi", ".txt", ".csv", ".tsv", ".smi.gz", ".csv.gz"]),
    st.one_of(
        st.binary(max_size=80),
        st.lists(
            st.one_of(SMILES, st.text(max_size=12), st.just("smiles,x\tsmiles")),
            max_size=8,
        ).map(lambda lines: "\n".join(lines).encode("utf-8", "surrogatepass")),
    ),
    st.booleans(),
    st.sampled_from(TOKENIZERS),
)
def test_lines_of_any_file_are_molecules_or_have_a_problem(
    tmp_path_factory, suffix, content, canonical, tokenizer
):
    path = pathlib.Path(tmp_path_factory.getbasetemp()) / f"lines{suffix}"
    is_packed = suffix.endswith(".gz") and len(content) % 3
    path.write_bytes(gzip.compress(content) if is_packed else content)
    rules = check.CheckRules(tokenizer, 12, canonical)
    refusal = None
    try:
        source = smiles_source.find_source(str(path))
        lines = [
            line for part in check.check_lines(source.lines(), rules) for line in part
        ]
    except UserError as error:
        refusal = str(error)
    if refusal:
        assert refusal.isprintable()
        return
    for line in lines:
        if not line.problem:
            assert 0 < len(tokenize(line.text, tokenizer)) <= 12
            assert line.text.isascii()
            assert line.text.isprintable()
