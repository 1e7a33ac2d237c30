import hashlib

import numpy as np
import pytest
from toy_task import CountingTask

from melody_rnn.world import MelodyWorld
from rl_tuner.errors import UserError
from rl_tuner.generation.diversity import Corpus
from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.runs import dependencies
from rl_tuner.worlds import TaskWorld


def test_model_is_known_by_what_it_says_and_not_by_its_weights(tmp_path):
    def of(metadata):
        [digits] = dependencies.of_model(
            SequenceRNN(5, (4,), metadata), tmp_path / "prior"
        ).values()
        return digits

    assert of({"a": 1, "b": [2]}) == of({"b": [2], "a": 1})
    assert of({"a": 1}) != of({"a": 2})


def test_primers_are_known_by_their_bytes(tmp_path):
    primer = tmp_path / "primer.mid"
    primer.write_bytes(b"one")
    found = dependencies.of_task(MelodyWorld(), {"primer_midi": str(primer)})
    expected = hashlib.sha256(b"one").hexdigest()
    assert found[f"the file {primer}"] == expected
    for name in ("b", "a"):
        (tmp_path / f"training_melodies.tfrecord-{name}").write_bytes(name.encode())
    settings = {"training_data_path": str(tmp_path), "primer_steps": 4}
    files = [name for name in dependencies.of_task(MelodyWorld(), settings)]
    assert [file[-2:] for file in files if "tfrecord" in file] == ["-a", "-b"]
    primer.unlink()
    with pytest.raises(UserError, match=r"cannot read .*primer.mid"):
        dependencies.of_task(MelodyWorld(), {"primer_midi": str(primer)})


def test_own_task_is_made_of_no_files():
    assert TaskWorld(CountingTask).files_of({}) == []


def test_corpus_is_known_by_its_sequences():
    def of(*sequences):
        return dependencies.of_corpus(Corpus(map(np.array, sequences)), "folder")

    assert of([1, 2], [3]) == of([1, 2], [3])
    different = [of([1, 2], [3]), of([1], [2, 3]), of([3], [1, 2]), of([1, 2], [4])]
    assert len({found["the corpus folder"] for found in different}) == 4
