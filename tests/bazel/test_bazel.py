"""A real Bazel builds every target and runs the tests, offline."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.bazel

ROOT = pathlib.Path(__file__).parents[2]
NPM_PACKAGE = "@bazel/bazel-linux_x64"
NPM_VERSION = "2.1.0"


@pytest.fixture(name="bazel", scope="module")
def _bazel():
    """Runs Bazel in this checkout: the one on the PATH, or that of npm."""
    cache = pathlib.Path(
        os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")
    ).joinpath("rl_tuner_bazel")
    program = shutil.which("bazel") or _from_npm(cache)
    start = [program, f"--output_user_root={cache / 'output'}"]
    # So that neither the targets' `python` nor its packages are those of the system.
    path = f"{pathlib.Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path}

    def run(*command):
        # Without symbolic links to the output in the checkout.
        command = [command[0], "--symlink_prefix=/", *command[1:]]
        return subprocess.run(
            [*start, *command],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=7200,
            check=False,
        )

    yield run
    subprocess.run([*start, "shutdown"], cwd=ROOT, check=False)


def _from_npm(cache):
    if not shutil.which("npm"):
        pytest.fail("these tests need bazel, or npm to install it, on the PATH")
    folder = cache / f"npm-{NPM_VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    install = ["npm", "install", "--no-audit", "--no-fund", "--prefix", folder]
    subprocess.run([*install, f"{NPM_PACKAGE}@{NPM_VERSION}"], check=True)
    [program] = (folder / "node_modules" / NPM_PACKAGE).glob("bazel-*-linux-x86_64")
    return program


def test_every_target_builds(bazel):
    result = bazel("build", "//...")
    assert result.returncode == 0, result.stdout[-4000:]


def test_binaries_run(bazel):
    result = bazel("run", "//:rl_tuner_train", "--", "--help")
    assert result.returncode == 0, result.stdout[-4000:]
    assert "--training_steps" in result.stdout


def test_every_test_passes(bazel):
    # Two, since each of them starts TensorFlow and uses what cores there are.
    result = bazel("test", "//...", "--local_test_jobs=2", "--test_timeout=1800")
    assert result.returncode == 0, result.stdout[-20000:]
