import dataclasses
import json
import os
import pathlib
import sys

import note_seq
import numpy as np
import pretty_midi
import pytest
import tensorflow as tf

from melody_rnn.note_rnn import dataset, sequence_examples, tune_families, tune_sources
from melody_rnn.note_rnn.dataset import DatasetConfig, create_dataset, split_tunes
from rl_tuner.errors import UserError

_HEAD = "M:4/4\nL:1/16\n"


def _abc(number, title, seed, key="C", bars=4):
    notes = np.random.default_rng(seed).choice(list("CDEFGABcdefg"), (bars, 8))
    music = "|".join("2".join(bar) + "2" for bar in notes)
    return f"X:{number}\nT:{title}\n{_HEAD}K:{key}\n{music}|\n\n"


def _midi(path, events):
    sequence = note_seq.Melody(events).to_sequence(qpm=97.0)
    note_seq.sequence_proto_to_midi_file(sequence, str(path))


@pytest.fixture
def folder(tmp_path):
    """Twelve ABC tunes, two MIDI files, a duplicate, and four sorts of rubbish."""
    root = tmp_path / "tunes"
    (root / "deep" / "er").mkdir(parents=True)
    book = "".join(_abc(i, f"tune {i}", i) for i in range(12))
    (root / "book.ABC").write_text(book + _abc(99, "again", 3))
    scale = [60, -2, 62, -2, 64, -2, 65, -2, 67, -2, 69, -2, 71, -2, 72, -2] * 3
    _midi(root / "deep" / "er" / "scale.mid", scale)
    _midi(root / "deep" / "reverse.midi", [e for e in scale[::-1] if e > 0] * 2)
    whole = (root / "deep" / "er" / "scale.mid").read_bytes()
    (root / "cut.mid").write_bytes(whole[: len(whole) // 2])
    (root / "empty.mid").touch()
    (root / "bad.abc").write_text("X:7\nT:wrong\nK:C\nC D =\nE\n")
    (root / "prose.abc").write_text("no tune here")
    (root / "readme.txt").write_text("not read")
    return root


def _make(folder, tmp_path, name="out", **changes):
    output = tmp_path / name
    output.mkdir(exist_ok=True)
    config = DatasetConfig(source=str(folder), eval_ratio=0.2, num_shards=2)
    return output, create_dataset(dataclasses.replace(config, **changes), output)


def _read(output, description, split):
    files = [output / name for name in description["splits"][split]["files"]]
    return sequence_examples.read_melodies(files, 38)


def test_everything_is_counted_and_named(folder, tmp_path):
    output, description = _make(folder, tmp_path)
    counts = description["counts"]
    assert counts["files"] == 7
    assert counts["pieces"] == 13 + 1 + 4
    assert counts["melodies"] == 15
    assert counts["duplicates"] == 1
    assert counts["unique_tunes"] == 14
    skipped = dict(description["skipped"])
    assert set(skipped) == {"cut.mid", "empty.mid", "bad.abc X:7 wrong", "prose.abc"}
    assert "damaged MIDI" in skipped["cut.mid"]
    assert "wrong notation" in skipped["bad.abc X:7 wrong"]
    assert sum(description["skipped_by_reason"].values()) == 4
    stored = json.loads((output / "dataset.json").read_text())
    assert stored == json.loads(json.dumps(description))
    assert dataset.read_description(output) == stored
    splits = stored["splits"]
    assert splits["training"]["tunes"] + splits["eval"]["tunes"] == 14
    for split in ("training", "eval"):
        melodies = _read(output, stored, split)
        steps = np.concatenate(melodies)
        assert len(steps) == splits[split]["steps"]
        assert np.mean(steps > 1) == pytest.approx(
            splits[split]["share_note_on"], abs=1e-4
        )


def test_the_files_are_in_magentas_layout(folder, tmp_path):
    output, description = _make(folder, tmp_path)
    encoder = note_seq.OneHotEventSequenceEncoderDecoder(
        note_seq.MelodyOneHotEncoding(48, 84)
    )
    melodies = _read(output, description, "training")
    files = [str(output / name) for name in description["splits"]["training"]["files"]]
    assert [name.split("/")[-1] for name in files] == [
        "training_melodies.tfrecord-00000-of-00002",
        "training_melodies.tfrecord-00001-of-00002",
    ]
    records = list(tf.data.TFRecordDataset(files).as_numpy_iterator())
    assert len(records) == len(melodies)
    for record, melody in zip(records, melodies, strict=True):
        events = [encoder.class_index_to_event(int(c), None) for c in melody]
        inputs, labels = encoder.encode(note_seq.Melody(events))
        _, lists = tf.io.parse_single_sequence_example(
            record,
            sequence_features={
                "inputs": tf.io.FixedLenSequenceFeature([38], tf.float32),
                "labels": tf.io.FixedLenSequenceFeature([], tf.int64),
            },
        )
        np.testing.assert_array_equal(lists["inputs"], inputs)
        np.testing.assert_array_equal(lists["labels"], labels)


def test_notes_survive_the_way_in(tmp_path):
    source = tmp_path / "two"
    source.mkdir()
    # D major, so two semitones down; the other tune only makes a split possible.
    (source / "a.abc").write_text(
        "X:1\nL:1/16\nM:4/4\nK:D\nd2f2a2f2|g2b2a2g2|f2e2d2z2|A2c2e2d2|\n"
    )
    (source / "b.abc").write_text(_abc(1, "other", 5))
    output, description = _make(source, tmp_path)
    melodies = _read(output, description, "training")
    melodies += _read(output, description, "eval")
    a = [72, 76, 79, 76, 77, 81, 79, 77, 76, 74, 72, None, 67, 71, 74, 72]
    expected = [c for p in a for c in ((1 if p is None else p - 46), 0)]
    assert any(np.array_equal(melody, expected) for melody in melodies) or any(
        np.array_equal(melody, [c - 12 if c > 1 else c for c in expected])
        for melody in melodies
    )


def test_the_same_seed_gives_the_same_bytes(folder, tmp_path):
    first, description = _make(folder, tmp_path, "first", seed=3)
    second, _ = _make(folder, tmp_path, "second", seed=3)
    other, _ = _make(folder, tmp_path, "other", seed=4)
    names = [*description["splits"]["training"]["files"], "dataset.json"]
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes()
    assert any((first / n).read_bytes() != (other / n).read_bytes() for n in names[:2])


def test_worker_processes_change_nothing(folder, tmp_path):
    one, description = _make(folder, tmp_path, "one")
    (tmp_path / "many").mkdir()
    config = DatasetConfig(source=str(folder), eval_ratio=0.2, num_shards=2)
    assert create_dataset(config, tmp_path / "many", num_workers=2) == description
    for name in description["splits"]["training"]["files"]:
        assert (one / name).read_bytes() == (tmp_path / "many" / name).read_bytes()


def test_a_new_dataset_replaces_the_old_one(folder, tmp_path):
    output, _ = _make(folder, tmp_path, num_shards=3)
    _, description = _make(folder, tmp_path, num_shards=1)
    left = {path.name for path in output.iterdir()}
    splits = description["splits"]
    files = splits["training"]["files"] + splits["eval"]["files"]
    assert left == {"dataset.json", *files}


def test_a_cut_run_leaves_no_dataset(folder, tmp_path, monkeypatch):
    output, _ = _make(folder, tmp_path)

    def cut(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", cut)
    with pytest.raises(KeyboardInterrupt):
        _make(folder, tmp_path)
    with pytest.raises(UserError, match="no finished dataset"):
        dataset.read_description(output)
    assert not list(output.glob(".unfinished-*"))


def test_variants_of_a_tune_stay_on_one_side():
    rng = np.random.default_rng(0)
    tunes = [rng.integers(2, 38, 90) for _ in range(40)]
    for i in range(20):  # a variant that shares a passage somewhere else
        passage = tunes[i][i : i + tune_families.PASSAGE_STEPS]
        tunes.append(np.concatenate([rng.integers(2, 38, 7 + i), passage]))
    families = tune_families.tune_families(tunes)
    np.testing.assert_array_equal(families[40:], families[:20])
    assert families.max() + 1 == 40
    for seed in range(5):
        split = split_tunes(tunes, 0.3, seed)
        assert sorted(split.training + split.evaluation) == list(range(60))
        assert 18 <= len(split.evaluation) <= 19
        sides = np.isin(np.arange(60), split.evaluation)
        np.testing.assert_array_equal(sides[40:], sides[:20])


def test_a_shared_silence_makes_no_family():
    quiet = np.zeros(100, int)
    one, other = quiet.copy(), quiet.copy()
    one[0], other[0], other[50] = 5, 5, 9
    assert tune_families.tune_families([one, other]).tolist() == [0, 1]


def test_two_tunes_of_one_family_both_train():
    tune = np.arange(2, 38).repeat(2)
    split = split_tunes([tune, tune[:60]], 0.5, 0)
    assert (sorted(split.training), split.evaluation) == ([0, 1], [])


def test_names_of_any_encoding_and_damage_beside_notes_are_in_the_description(tmp_path):
    source = pathlib.Path(os.fsdecode(os.fsencode(tmp_path) + b"/so\xedrce"))
    try:
        source.mkdir()
    except OSError:
        pytest.skip("this file system wants names in UTF-8")
    names = [os.fsdecode(f"b{i}".encode() + b"\xe1.KAR") for i in range(4)]
    for seed, name in enumerate(names):
        pitches = np.random.default_rng(seed).choice([60, 62, 64, 65, 67, 69, 71], 40)
        _midi(source / name, pitches.tolist())
    whole = (source / names[0]).read_bytes()
    (source / names[0]).write_bytes(whole + b"\1\2\3\4\5")
    (source / names[1]).write_bytes(whole[:99])
    output, description = _make(source, tmp_path, source.name.replace("so", "ou"))
    stored = dataset.read_description(output)
    assert stored == json.loads(json.dumps(description))
    assert stored["ignored"] == [[names[0], "ignored 5 bytes that belong to no track"]]
    assert stored["skipped"] == [[names[1], "damaged MIDI: track 2 breaks off"]]
    assert len(_read(output, description, "training")) == 2


def _chords(tmp_path):
    source = tmp_path / "chords"
    source.mkdir()
    song = pretty_midi.PrettyMIDI()
    song.instruments.append(pretty_midi.Instrument(0))
    song.instruments[0].notes = [
        pretty_midi.Note(90, pitch, 0.0, 4.0) for pitch in (60, 64)
    ]
    song.write(str(source / "a.smf"))
    return source


def _no_source(tmp_path):
    return tmp_path / "nowhere"


def _empty(tmp_path):
    return tmp_path


def _without_tunes(tmp_path):
    (tmp_path / "notes.txt").write_text("C D E")
    return tmp_path


def _truncated_only(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    _midi(source / "a.mid", [60, 62, 64, 65, 67] * 8)
    (source / "a.mid").write_bytes((source / "a.mid").read_bytes()[:-30])
    return source


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_no_source, "does not exist"),
        (_empty, "holds no .mid"),
        (_without_tunes, "holds no .mid"),
        (_chords, "polyphonic track .--ignore_polyphonic_notes keeps the highest"),
        (_truncated_only, "gave 0 melodies.*damaged MIDI"),
    ],
)
def test_nothing_to_read_is_one_clear_line(tmp_path, make, message):
    source = make(tmp_path)
    with pytest.raises(UserError, match=message) as caught:
        _make(source, tmp_path, "out2")
    assert "\n" not in str(caught.value)


def test_music21_is_named_when_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "music21", None)
    monkeypatch.setattr(tune_sources.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(UserError, match="pip install"):
        tune_sources.find_corpus("music21")


def test_music21s_free_collections_are_the_default():
    pytest.importorskip("music21", reason="the corpus extra is not installed")
    found = tune_sources.find_corpus("music21")
    folders = {name.split("/")[0] for name in found.files}
    assert folders == {"oneills1850", "ryansMammoth", "airdsAirs", "miscFolk"}
    assert all("commercial" not in entry["terms"] for entry in found.terms)
    larger = tune_sources.find_corpus("music21", include_noncommercial=True)
    assert {name.split("/")[0] for name in larger.files} - folders == {"essenFolksong"}
    assert "non-commercial" in larger.terms[-1]["terms"]


def test_noncommercial_goes_with_music21_only(tmp_path):
    with pytest.raises(UserError, match="--include_noncommercial"):
        tune_sources.find_corpus(str(tmp_path), include_noncommercial=True)


@pytest.mark.parametrize("damage", ["cut", "foreign", "missing"])
def test_damaged_records_are_refused(folder, tmp_path, damage):
    output, description = _make(folder, tmp_path)
    path = output / description["splits"]["training"]["files"][0]
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-5])
    elif damage == "foreign":
        with tf.io.TFRecordWriter(str(path)) as writer:
            example = sequence_examples.to_sequence_example([1, 2, 3], 7)
            writer.write(example.SerializeToString())
    else:
        path.unlink()
    with pytest.raises(UserError, match="anew"):
        _read(output, description, "training")
