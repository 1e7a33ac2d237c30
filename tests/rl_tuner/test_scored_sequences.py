"""Sequences that are scored while a policy is tuned: written once, and filtered."""

import itertools

import numpy as np
import pytest
from enumerable_task import EnumerableTask, ScoredEnumerableTask, random_prior

from rl_tuner.config import RLTunerConfig
from rl_tuner.errors import UserError
from rl_tuner.rl_tuner import RLTuner
from rl_tuner.scored_sequences import DIRECTORY_NAME, STEM
from rl_tuner.scored_task import SequenceFilter
from rl_tuner.system import csv_shards

SHAPE = (4, 6, 0, 2)
PRIOR = random_prior(EnumerableTask(*SHAPE), 1, (8,))
SETTINGS = {
    "reinforce": {"num_sequences": 16},
    "g": {"exploration_steps": 500, "replay_capacity": 500, "rounds_per_scoring": 4},
}


class OnceOnly(SequenceFilter):
    """A sequence that was there before earns nothing."""

    def __init__(self):
        self.known = {}

    def filtered(self, sequences, rewards):
        earned = rewards.copy()
        for row, sequence in enumerate(sequences):
            count = self.known[sequence.tobytes()] = (
                self.known.get(sequence.tobytes(), 0) + 1
            )
            if count > 1:
                earned[row] = 0.0
        return earned

    def state(self):
        keys = np.frombuffer(b"".join(self.known), np.int32)
        return {"keys": keys, "counts": np.array([*self.known.values()])}

    def restore(self, state):
        keys = np.asarray(state["keys"]).reshape(len(state["counts"]), 6)
        self.known = dict(zip(map(bytes, keys), map(int, state["counts"]), strict=True))


class FilteredTask(ScoredEnumerableTask):
    def make_filter(self):
        return OnceOnly()


def _tuner(algorithm, task):
    return RLTuner(PRIOR, task, RLTunerConfig(algorithm, **SETTINGS[algorithm]))


def _copied(tuner):
    return {name: np.array(value) for name, value in tuner.state().items()}


def _lines(directory):
    return list(csv_shards.read_shards(directory / DIRECTORY_NAME, STEM))


@pytest.fixture(name="trained", scope="module", params=SETTINGS)
def _trained(request, tmp_path_factory):
    """An uncut run that wrote all, and its state; compiled once, it is begun anew."""
    directory = tmp_path_factory.mktemp(request.param)
    tuner = _tuner(request.param, FilteredTask(*SHAPE))
    tuner.loop.write_scored(directory)
    start = _copied(tuner)
    steps = []
    tuner.train(900, lambda progress: steps.append(progress.step), report_every=1)
    tuner.loop.flush()
    return request.param, tuner, start, steps, directory, _copied(tuner)


def test_each_sequence_is_written_once_with_what_it_earned(trained):
    algorithm, tuner, _, steps, directory, state = trained
    lines = _lines(directory)
    sequences = np.array([line["sequence"].split() for line in lines], int)
    # The reward of the last token, by the task; the end token fills what is behind it.
    rewards = tuner.task.rewards(sequences)
    lengths = np.minimum((sequences != 2).cumprod(axis=1).sum(axis=1) + 1, 6)
    last = rewards[np.arange(len(lines)), lengths - 1]
    scores = np.array([float(line["reward"]) for line in lines])
    np.testing.assert_allclose(scores, last, rtol=1e-5)
    known = set()
    for line, score in zip(lines, scores, strict=True):
        is_known = line["sequence"] in known
        known.add(line["sequence"])
        assert float(line["filtered_reward"]) == (0.0 if is_known else score)
    assert 10 < len(known) < len(lines)
    found = [int(line["step"]) for line in lines]
    assert sorted(set(found)) == steps
    if algorithm == "reinforce":
        counts = [len([*group]) for _, group in itertools.groupby(found)]
        assert set(counts) == {16}
        ends = np.cumsum([lengths[i : i + 16].sum() for i in range(0, len(lines), 16)])
        assert ends.tolist() == steps
        # What is learned from is what is left of it.
        rows = np.arange(16), lengths[-16:] - 1
        learned = state["last/task_rewards"][rows]
        np.testing.assert_allclose(
            learned, [float(x["filtered_reward"]) for x in lines[-16:]], rtol=1e-5
        )


def test_cut_run_writes_and_filters_as_the_uncut(trained, tmp_path, monkeypatch):
    _, tuner, start, _, directory, uncut = trained
    monkeypatch.setattr(csv_shards, "LINES_A_SHARD", 30)
    saved = {}

    def save(progress):
        if progress.step < 450:
            tuner.loop.flush()
            saved.update(_copied(tuner))

    tuner.loop.write_scored(tmp_path)
    tuner.restore(start)
    tuner.train(900, save, report_every=1)  # on after the last save
    tuner.loop.write_scored(tmp_path)
    tuner.restore(saved)
    assert 0 < tuner.step < 450
    tuner.train(900 - tuner.step)
    tuner.loop.flush()
    assert _lines(tmp_path) == _lines(directory)
    for name, value in _copied(tuner).items():
        if not name.startswith("scored_shards/"):
            assert value.tobytes() == uncut[name].tobytes(), name


def test_writing_changes_nothing_that_is_learned(trained):
    _, tuner, start, _, _, written = trained
    tuner.loop._scored.shards = None
    tuner.restore(start)
    tuner.train(900)
    for name, value in _copied(tuner).items():
        assert value.tobytes() == written[name].tobytes(), name


def test_what_is_scored_inside_the_loop_is_not_written(tmp_path):
    tuner = _tuner("reinforce", EnumerableTask(*SHAPE))
    with pytest.raises(UserError, match="--write_scored is for tasks that score out"):
        tuner.loop.write_scored(tmp_path)
