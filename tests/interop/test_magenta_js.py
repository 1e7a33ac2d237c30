"""Our exports under node, in MusicRNN of @magenta/music."""

import json
import pathlib
import shutil
import subprocess

import numpy as np
import pytest
import tensorflow as tf

from melody_rnn.encoding import classes_to_melody_events, melody_events_to_classes
from melody_rnn.notation.midi import classes_to_note_sequence
from rl_tuner.algorithms import get_algorithm
from rl_tuner.formats.writing import export
from rl_tuner.generation.policy import Policy
from rl_tuner.networks.sequence_rnn import SequenceRNN

pytestmark = pytest.mark.interop

SHIPPED = pathlib.Path(__file__).parents[2] / "checkpoints" / "note_rnn"
PRIMER = [60, -2, 64, -2, 67, -2, -2, -1]
NUM_STEPS = 48
PROBABILITY_TOLERANCE = 5e-6


def _continue_in_node(node_modules, folder):
    node = shutil.which("node") or pytest.fail("the interop tests need node")
    script = pathlib.Path(__file__).with_name("music_rnn.js")
    command = [node, script, node_modules, folder, NUM_STEPS, *PRIMER]
    result = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return json.loads(result.stdout)


def _continue_here(model):
    """Greedy steps after the primer: classes, and the probabilities of each."""
    tokens = melody_events_to_classes(PRIMER)
    state = model.initial_state(1)
    for token in tokens:
        logits, state = model.step(tf.constant([token]), state)
    classes, probabilities = [], []
    for _ in range(NUM_STEPS):
        probabilities.append(tf.nn.softmax(logits)[0].numpy())
        classes.append(int(np.argmax(logits)))
        logits, state = model.step(tf.constant(classes[-1:]), state)
    return classes, np.stack(probabilities)


def _two_layers():
    model = SequenceRNN(38, (32, 24))
    random = np.random.default_rng(0)
    model.set_named_weights(
        {
            name: 0.5 * random.normal(size=value.shape)
            for name, value in model.weight_arrays().items()
        }
    )
    return model


def _tuned_by_g():
    prior = SequenceRNN.load(SHIPPED)
    other = prior.clone()
    other.set_weights([0.8 * weight for weight in prior.get_weights()])
    return Policy(other, prior, get_algorithm("g")).as_network()


@pytest.mark.parametrize("make", [SequenceRNN.load, _tuned_by_g, _two_layers])
def test_continues_as_we_do_step_by_step(node_modules, tmp_path, record_property, make):
    model = make(SHIPPED) if make == SequenceRNN.load else make()
    export(model, "magentajs", tmp_path / "model")
    theirs = _continue_in_node(node_modules, tmp_path / "model")
    classes, probabilities = _continue_here(model)
    found = np.array(theirs["probabilities"])
    difference = float(np.abs(found - probabilities).max())
    record_property("largest difference of probabilities", difference)
    print(f"{len(set(classes))} classes, largest difference {difference:.2g}")
    assert found.shape == (NUM_STEPS, 38)
    assert found.argmax(1).tolist() == classes
    assert difference < PROBABILITY_TOLERANCE
    events = classes_to_melody_events(classes)
    starts = [step for step, event in enumerate(events) if event >= 0]
    assert [note[:2] for note in theirs["notes"]] == [
        [events[step], step] for step in starts
    ]
    # The lengths are note_seq's too: the last note sounds to the end.
    lengths = [
        round((note.end_time - note.start_time) * 80 / 60 * 4)
        for note in classes_to_note_sequence(classes).notes
    ]
    assert [end - start for _, start, end in theirs["notes"]] == lengths
