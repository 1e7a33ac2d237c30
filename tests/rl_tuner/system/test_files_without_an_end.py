"""Devices, pipes and files of terabytes in place of what is read: a line, at once."""

import os
import pathlib

import pytest

from melody_rnn.magenta import bundles
from melody_rnn.notation import midi
from molecule_rnn.molecule_file import MoleculeFile
from molecule_rnn.scoring.components import scoring_file
from rl_tuner.errors import UserError
from rl_tuner.formats import npz_checkpoint
from rl_tuner.system import checked_json, shards, whole_files

pytestmark = pytest.mark.skipif(os.name != "posix", reason="there are no devices")


def _zero(path):
    path.symlink_to("/dev/zero")


def _sparse(path):
    with open(path, "wb") as file:
        file.truncate(1 << 42)


@pytest.fixture(name="endless", params=[_zero, os.mkfifo, _sparse])
def _endless(request, tmp_path):
    path = tmp_path / "endless"
    request.param(path)
    return path


def test_it_is_not_read(endless):
    with pytest.raises(OSError, match=r"device or a pipe|larger than 256 MiB") as told:
        whole_files.read_whole(endless)
    assert told.value.filename == str(endless)


def test_folder_and_nothing_are_told_as_ever(tmp_path):
    with pytest.raises(IsADirectoryError):
        whole_files.read_whole(tmp_path)
    with pytest.raises(FileNotFoundError):
        whole_files.read_whole(tmp_path / "nothing")


def test_readers_refuse_it(endless):
    for read in (bundles.read, midi.read_tempo, scoring_file.read):
        with pytest.raises(UserError, match=r"device or a pipe|larger than"):
            read(endless)
    with pytest.raises(OSError, match=r"device or a pipe|larger than"):
        checked_json.read(endless)


def test_weights_refuse_it(endless):
    shipped = pathlib.Path(npz_checkpoint.__file__).parents[2] / "checkpoints/note_rnn"
    model = endless.parent / "model"
    model.mkdir()
    config = (shipped / npz_checkpoint.CONFIG_NAME).read_bytes()
    (model / npz_checkpoint.CONFIG_NAME).write_bytes(config)
    endless.rename(model / npz_checkpoint.WEIGHTS_NAME)
    with pytest.raises(UserError, match=r"device or a pipe|larger than"):
        npz_checkpoint.read_model(model)


def test_lines_refuse_it(endless):
    with pytest.raises((UserError, OSError), match=r"device or a pipe|a line of more"):
        list(shards.read_lines(endless, 0, 1 << 42))
    with pytest.raises((UserError, OSError), match=r"device or a pipe|a line of more"):
        shards.line_ranges(endless, 3)


def test_molecules_in_a_pipe_are_refused(tmp_path):
    for name in ("molecules.smi", "molecules.csv", "molecules.smi.gz"):
        os.mkfifo(tmp_path / name)
        with pytest.raises((UserError, OSError), match=r"a device or a pipe"):
            list(MoleculeFile(tmp_path / name).read(0, 1))
