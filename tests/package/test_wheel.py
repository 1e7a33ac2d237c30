"""What `pip install` brings works in an empty environment, far from the checkout."""

import email
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import zipfile

import pytest

pytestmark = pytest.mark.wheel

ROOT = pathlib.Path(__file__).parents[2]
# Wheels of TensorFlow exist for these.
PYTHONS = [f"python3.{minor}" for minor in range(10, 14)]
# What is written last, by the flags of the job.
JOBS = {
    "samples/after/melody_01.mid": ["--training_steps=2000", "--num_melodies=100"],
    "samples/after/molecules.csv": [
        "--task=molecule",
        "--training_steps=400",
        "--num_sequences=10",
        "--algorithm=g",
        "--train_every_nth=10",
        "--rounds_per_scoring=2",
        "--minibatch_size=8",
        "--replay_capacity=1000",
        "--num_samples=2",
        "--num_melodies=20",
    ],
}


@pytest.fixture(name="tools", scope="module")
def _tools(tmp_path_factory):
    """The programs that build packages, and install the lowest versions."""
    environment = tmp_path_factory.mktemp("tools")
    _run(sys.executable, "-m", "venv", environment)
    _run(environment / "bin" / "pip", "install", "build", "uv")
    return environment / "bin"


@pytest.fixture(name="packages", scope="module")
def _packages(tools, tmp_path_factory):
    """The folder of the wheel and the source distribution, built from a copy."""
    copy = tmp_path_factory.mktemp("source") / "checkout"
    ignored = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist")
    shutil.copytree(ROOT, copy, ignore=ignored)
    _run(tools / "python", "-m", "build", copy)
    # It would be the BUILD of Bazel where file systems do not tell cases apart.
    assert not (copy / "build").exists()
    return copy / "dist"


@pytest.fixture(name="wheel", scope="module")
def _wheel(packages):
    [wheel] = packages.glob("*.whl")
    return wheel


def test_wheel_of_the_source_distribution_is_that_of_the_checkout(
    tools, packages, wheel, tmp_path
):
    [source] = packages.glob("*.tar.gz")
    _run(tools / "pip", "wheel", "--no-deps", "--wheel-dir", tmp_path, source)
    assert _contents(tmp_path / wheel.name) == _contents(wheel)
    with tarfile.open(source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "README.md", "pyproject.toml", "setup.py"} < names


def test_version_is_in_one_place(wheel):
    from rl_tuner import __version__

    assert wheel.name == f"rl_tuner-{__version__}-py3-none-any.whl"
    assert _metadata(wheel)["Version"] == __version__


@pytest.mark.parametrize("versions", ["newest", "lowest"])
@pytest.mark.parametrize("python", PYTHONS)
def test_main_jobs_run_on_what_is_installed(python, versions, tools, wheel, tmp_path):
    if not _runs(python):
        pytest.skip(f"{python} is not on the PATH")
    environment = tmp_path / "environment"
    _run(python, "-m", "venv", environment)
    pip = environment / "bin" / "pip"
    if versions == "lowest":
        _install_lowest(tools, environment, wheel, tmp_path)
    else:
        _run(pip, "install", wheel)
    _run(pip, "check")
    empty = tmp_path / "empty"
    empty.mkdir()
    for number, (written, flags) in enumerate(JOBS.items()):
        run, samples = f"run_{number}", f"samples_{number}"
        train = environment / "bin" / "rl_tuner_train"
        printed = _run(train, f"--output_dir={run}", *flags, cwd=empty)
        assert "| Mean task reward a token" in printed
        assert (empty / run / written).is_file()
        _run(
            environment / "bin" / "rl_tuner_generate",
            f"--run_dir={run}",
            f"--output_dir={samples}",
            "--num_outputs=2",
            cwd=empty,
        )
        assert list((empty / samples).iterdir())


def _runs(python):
    """Whether it is there, and more than pyenv's word for what it could install."""
    command = [python, "-c", "pass"]
    found = shutil.which(python)
    return found and not subprocess.run(command, capture_output=True).returncode


def _install_lowest(tools, environment, wheel, directory):
    """Installs the lowest version that is declared, of whatever has one here."""
    needed = [
        line
        for line in _metadata(wheel).get_all("Requires-Dist")
        if "extra" not in line
    ]
    (directory / "requirements.txt").write_text("\n".join(needed))
    install = [tools / "uv", "pip", "install", "--native-tls"]
    python = f"--python={environment / 'bin' / 'python'}"
    # Sources only of what has never come otherwise: old ones seldom build.
    only = ["--only-binary=:all:", "--no-binary=pretty-midi"]
    requirements = ["-r", directory / "requirements.txt"]
    _run(*install, python, *only, "--resolution=lowest-direct", *requirements)
    _run(*install, python, "--no-deps", wheel)


def _metadata(wheel):
    with zipfile.ZipFile(wheel) as archive:
        [name] = [n for n in archive.namelist() if n.endswith(".dist-info/METADATA")]
        return email.message_from_bytes(archive.read(name))


def _contents(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.getinfo(name).CRC for name in archive.namelist()}


def _run(*command, cwd=None):
    """Runs a command without what is set for this process; returns what it printed."""
    leave_out = ("PYTHONPATH", "TF_CPP_MIN_LOG_LEVEL", "VIRTUAL_ENV")
    environment = {k: v for k, v in os.environ.items() if k not in leave_out}
    result = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1800,
        check=False,
    )
    assert result.returncode == 0, f"{command}:\n{result.stdout[-4000:]}"
    return result.stdout
