import io
import wave

import note_seq
import numpy as np
import pytest

from melody_rnn import encoding
from melody_rnn.listening import render
from melody_rnn.listening.render import SAMPLE_RATE, SECONDS_PER_STEP
from rl_tuner.errors import UserError

A4 = encoding.pitch_to_class(69)


def samples_of(audio):
    with wave.open(io.BytesIO(audio)) as file:
        assert (file.getnchannels(), file.getframerate()) == (1, SAMPLE_RATE)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768


def test_notes_are_those_of_the_midi_file():
    classes = [1, A4, 0, 0, A4 + 3, 1, 0, 2]
    rendering = render.render(classes, render.SYNTHESIS)
    notes = note_seq.midi_to_note_sequence(rendering.midi).notes
    assert rendering.notes == [(1, 4, 69), (4, 5, 72), (7, 8, 48)]
    np.testing.assert_allclose(
        [(n.start_time, n.end_time, n.pitch) for n in notes],
        np.array(rendering.notes) * [SECONDS_PER_STEP, SECONDS_PER_STEP, 1],
        atol=2e-3,
    )


def test_sound_is_at_the_pitch_and_time_of_the_note():
    rendering = render.render([1] * 8 + [A4] + [0] * 7, render.SYNTHESIS)
    samples = samples_of(rendering.audio)
    start = int(8 * SECONDS_PER_STEP * SAMPLE_RATE)
    assert np.abs(samples[: start - 10]).max() == 0.0
    played = samples[start : start + SAMPLE_RATE]
    spectrum = np.abs(np.fft.rfft(played * np.hanning(len(played))))
    assert np.argmax(spectrum) == pytest.approx(440, abs=1)
    assert 0.7 < np.abs(samples).max() <= 0.81


def test_melodies_of_as_many_steps_are_as_long():
    lengths = {
        len(samples_of(render.render(classes, render.SYNTHESIS).audio))
        for classes in ([A4] * 8, [A4, 1] + [0] * 6, [0] * 8, [1] * 8)
    }
    seconds = 8 * SECONDS_PER_STEP + render.TAIL_SECONDS
    assert lengths == {int(seconds * SAMPLE_RATE)}


def test_a_study_of_fluidsynth_does_not_change_its_sound(monkeypatch):
    monkeypatch.setattr(render, "available_sound", lambda: render.SYNTHESIS)
    with pytest.raises(UserError, match="install FluidSynth"):
        render.render([A4, 0], render.FLUIDSYNTH)


@pytest.mark.skipif(
    render.available_sound() != render.FLUIDSYNTH,
    reason="FluidSynth or its package pyfluidsynth is not installed",
)
def test_fluidsynth_plays_the_note():
    samples = samples_of(render.render([A4] + [0] * 7, render.FLUIDSYNTH).audio)
    spectrum = np.abs(np.fft.rfft(samples[:SAMPLE_RATE]))
    peaks = np.argsort(spectrum)[-3:]
    assert all(peak % 440 < 4 or peak % 440 > 436 for peak in peaks)
