import math
import wave

import numpy as np
import pytest
from reference import REFERENCE, needs_reference
from scipy.io import wavfile

from melody_rnn.notation.audio import SAMPLE_RATE, write_wav
from melody_rnn.table1 import TABLE1_ROWS
from melody_rnn.task import MelodyTask
from rl_tuner.generation.evaluation import evaluate_policy
from rl_tuner.generation.policy import Policy
from rl_tuner.networks.sequence_rnn import SequenceRNN

A4 = 69 - 48 + 2

# What Magenta's own evaluation of the published checkpoint gives on 3,000 melodies, in
# the order of Table 1, as far as it was written down.
MAGENTA = (63.7, -0.155, 0.137, -0.126, 0.89, 0.03, 71.9, 63.8, 49.2, 5.5, 0.008)
MAGENTA_MELODIES = 3_000


@needs_reference
def test_published_note_rnn_is_measured_as_magenta_measures_it():
    prior = SequenceRNN.load(REFERENCE / "note_rnn_paper")
    measured = evaluate_policy(Policy.of_prior(prior), MelodyTask(), 12_000)
    for row, theirs in zip(TABLE1_ROWS, MAGENTA, strict=True):
        ours = measured.metrics[row.name]
        error = measured.standard_errors[row.name]
        # Theirs has the error of fewer melodies.
        combined = error * math.sqrt(1 + measured.num_sequences / MAGENTA_MELODIES)
        assert error > 0
        assert abs(ours - theirs) < 3.5 * combined, row.name
    assert measured.counts["num_compositions"] == 12_000


def test_rules_reading_is_said():
    for rules, words in (("paper", "0 a rest"), ("corrected", "0 no event")):
        assert words in MelodyTask(rules=rules).remarks()[0]
    assert "swapped" in MelodyTask().remarks()[1]


def test_reading_of_the_rules_is_the_tasks():
    melody = np.ravel([[note, 0, 0, 0] for note in range(14, 22)])
    shares = {
        rules: MelodyTask(rules=rules)
        .judge(melody[np.newaxis])
        .metrics["notes_excessively_repeated"]
        for rules in ("paper", "corrected")
    }
    assert shares["paper"] == 25.0
    assert shares["corrected"] == 0.0


def test_tokens_are_called_by_their_pitch():
    labels = MelodyTask().token_labels()
    assert labels[:3] == ["no event", "note off", "C3"]
    assert (labels[14], labels[A4], labels[-1]) == ("C4", "A4", "B5")


def test_melody_sounds_at_its_pitch_for_its_length(tmp_path):
    write_wav([A4] + [0] * 15, tmp_path / "a.wav")
    rate, samples = wavfile.read(tmp_path / "a.wav")
    assert (rate, samples.dtype, samples.ndim) == (SAMPLE_RATE, np.int16, 1)
    # 16 sixteenths at 80 quarters a minute, and its dying away.
    assert 3.0 <= len(samples) / rate < 4.2
    spectrum = np.abs(np.fft.rfft(samples.astype(float)))
    strongest = np.fft.rfftfreq(len(samples), 1 / rate)[spectrum.argmax()]
    assert strongest == pytest.approx(440.0, abs=1.0)


def test_silence_is_written_too(tmp_path):
    write_wav([0] * 32, tmp_path / "silence.wav")
    with wave.open(str(tmp_path / "silence.wav")) as file:
        assert not any(file.readframes(file.getnframes()))


def test_first_melodies_can_be_heard(tmp_path):
    melodies = np.full([5, 8], A4)
    MelodyTask().write_audio(melodies, tmp_path)
    assert len(list(tmp_path.glob("melody_0?.wav"))) == 3
