import pathlib

import pytest
from toy_task import CountingTask

from rl_tuner.errors import UserError
from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.rl_tuner import RLTuner, RLTunerConfig
from rl_tuner.system import free_space, saves

GIB = 1 << 30


def test_available_memory_is_that_of_the_machine_or_less():
    psutil = pytest.importorskip("psutil")
    there = psutil.virtual_memory().available
    assert 0 < free_space.available_bytes() < 1.1 * there
    if not free_space._of_control_groups(pathlib.Path("/")):
        assert free_space.available_bytes() > 0.9 * there


def _write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_control_group_of_version_2_and_those_around_it_count(tmp_path):
    _write(tmp_path / "proc/self/cgroup", "0::/pod/box\n")
    group = tmp_path / "sys/fs/cgroup/pod"
    _write(group / "box/memory.max", "max\n")
    _write(group / "box/memory.current", "3000\n")
    _write(group / "box/memory.stat", "anon 2000\ninactive_file 100\n")
    _write(group / "memory.max", "8000\n")
    _write(group / "memory.current", "5000\n")
    _write(group / "memory.stat", "anon 4000\ninactive_file 700\n")
    assert free_space._of_control_groups(tmp_path) == [8000 - (5000 - 700)]


def test_control_group_of_version_1_counts(tmp_path):
    text = "5:cpu,cpuacct:/x\n4:memory:/docker/1\n1:name=systemd:/y\n"
    _write(tmp_path / "proc/self/cgroup", text)
    group = tmp_path / "sys/fs/cgroup/memory/docker/1"
    _write(group / "memory.limit_in_bytes", "9000\n")
    _write(group / "memory.usage_in_bytes", "6000\n")
    _write(group / "memory.stat", "inactive_file 1\ntotal_inactive_file 500\n")
    assert free_space._of_control_groups(tmp_path) == [9000 - (6000 - 500)]
    assert free_space._of_control_groups(tmp_path / "nowhere") == []


def test_replay_that_does_not_fit_is_refused_with_what_would(monkeypatch):
    monkeypatch.setattr(free_space, "available_bytes", lambda: 3 * GIB)
    free_space.check_replay(15 * GIB // 8, 1000)
    with pytest.raises(UserError) as caught:
        free_space.check_replay(3 * GIB, 1000)
    assert str(caught.value) == (
        "replay_capacity is 1000, which takes 4.00 GiB of memory with its saves, but "
        "3.00 GiB are free, 0.50 GiB of which the training itself takes; lower "
        "replay_capacity to 625 or less"
    )


def test_tuner_asks_before_it_allocates():
    """It would take 4 TB, or be killed by the system."""
    config = RLTunerConfig(replay_capacity=10**10)
    with pytest.raises(UserError, match="replay_capacity is 10000000000, which takes"):
        RLTuner(SequenceRNN(5, (6,)), CountingTask(), config)


def test_saves_that_do_not_fit_on_the_disk_are_refused(tmp_path, monkeypatch):
    class Usage:
        free = 2 * GIB

    monkeypatch.setattr(free_space.shutil, "disk_usage", lambda path: Usage)
    saves.check_disk(tmp_path / "saves", GIB // 2)
    with pytest.raises(UserError, match=r"up to 3\.00 GiB, but 2\.00 GiB are free"):
        saves.check_disk(tmp_path / "saves", GIB)
    # Of a run that goes on, the old saves will be replaced.
    with open(tmp_path / "saves" / "old", "wb") as file:
        file.truncate(GIB)
    saves.check_disk(tmp_path / "saves", GIB)
