"""Any compositions, primers and tunes: numbers, or one line that says why not."""

import io
import warnings

import hypothesis
import mido
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from property_settings import property_settings

from melody_rnn.music_theory.rewards import rule_rewards
from melody_rnn.music_theory.settings import RULE_NAMES
from melody_rnn.music_theory.statistics import composition_stats
from melody_rnn.notation import abc_notation, midi, midi_files
from melody_rnn.note_rnn import melody_extraction
from melody_rnn.table1 import table1_metrics
from rl_tuner.errors import UserError

TONICS = [f"{letter}{sign}" for letter in "CDEFGAB" for sign in ("", "#", "b")]
READINGS = st.sampled_from(["paper", "corrected"])
KEYS = st.builds(
    "{} {}".format, st.sampled_from(TONICS), st.sampled_from(["major", "minor"])
)
# Runs of the same class, holds and rests are where the rules have their branches.
CLASSES = st.one_of(st.integers(0, 37), st.sampled_from([0, 1, 14, 37]))


@st.composite
def _compositions(draw):
    number, length = draw(st.integers(0, 3)), draw(st.integers(1, 11))
    rows = st.lists(CLASSES, min_size=length, max_size=length)
    drawn = draw(st.lists(rows, min_size=number, max_size=number))
    dtype = draw(st.sampled_from([np.int8, np.uint8, np.int32, np.int64, np.uint64]))
    return np.array(drawn, dtype).reshape(number, length)


@pytest.fixture(name="eagerly", scope="module", autouse=True)
def _eagerly():
    """Without compiling anew for every shape and key."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@property_settings(12)
@hypothesis.given(_compositions(), READINGS, KEYS)
def test_rules_give_numbers_to_each_melody_by_itself(compositions, rules, key):
    rewards = rule_rewards(compositions, rules, key)
    assert tuple(rewards) == RULE_NAMES
    for values in rewards.values():
        assert values.shape == compositions.shape
        assert values.dtype == np.float32
        assert np.isfinite(values).all()
    if len(compositions) > 1:
        alone = rule_rewards(compositions[1:2].tolist(), rules, key)
        for name, values in rewards.items():
            np.testing.assert_array_equal(values[1:2], alone[name])


@property_settings(12)
@hypothesis.given(_compositions(), READINGS, KEYS)
def test_counts_of_a_corpus_are_those_of_its_melodies(compositions, rules, key):
    stats = composition_stats(compositions, rules, key)
    parts = [composition_stats(row[np.newaxis], rules, key) for row in compositions]
    for name, count in stats.items():
        if name.startswith(("num_", "notes_", "total_")):
            assert count == sum(part[name] for part in parts), name
            assert 0 <= count <= max(compositions.size, len(compositions))
    for name, value in table1_metrics(stats).items():
        if np.isnan(value):  # nothing to take the mean of
            is_undefined = not compositions.size or name.startswith(
                ("autocorrelation", "mean_autocorrelation", "leaps_resolved")
            )
            assert is_undefined, name


_ANYTHING = st.one_of(
    st.none(),
    st.text(),
    st.integers(),
    st.lists(st.lists(st.one_of(st.integers(-5, 45), st.none(), st.floats()))),
    arrays.arrays(
        arrays.scalar_dtypes(),
        arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    ),
)


def _is_composition(thing):
    try:
        array = np.asarray(thing)
    except ValueError:  # lists of different lengths
        return False
    if array.ndim != 2 or not array.shape[1]:
        return False
    is_whole = array.dtype.kind in "iu" and ((array >= 0) & (array < 38)).all()
    return not array.size or is_whole


@property_settings(150)
@hypothesis.given(_ANYTHING)
def test_anything_else_is_refused(thing):
    hypothesis.assume(not _is_composition(thing))
    for judge in (rule_rewards, composition_stats):
        with pytest.raises(UserError) as caught:
            judge(thing)
        assert str(caught.value).isprintable()


@property_settings(200)
@hypothesis.given(
    st.one_of(
        st.text(),
        st.text("[](), -0123456789.eEjJx_'\"#\\\n\t", max_size=30),
        st.lists(st.integers(-3, 100)).map(str),
        st.sampled_from(
            ["[" * 5000, "9" * 5000, "[1if 1else 2]", "'\\d'", "[True]", "[60,]"]
        ),
    )
)
def test_primer_is_a_melody_or_one_line(text):
    classes, refusal = None, ""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            classes = midi.parse_primer_melody(text)
        except UserError as error:
            refusal = str(error)
    assert not told
    if classes is None:
        assert refusal.isprintable()
        assert len(refusal) < 300
    else:
        assert classes
        assert all(type(c) is int and 0 <= c < 38 for c in classes)


def _midi_file():
    file = mido.MidiFile(ticks_per_beat=220)
    track = mido.MidiTrack()
    track.append(mido.MetaMessage("set_tempo", tempo=500_000))
    track.append(mido.MetaMessage("time_signature", numerator=4, denominator=4))
    track.append(mido.MetaMessage("key_signature", key="D"))
    for pitch in (60, 62, 64, 60, 67):
        track.append(mido.Message("note_on", note=pitch, velocity=90, time=0))
        track.append(mido.Message("note_off", note=pitch, velocity=0, time=110))
    file.tracks.append(track)
    data = io.BytesIO()
    file.save(file=data)
    return data.getvalue()


@st.composite
def _midi_bytes(draw):
    """A MIDI file with a few other bytes, perhaps cut, or any bytes at all."""
    data = bytearray(_midi_file())
    for _ in range(draw(st.integers(0, 4))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    end = draw(st.one_of(st.just(len(data)), st.integers(0, len(data))))
    return draw(st.one_of(st.just(bytes(data[:end])), st.binary(max_size=60)))


@property_settings(100)
@hypothesis.given(_midi_bytes())
def test_midi_primer_is_a_melody_or_one_line(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "primer.mid"
    path.write_bytes(data)
    try:
        classes = midi.read_primer_midi(path)
        tempo = midi.read_tempo(path)
    except UserError as error:
        refusal = str(error)
    else:
        assert max(classes) > 1
        assert all(type(c) is int and 0 <= c < 38 for c in classes)
        assert 0 < tempo < float("inf")
        return
    assert refusal.isprintable()


def test_midi_primer_of_a_year_is_refused_at_once(tmp_path):
    file = mido.MidiFile(ticks_per_beat=1, tracks=[mido.MidiTrack()])
    for kind, time in (("note_on", 0), ("note_off", 2**28 - 1)):
        file.tracks[0].append(mido.Message(kind, note=60, time=time))
    file.save(tmp_path / "long.mid")
    with pytest.raises(UserError, match="lasts over 25000 quarters"):
        midi.read_primer_midi(tmp_path / "long.mid")
    file.tracks[0][1].time = 5000
    file.save(tmp_path / "long.mid")
    with pytest.raises(UserError, match=r"lasts \d+ sixteenths; .* at most 4096"):
        midi.read_primer_midi(tmp_path / "long.mid")


@property_settings(100)
@hypothesis.given(_midi_bytes())
def test_midi_file_of_a_corpus_is_melodies_or_a_reason(data):
    rules = melody_extraction.ExtractionRules()
    try:
        extraction = melody_extraction.extract_melodies(data, rules)
    except midi_files.MidiError:
        return
    for melody in extraction.melodies:
        assert all(-2 <= event <= 127 for event in melody)


_ABC_LINES = st.one_of(
    st.text(max_size=30),
    st.text("ABCDEFGabcdefgz|:[]()1234567/^_=,'\"!{}~-<> %\\", max_size=30),
    st.sampled_from(
        ["X:1", "X:2 % two", "K:D", "K:", "M:6/8", "L:1/8", "T:t", "", "V:2"]
    ),
)


@property_settings(200)
@hypothesis.given(
    st.one_of(
        st.binary(max_size=80),
        st.lists(_ABC_LINES, max_size=12)
        .map("\n".join)
        .map(lambda text: text.encode("utf-8", "surrogatepass")),
    )
)
def test_any_bytes_are_cut_into_tunes(data):
    for tune in abc_notation.split_tunes(data):
        assert tune.text.startswith(f"X:{tune.number}")
        assert all(isinstance(text, str) for text in (tune.number, tune.title))
        again = abc_notation.split_tunes(tune.text.encode("utf-8", "surrogatepass"))
        assert [t.number for t in again] == [tune.number]


@property_settings(15)
@hypothesis.given(st.lists(_ABC_LINES, max_size=8))
def test_any_tune_is_played_or_told(lines):
    text = "\n".join(["X:1", "L:1/8", "K:C", *lines, "CDEF GABc|"])
    for tune in abc_notation.split_tunes(text.encode("utf-8", "surrogatepass")):
        try:
            data = abc_notation.tune_to_midi(tune, timeout_s=5.0)
        except abc_notation.AbcError:
            continue
        assert data.startswith(b"MThd")
