"""Cut, flipped and lying files: the same model, or one clear line; nothing else.

Whatever a file claims, reading it takes no more memory than ten times its size.
"""

import hashlib
import io
import json
import pathlib
import pickle
import resource
import struct
import time
import tracemalloc
import zipfile

import numpy as np
import pytest

from melody_rnn.magenta import bundles, checkpoints, graph
from melody_rnn.magenta.weights import NOTE_RNN_NAMES, to_magenta
from rl_tuner.errors import UserError
from rl_tuner.formats import tf1_tables
from rl_tuner.networks.network import read_checked
from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.system import checked_json

NUM_FLIPS = 200
# What Python itself takes for a message, a regular expression, a config of any size.
OVERHEAD = 200_000


@pytest.fixture(name="weights", scope="module")
def _weights():
    model = SequenceRNN(38, (40,))
    random = np.random.default_rng(0)
    weights = {
        name: random.normal(size=value.shape).astype(np.float32)
        for name, value in model.weight_arrays().items()
    }
    # TensorFlow 1 keeps the forget bias less one.
    weights["lstm_0/bias"] = weights["lstm_0/bias"].astype(np.float16).astype("f4")
    model.set_named_weights(weights)
    return weights


class Stored:
    """A model on disk: what to load, and the files that can be damaged."""

    def __init__(self, path, *files):
        self.path = path
        self.contents = {path / name if name else path: None for name in files}
        for file in self.contents:
            self.contents[file] = file.read_bytes()
        self.size = sum(map(len, self.contents.values()))

    def damaged(self, file, data):
        """Writes the model anew with other bytes in one file."""
        for other, content in self.contents.items():
            other.write_bytes(data if other == file else content)


def _store(kind, directory, weights):
    model = SequenceRNN(38, (40,), {"melody_range": [48, 83], "trained": {"on": "x"}})
    model.set_named_weights(weights)
    if kind == "V1":
        path = directory / "model.ckpt-3"
        graph.v1_checkpoint(str(path), to_magenta(weights, NOTE_RNN_NAMES))
        return Stored(path, "")
    if kind == "V2":
        checkpoints.write(directory, model)
        data = "model.ckpt.data-00000-of-00001"
        return Stored(directory, "model.ckpt.index", data, "checkpoint")
    if kind == "mag":
        path = directory / "model.mag"
        bundles.write(path, model, "basic_rnn", "a test")
        return Stored(path, "")
    model.save(directory)
    return Stored(directory, "config.json", "weights.npz")


KINDS = ("V1", "V2", "mag", "ours")


@pytest.fixture(name="stored", params=KINDS)
def _stored(request, tmp_path, weights):
    stored = _store(request.param, tmp_path, weights)
    read_checked(stored.path)  # imports what it needs, outside the measurements
    return stored


def _read(stored, is_traced=True):
    """What is read, None if it is refused, within the limits."""
    if is_traced:  # three times as slow
        tracemalloc.start()
    begin = time.monotonic()
    found = refusal = None
    try:
        _, found = read_checked(stored.path)
    except UserError as error:
        refusal = str(error)
    assert time.monotonic() - begin < 20
    if is_traced:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak <= 10 * stored.size + OVERHEAD
    if found is None:
        assert "\n" not in refusal
        assert str(stored.path) in refusal
    return found


def _assert_same_or_refused(stored, weights, is_traced=True):
    found = _read(stored, is_traced)
    if found is None:
        return 1
    for name, value in weights.items():
        np.testing.assert_array_equal(found.weights[name], value)
    return 0


def test_whole_model_is_read(stored, weights):
    assert _assert_same_or_refused(stored, weights) == 0


def test_cut_files(stored, weights):
    refused = 0
    for file, content in stored.contents.items():
        size = len(content)
        ends = {0, 1, 4, 8, 47, 48, 49, *np.linspace(0, size - 1, 30, dtype=int)}
        # The end of a table is its footer, before it the index, before it a block.
        ends |= {size - back for back in (1, 2, 7, 8, 9, 40, 47, 48, 49, 53, 60, 90)}
        for end in sorted(end for end in ends if 0 <= end < size):
            stored.damaged(file, content[:end])
            refused += _assert_same_or_refused(stored, weights)
    assert refused > 25


def test_missing_files_are_refused(stored):
    for file in stored.contents:
        stored.damaged(None, b"")
        file.unlink()
        if file.name != "checkpoint":
            assert _read(stored) is None


def test_flipped_bits(stored, weights):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    random = np.random.default_rng(1)
    refused = 0
    files = list(stored.contents.items())
    for turn in range(NUM_FLIPS):
        file, content = files[turn % len(files)]
        data = bytearray(content)
        data[random.integers(len(data))] ^= 1 << random.integers(8)
        stored.damaged(file, bytes(data))
        refused += _assert_same_or_refused(stored, weights, turn % 8 == 0)
    assert refused > NUM_FLIPS // 6
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown * 1024 < 64 * 2**20


def _mend_table(data):
    """Makes the checksums of a damaged table right, as far as it can be read."""
    data = bytearray(data)

    def mend(offset, length):
        end = offset + length + 1
        if end + 4 <= len(data):
            data[end : end + 4] = struct.pack(
                "<I", tf1_tables.masked_crc32c(bytes(data[offset:end]))
            )
        return bytes(data[offset : offset + length])

    try:
        _, _, position = tf1_tables._handle(data, len(data) - 48)
        offset, length, _ = tf1_tables._handle(data, position)
        for _, value in tf1_tables._entries(mend(offset, length)):
            mend(*tf1_tables._handle(value, 0)[:2])
    except tf1_tables.DamagedFile:
        pass
    return bytes(data)


@pytest.mark.parametrize("kind", KINDS)
def test_lies_with_right_checksums(kind, tmp_path, weights):
    """Whoever mends the checksums gets another model at most."""
    stored = _store(kind, tmp_path, weights)
    random = np.random.default_rng(2)
    file, content = list(stored.contents.items())[-1 if kind == "ours" else 0]
    for turn in range(NUM_FLIPS):
        data = bytearray(content)
        # The beginnings and ends hold the headers and lists, and the sizes.
        near = (60, len(data))[turn % 2]
        place = random.integers(near) * (-1 if turn % 4 < 2 else 1)
        data[place] = random.integers(256)
        if kind in ("V1", "V2"):
            data = _mend_table(bytes(data))
        stored.damaged(file, bytes(data))
        if kind == "ours":
            _mend_config(stored.path)
        _read(stored, turn % 8 == 0)


def _mend_config(directory):
    config = json.loads((directory / "config.json").read_text())
    data = (directory / "weights.npz").read_bytes()
    config["weights_sha256"] = hashlib.sha256(data).hexdigest()
    _write_config(directory, config)


def _write_config(directory, config):
    config.pop("sha256", None)
    checked_json.write(directory / "config.json", config)


def _npz(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _header(shape, dtype="<f4"):
    buffer = io.BytesIO()
    header = {"descr": dtype, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(buffer, header)
    return buffer.getvalue()


class _Bomb:
    def __reduce__(self):
        return pathlib.Path.touch, (pathlib.Path("unpickled"),)


@pytest.mark.parametrize(
    ("archive", "message"),
    [
        (
            _npz(**{"../evil.npy": _header((0,))}),
            "lacks lstm_0/kernel; it holds ../evil",
        ),
        (_npz(**{"a.npy": _header((10**12,))}), "not the size it claims"),
        (_npz(**{"a.npy": _header((-1,))}), "not the size it claims"),
        (
            _npz(**{"a.npy": _header((1,), "|O") + pickle.dumps([_Bomb()])}),
            "not floats",
        ),
        (_npz(**{"a.npy": pickle.dumps(_Bomb())}), "not an archive of arrays"),
        (pickle.dumps(_Bomb()), "not an archive of arrays"),
    ],
)
def test_archives_do_no_harm(tmp_path, monkeypatch, weights, archive, message):
    monkeypatch.chdir(tmp_path)
    stored = _store("ours", tmp_path / "model", weights)
    stored.damaged(tmp_path / "model" / "weights.npz", archive)
    _mend_config(stored.path)
    with pytest.raises(UserError, match=message) as caught:
        read_checked(stored.path)
    assert "\n" not in str(caught.value)
    assert {path.name for path in tmp_path.iterdir()} == {"model"}


def test_compressed_archive_is_refused(tmp_path, weights):
    """A few bytes of it could stand for gigabytes."""
    stored = _store("ours", tmp_path, weights)
    np.savez_compressed(tmp_path / "weights.npz", **weights)
    _mend_config(stored.path)
    with pytest.raises(UserError, match="is compressed"):
        read_checked(stored.path)


def test_huge_model_is_refused_before_it_is_built(tmp_path, weights):
    stored = _store("ours", tmp_path, weights)
    config = json.loads((tmp_path / "config.json").read_text())
    config["layer_sizes"] = [65536]
    _write_config(tmp_path, config)
    with pytest.raises(UserError, match="but the model needs"):
        read_checked(stored.path)
    assert _read(stored) is None


def test_model_without_a_checksum_of_its_config_is_read(tmp_path, weights):
    """Earlier versions wrote none."""
    stored = _store("ours", tmp_path, weights)
    config = json.loads((tmp_path / "config.json").read_text())
    del config["sha256"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert _assert_same_or_refused(stored, weights) == 0


def test_changed_metadata_is_found(tmp_path, weights):
    stored = _store("ours", tmp_path, weights)
    path = tmp_path / "config.json"
    path.write_text(path.read_text().replace("48", "49"))
    with pytest.raises(UserError, match="checksum"):
        read_checked(stored.path)
