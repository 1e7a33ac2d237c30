"""What melodies begin from, in training and in generation."""

import dataclasses
import json

import numpy as np
import pretty_midi
import pytest
import tensorflow as tf
from binaries import assert_refused, run_binary
from toy_task import CountingTask

from melody_rnn.encoding import (
    ALL_NOTES,
    FIRST_NOTE,
    OUR_NOTES,
    NoteRange,
    class_to_pitch,
    classes_to_melody_events,
    melody_events_to_classes,
)
from melody_rnn.music_theory.musical_key import parse_key
from melody_rnn.notation.midi import write_midi
from melody_rnn.note_rnn import sequence_examples
from melody_rnn.priming import transposed
from melody_rnn.task import MelodyTask
from melody_rnn.world import MelodyWorld
from rl_tuner.algorithms import get_algorithm
from rl_tuner.errors import UserError
from rl_tuner.formats.writing import export
from rl_tuner.generation import evaluation
from rl_tuner.generation.policy import Policy
from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.rl_tuner import RLTuner, RLTunerConfig
from rl_tuner.runs import bulk_generation, run_directory
from rl_tuner.training import acting

# Their last tokens differ, so that the first observation tells which was read.
PRIMERS = np.array([[0, 4, 4, 1], [3, 3, 0, 2], [1, 2, 0, 3]], np.int32)


class PrimedTask(CountingTask):
    """Counting, after one of the primers; token 4 ends a sequence early."""

    def __init__(self):
        super().__init__(num_classes=5, max_length=4, end_token=4)

    def prime(self, batch_size, seed):
        chosen = tf.random.stateless_uniform(
            [batch_size], seed, maxval=len(PRIMERS), dtype=tf.int32
        )
        return tf.gather(tf.constant(PRIMERS), chosen)


@pytest.fixture(name="prior", scope="module")
def _prior():
    return _random_model(5, (6, 4))


def _random_model(num_classes, layer_sizes, seed=0):
    model = SequenceRNN(num_classes, layer_sizes)
    random = np.random.default_rng(seed)
    model.set_weights([random.normal(size=v.shape) for v in model.get_weights()])
    return model


def test_training_starts_from_states_that_have_read_the_primer(prior):
    """In each row of its own, since sequences end at different times."""
    config = RLTunerConfig(replay_capacity=1000, minibatch_size=500)
    tuner = RLTuner(prior, PrimedTask(), config)
    tuner.train(300)  # no update yet: the Q network still is the prior
    stored = {
        name: ring.numpy()[: int(tuner.memory.replay.size)]
        for name, ring in tuner.memory.replay._rings.items()
    }
    expected = {
        primer[-1]: prior.unroll_with_state(primer[np.newaxis, :-1])[1][0]
        for primer in PRIMERS
    }
    read, lengths = set(), set()
    for row in range(config.num_sequences):
        played = {k: v[row :: config.num_sequences] for k, v in stored.items()}
        length = 0
        for t, action in enumerate(played["actions"]):
            observation, state = played["observations"][t], played["states"][t]
            if length == 0:
                read.add(observation)
                np.testing.assert_allclose(state, expected[observation], atol=1e-5)
            else:
                assert observation == played["actions"][t - 1]
                before = played["new_states"][t - 1]
                np.testing.assert_array_equal(state, before)
            length += 1
            if action == 4 or length == 4:
                assert played["continues"][t] == 0.0
                lengths.add(length)
                length = 0
    assert read == {1, 2, 3}
    assert len(lengths) > 1


def test_one_token_may_be_a_column(prior):
    task = CountingTask()
    tokens = tf.constant([1, 2, 3])
    plain = acting.start(task, prior, prior, tokens)
    column = acting.start(task, prior, prior, tokens[:, tf.newaxis])
    for one, other in zip(plain, column, strict=True):
        np.testing.assert_array_equal(one, other)


def test_evaluation_reads_primers_too(prior):
    policy = Policy(_random_model(5, (6, 4), 1), prior, get_algorithm("g"))
    task = PrimedTask()
    generated = evaluation.generate_for_task(policy, task, 50, seed=3)
    primes = evaluation.sample_primes(task, 50, seed=3)
    assert generated.sequences.shape == (50, 4)
    assert {tuple(row) for row in primes.numpy()} == {tuple(row) for row in PRIMERS}
    ends = generated.sequences == task.end_token
    played = np.cumsum(ends, axis=1) - ends == 0  # the end, too; nothing after it
    assert not played.all()
    np.testing.assert_allclose(
        played * evaluation.log_priors(prior, primes, generated.sequences),
        generated.log_priors,
        atol=1e-5,
    )
    probabilities = evaluation.next_token_probabilities(
        policy, primes, generated.sequences
    )
    entropies = -np.sum(probabilities * np.log(probabilities), -1)
    np.testing.assert_allclose(played * entropies, generated.entropies, atol=1e-4)


def test_random_melodies_of_magentas_records(tmp_path):
    random = np.random.default_rng(0)
    melodies = [random.integers(0, 38, length) for length in (30, 8, 7, 20)]
    sequence_examples.write_shards(tmp_path, "training_melodies", melodies, 38, 2)
    expected = {tuple(m[:8].tolist()) for m in melodies if len(m) >= 8}
    for path in (tmp_path, tmp_path / "training_melodies.tfrecord-*"):
        settings = {
            "priming_mode": "random_midi",
            "training_data_path": str(path),
            "primer_steps": 8,
        }
        task = MelodyWorld().make_task(settings)
        drawn = task.prime(200, tf.constant([1, 2])).numpy()
        assert {tuple(row) for row in drawn} == expected
        assert settings["primer_steps"] == 8  # the caller's are left alone
    settings["primer_steps"] = 31
    with pytest.raises(UserError, match="none of the 4 melodies"):
        MelodyWorld().make_task(settings)
    settings["training_data_path"] = str(tmp_path / "nothing*")
    with pytest.raises(UserError, match="no file matches"):
        MelodyWorld().make_task(settings)


def test_random_notes_are_drawn_as_ever():
    """The draws of runs made before there were modes."""
    seed = tf.constant([1, 2])
    drawn = MelodyTask().prime(5, seed)
    uniform = tf.random.stateless_uniform([5], seed, 0, 37, tf.int32)
    np.testing.assert_array_equal(drawn, uniform)


@pytest.fixture(name="run_dir", scope="module")
def _run_dir(tmp_path_factory):
    """Tuned from a bundle, always after the same four events."""
    directory = tmp_path_factory.mktemp("primed")
    export(_random_model(38, (8, 6)), "mag", directory / "prior.mag")
    write_midi([14, 0, 18, 0], directory / "primer.mid", qpm=100)
    result = run_binary(
        "rl_tuner_train",
        f"--bundle_file={directory / 'prior.mag'}",
        f"--output_dir={directory / 'run'}",
        "--priming_mode=single_midi",
        f"--midi_primer={directory / 'primer.mid'}",
        "--reward_mode=key",
        "--training_steps=320",
        "--output_every_nth=320",
        "--num_samples=2",
        "--num_melodies=20",
    )
    assert result.returncode == 0, result.stderr
    assert "Magenta bundle of 'basic_rnn': LSTM layers of 8, 6 cells" in result.stdout
    return directory / "run"


def test_run_remembers_its_primer(run_dir):
    settings = json.loads((run_dir / "settings.json").read_text())["task_settings"]
    assert settings["priming_mode"] == "single_midi"
    assert settings["primer_midi"] == str(run_dir.parent / "primer.mid")
    primes = MelodyWorld().make_task(settings).prime(3, tf.constant([1, 2])).numpy()
    assert primes.tolist() == [[14, 0, 18, 0]] * 3


def _generate(output_dir, *flags):
    flags = (*flags, f"--output_dir={output_dir}", "--num_outputs=1", "--seed=5")
    result = run_binary("rl_tuner_generate", *flags)
    assert result.returncode == 0, result.stderr
    midi = pretty_midi.PrettyMIDI(str(output_dir / "melody_01.mid"))
    notes = [(note.pitch, note.start) for note in midi.instruments[0].notes]
    return midi.get_tempo_changes()[1][0], notes, result.stdout


def _pitches(classes):
    return [class_to_pitch(token) for token in classes if token >= FIRST_NOTE]


def test_primer_may_only_be_written(run_dir, tmp_path):
    """At its own tempo, before what the run makes of the primer it was tuned with."""
    settings = run_directory.read_settings(run_dir)
    task = MelodyWorld().make_task(settings.task_settings)
    policy = run_directory.load_policy(run_dir, settings)
    expected = evaluation.generate_for_task(policy, task, 1, seed=5, num_steps=26)
    tempo, notes, out = _generate(
        tmp_path,
        f"--run_dir={run_dir}",
        f"--primer_midi={run_dir.parent / 'primer.mid'}",
        "--nocondition_on_primer",
        "--num_steps=30",
    )
    assert tempo == pytest.approx(100, abs=0.01)
    # The primer ends with its last note off, after four sixteenths.
    assert [pitch for pitch, _ in notes] == [60, 64, *_pitches(expected.sequences[0])]
    assert notes[1][1] == pytest.approx(2 * 60 / 100 / 4, abs=2e-3)
    assert "1 sequences of 30 steps" in out


def test_primer_may_only_be_read(run_dir, tmp_path):
    bundle = run_dir.parent / "prior.mag"
    policy = Policy.of_prior(SequenceRNN.load(bundle))
    expected = policy.generate(np.array([[14, 0, 18, 0]]), 32, seed=5)
    (tmp_path / "melody_02.mid").write_bytes(b"of another run")
    tempo, notes, out = _generate(
        tmp_path,
        f"--bundle_file={bundle}",
        "--primer_melody=[60, -2, 64, -2]",
        "--noinject_primer_during_generation",
        "--qpm=120",
    )
    assert tempo == pytest.approx(120, abs=0.01)
    assert [pitch for pitch, _ in notes] == _pitches(expected.sequences[0])
    assert "1 sequences of 32 steps" in out
    assert "of before, and not of these, are 1 files: melody_02.mid ..." in out


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--priming_mode=midi"], "unknown --priming_mode=midi; choose one of random_"),
        (["--priming_mode=single_midi"], "goes with one of --primer_midi and"),
        (["--primer_melody=[60]"], "goes with one of --primer_midi and"),
        (["--priming_mode=random_midi"], "--training_data_path go together"),
    ],
)
def test_modes_that_lack_something_are_refused(tmp_path, flags, message):
    assert_refused(run_binary("rl_tuner_train", *flags, cwd=tmp_path), message)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--bundle_file=a.mag", "--note_rnn_checkpoint_dir=b"], "not both"),
        (["--run_dir=a", "--bundle_file=b.mag"], "name one model: --run_dir"),
    ],
)
def test_several_models_are_refused(tmp_path, flags, message):
    flags = [*flags, "--output_dir=out"]
    assert_refused(run_binary("rl_tuner_generate", *flags, cwd=tmp_path), message)


def test_the_random_first_note_is_written_where_it_is_asked_for():
    model, task = _random_model(38, (8, 6)), MelodyWorld().make_task({})
    policy = Policy(model, model, get_algorithm("q"))
    without = bulk_generation.Generation("melody", "{}", "q", 7, 16, 1.0, seed=5)
    noted = dataclasses.replace(without, is_beginning_written=True)
    written = bulk_generation.sequences(noted, policy, task)
    notes = np.ravel(evaluation.sample_primes(task, 7, seed=5))
    np.testing.assert_array_equal(written[:, 0], notes)
    expected = bulk_generation.sequences(without, policy, task)
    np.testing.assert_array_equal(written[:, 1:], expected)
    part = bulk_generation.sequences(noted, policy, task, (2, 5))
    np.testing.assert_array_equal(part, written[2:5])


def test_a_melody_of_silence_is_told():
    task = MelodyWorld().make_task({})
    assert task.remarks_on(np.array([[14, 0], [2, 3]])) == []
    late, silent = [0, 14], [0, 1]
    told = task.remarks_on(np.array([late, silent, late, [14, 0]]))
    assert told[0] == "1 of 4 melodies are silent"
    assert told[1].startswith("2 of 4 melodies begin with silence; --write_first_note")


def _squashed(events, low, high, key):
    """Section 6 of MELODY_RNN.md, of events with at least one note."""
    pitches = [event for event in events if event >= 0]
    histogram = np.bincount(np.array(pitches) % 12, minlength=12)
    scores = [
        sum(histogram[(k + j) % 12] for j in (0, 2, 4, 5, 7, 9, 11)) for k in range(12)
    ]
    diff = key - int(np.argmax(scores))
    middle = (min(pitches) + max(pitches)) / 2 + diff
    amount = diff + 12 * round(((low + high - 1) / 2 - middle) / 12)

    def fold(pitch):
        if pitch < low:
            return low + (pitch - low) % 12
        if pitch >= high:
            return high - 12 + (pitch - high) % 12
        return pitch

    return [e if e < 0 else fold(e + amount) for e in events], amount


@pytest.mark.parametrize(
    ("notes", "key", "tonic"),
    [
        (OUR_NOTES, "C major", 0),
        (OUR_NOTES, "A minor", 0),
        (OUR_NOTES, "E dorian", 2),
        (NoteRange(55, 81), "C major", 0),
    ],
)
def test_primer_is_transposed_as_by_magenta(notes, key, tonic):
    random = np.random.default_rng(0)
    for _ in range(20):
        events = random.integers(20, 108, 12)
        events = np.where(random.random(12) < 0.5, -2, events).tolist()
        events[0] = int(random.integers(30, 100))
        expected, amount = _squashed(events, notes.min_note, notes.max_note + 1, tonic)
        primer = melody_events_to_classes(events, ALL_NOTES)
        found, moved = transposed(primer, notes, parse_key(key, notes))
        assert classes_to_melody_events(found, notes) == expected
        assert moved == amount


def test_melodies_are_written_in_the_primers_key(tmp_path):
    primer = melody_events_to_classes([62, -2, 66, -2, 69, -2, 73, -2], ALL_NOTES)
    classes, amount = transposed(primer, OUR_NOTES, parse_key("C major"))
    assert classes == melody_events_to_classes([60, -2, 64, -2, 67, -2, 71, -2])
    MelodyTask().write_samples(np.array([classes]), tmp_path, "", transpose=-amount)
    midi = pretty_midi.PrettyMIDI(str(tmp_path / "melody_01.mid"))
    assert [note.pitch for note in midi.instruments[0].notes] == [62, 66, 69, 73]
