"""Bulk generation and scoring: the same however they are cut, and wherever they run."""

import csv
import json

import numpy as np
import pytest
from beam_runner import RUNNER, needs_beam

from melody_rnn.task import MelodyTask
from rl_tuner.errors import UserError
from rl_tuner.generation.evaluation import generate_for_task
from rl_tuner.generation.policy import Policy
from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.runs import bulk_generation
from rl_tuner.runs.bulk_generation import Generation, generate_shards
from rl_tuner.runs.bulk_scoring import Scoring, score_shards
from rl_tuner.system import shards

COUNT = 1100  # more than one compiled call generates
STEPS = 9
SETTINGS = {"num_notes_in_melody": STEPS}


@pytest.fixture(name="policy", scope="module")
def _policy():
    model = SequenceRNN(38, (4,))
    random = np.random.default_rng(0)
    model.set_named_weights(
        {k: random.normal(size=v.shape) for k, v in model.weight_arrays().items()}
    )
    return Policy.of_prior(model)


@pytest.fixture(name="expected", scope="module")
def _expected(policy):
    return generate_for_task(policy, MelodyTask(**SETTINGS), COUNT, 0.8, 3).sequences


def _generation(**changes):
    settings = {"num_steps": STEPS, "temperature": 0.8, "seed": 3, "count": COUNT}
    return Generation(
        "melody",
        json.dumps(SETTINGS),
        "psi",
        is_primer_written=False,
        **settings | changes,
    )


def _numbers(paths):
    text = "".join(path.read_text() for path in paths)
    return np.array([line.split() for line in text.splitlines()], np.int32)


def _files(directory):
    return {p.name: p.read_bytes() for p in directory.iterdir() if p.is_file()}


@pytest.mark.parametrize("num_shards", [1, 7])
def test_shards_put_together_are_the_plain_sequences(
    policy, expected, tmp_path, num_shards
):
    paths = generate_shards(_generation(), policy, tmp_path, num_shards)
    assert [path.name for path in paths] == [
        f"sequences-{i:05}-of-{num_shards:05}.txt" for i in range(num_shards)
    ]
    np.testing.assert_array_equal(_numbers(paths), expected)


def test_what_is_there_stays(policy, expected, tmp_path):
    paths = generate_shards(_generation(), policy, tmp_path, 3)
    paths[1].unlink()
    paths[0].write_text("kept\n")
    generate_shards(_generation(), policy, tmp_path, 3)
    assert paths[0].read_text() == "kept\n"
    np.testing.assert_array_equal(_numbers(paths[1:]), expected[COUNT // 3 :])


def test_another_generation_is_refused(policy, tmp_path):
    generate_shards(_generation(count=5), policy, tmp_path, 1)
    with pytest.raises(UserError, match="seed is 3, not 4"):
        generate_shards(_generation(count=5, seed=4), policy, tmp_path, 1)


def test_primers(policy):
    task = MelodyTask(**SETTINGS)
    primer = (14, 0, 18)
    plain = policy.generate(np.tile(primer, [COUNT, 1]), STEPS, 0.8, 3).sequences
    asked = _generation(primer=primer)
    found = bulk_generation.sequences(asked, policy, task, (1000, 1050))
    np.testing.assert_array_equal(found, plain[1000:1050])


def _scored(policy, output_dir, sources, num_shards, runner="local"):
    model = output_dir.parent / "model"
    policy.q_network.save(model)
    output_dir.mkdir()
    scoring = Scoring("melody", json.dumps(SETTINGS), model)
    return score_shards(scoring, sources, output_dir, num_shards, runner)


def test_scores_are_those_of_the_task(policy, expected, tmp_path):
    sources = generate_shards(_generation(), policy, tmp_path, 2)
    summary = _scored(policy, tmp_path / "scored", sources, 3)
    rows = []
    for path in sorted((tmp_path / "scored").glob("*.csv")):
        with open(path, newline="") as file:
            rows += csv.DictReader(file)
    assert len(list((tmp_path / "scored").glob("*.csv"))) == 6
    rewards = MelodyTask(**SETTINGS).rewards(expected).sum(axis=1)
    found = [float(row["task_reward"]) for row in rows]
    np.testing.assert_allclose(found, rewards, rtol=1e-6)
    assert [row["sequence"].split() for row in rows] == expected.astype(str).tolist()
    assert summary["count"] == COUNT
    mean = summary["columns"]["task_reward"]
    np.testing.assert_allclose(mean["mean"], rewards.mean(), rtol=1e-6)
    error = rewards.std() / np.sqrt(COUNT)
    np.testing.assert_allclose(mean["standard_error"], error, rtol=1e-5)
    assert list(summary["columns"])[:2] == ["key", "tonic"]


def test_a_line_that_is_no_sequence(policy, tmp_path):
    (tmp_path / "lines.txt").write_text("1 2 3\n")
    with pytest.raises(UserError, match="'1 2 3' is no sequence of the task 'melody'"):
        _scored(policy, tmp_path / "scored", [tmp_path / "lines.txt"], 1)


@pytest.mark.parametrize("text", ["", "a\n", "a\n\nbb\nccc", "x" * 50 + "\ny\n"])
@pytest.mark.parametrize("num_shards", [1, 2, 3, 10])
def test_lines_are_cut_whole(tmp_path, text, num_shards):
    path = tmp_path / "lines.txt"
    path.write_text(text)
    ranges = shards.line_ranges(path, num_shards)
    assert len(ranges) == num_shards
    lines = [line for part in ranges for line in shards.read_lines(path, *part)]
    assert lines == text.splitlines()


@needs_beam
def test_beam_writes_the_same_files(policy, tmp_path):
    for runner in ("local", RUNNER):
        folder = tmp_path / runner
        folder.mkdir()
        sources = generate_shards(_generation(), policy, folder, 3, runner)
        _scored(policy, folder / "scored", sources, 2, runner)
    ours, theirs = tmp_path / "local", tmp_path / RUNNER
    assert len(_files(ours)) == 4
    assert _files(ours) == _files(theirs)
    ours, theirs = _files(ours / "scored"), _files(theirs / "scored")
    assert len(ours) == 14
    ours.pop("scoring.json"), theirs.pop("scoring.json")  # they name the folder
    assert ours == theirs


@needs_beam
def test_one_line_says_what_failed_on_beam(policy, tmp_path):
    (tmp_path / "lines.txt").write_text("1 2 3\n")
    with pytest.raises(UserError, match=r"^scores-00000-of-00001: '1 2 3' is no"):
        _scored(policy, tmp_path / "scored", [tmp_path / "lines.txt"], 1, RUNNER)
