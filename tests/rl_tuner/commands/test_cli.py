import errno
import os
import pathlib
import subprocess
import sys

import pytest
from absl import flags

from rl_tuner.commands import cli
from rl_tuner.errors import UserError


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (UserError("--key=a\nb\x1b[31m is no key"), r"--key=a\nb\x1b[31m is no key"),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "cannot read or write: No space left on device",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "/a/ä\n"),
            r"cannot read or write /a/ä\n: Permission denied",
        ),
    ],
)
def test_what_users_can_mend_is_told_in_one_line(monkeypatch, capsys, error, line):
    def main():
        raise error

    monkeypatch.setattr("sys.argv", ["/bin/some_binary"])
    with pytest.raises(SystemExit) as ended:
        cli.run(main)
    assert ended.value.code == 1
    assert capsys.readouterr().err == f"some_binary: error: {line}\n"


@pytest.mark.parametrize(
    ("flag", "line"),
    [
        ("--some_steps=many", "flag --some_steps=many: it takes a whole number"),
        ("--some_rate=high", "flag --some_rate=high: it takes a number"),
    ],
)
def test_flag_that_is_no_number_is_told_without_python(monkeypatch, flag, line):
    values = flags.FlagValues()
    flags.DEFINE_integer("some_steps", 1, "", flag_values=values)
    flags.DEFINE_float("some_rate", 1.0, "", flag_values=values)
    monkeypatch.setattr(cli.flags, "FLAGS", values)
    with pytest.raises(UserError, match=line):
        cli._parse_flags(["some_binary", flag])


def test_flagfile_that_is_no_text_is_refused(tmp_path, monkeypatch):
    (tmp_path / "flags").write_bytes(b"\xe2\x00\xff")
    with pytest.raises(UserError, match="flagfile is no text in UTF-8"):
        cli._parse_flags(["some_binary", f"--flagfile={tmp_path / 'flags'}"])


@pytest.mark.parametrize("error", [ValueError("a bug"), OSError("a bug")])
def test_mistakes_of_ours_are_not_hidden(monkeypatch, error):
    def main():
        raise error

    monkeypatch.setattr("sys.argv", ["some_binary"])
    with pytest.raises(type(error), match="a bug"):
        cli.run(main)


def test_directory_that_cannot_be_written_is_refused():
    with pytest.raises(UserError, match="cannot write to --output_dir=/proc/no"):
        cli.writable_directory("/proc/no")
    with pytest.raises(UserError, match="--output_dir=/dev/null/a: Not a directory"):
        cli.writable_directory(f"{os.devnull}/a")


@pytest.mark.parametrize("closed", ["2>&-", ">&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_place_for_files(tmp_path, closed):
    """Else what libraries say on standard error is written into the next file."""
    code = (
        "import os, sys; from rl_tuner.commands import cli; cli._open_what_is_closed();"
        f"file = open({str(tmp_path / 'a')!r}, 'w'); assert file.fileno() > 2;"
        "print('out', flush=True); print('err', file=sys.stderr, flush=True);"
        "os.write(2, b'from a library'); sys.exit(7)"
    )
    command = ["sh", "-c", f'"$0" -c "$1" {closed}', sys.executable, code]
    assert subprocess.run(command, check=False).returncode == 7
    assert (tmp_path / "a").read_bytes() == b""


@pytest.mark.parametrize(
    "closing", ["os.closerange(0, 999)", "sys.stdout.close(); sys.stderr.close()"]
)
@pytest.mark.parametrize("option", ["-u", "-B"])
def test_streams_that_own_code_closes_still_tell(tmp_path, closing, option):
    code = (
        "import os, sys; sys.argv[0] = 'some_binary';"
        f"sys.path.insert(0, {str(pathlib.Path(cli.__file__).parents[2])!r});"
        "from rl_tuner.commands import cli; from rl_tuner.errors import UserError\n"
        "def main():\n"
        f"  {closing}\n"
        f"  save = os.open({str(tmp_path / 'save')!r}, os.O_CREAT | os.O_WRONLY)\n"
        "  print('goes on'); print('tells', file=sys.stderr)\n"
        "  raise UserError('as it should')\n"
        "cli.run(main)"
    )
    ended = subprocess.run(
        [sys.executable, option, "-c", code], capture_output=True, text=True
    )
    assert ended.returncode == 1
    assert ended.stdout == "goes on\n"
    assert ended.stderr == "tells\nsome_binary: error: as it should\n"
    assert (tmp_path / "save").read_bytes() == b""


@pytest.mark.parametrize(
    ("shell", "line"),
    [
        ('"$0" -c "$1" --help > /dev/full', "error: cannot write: No space left on"),
        ('d=$(mktemp -d); cd $d; rmdir $d; "$0" -c "$1"', "error: a path begins with"),
    ],
)
def test_odd_places_to_be_run_in_are_told_in_a_line(shell, line):
    """A full device, a folder that is gone, a home of nobody."""
    code = (
        "import pathlib, sys; sys.argv[0] = 'some_binary';"
        f"sys.path.insert(0, {str(pathlib.Path(cli.__file__).parents[2])!r});"
        "from rl_tuner.commands import cli;"
        "cli.run(lambda: pathlib.Path('~no_such_user/x').expanduser())"
    )
    ended = subprocess.run(
        ["sh", "-c", shell, sys.executable, code], capture_output=True, text=True
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"some_binary: {line}")
    assert ended.stderr.count("\n") == 1
