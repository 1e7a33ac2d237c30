"""Runs binaries in this process with many values of their flags, up to their work.

Usage: flag_checker.py NUM_EXAMPLES "MODULE --flag=value ..."...

Examples come on top of the flags that are given. Each module is imported in a process
of its own, since flags are global. Its `main` is called through `cli.run`, as the
console script does, but stops where it would load TensorFlow or begin to work: by then
the flags are checked. Prints a line for each.
"""

import contextlib
import importlib
import io
import os
import sys
import tempfile
import traceback

import hypothesis
from absl import flags
from hypothesis import strategies as st
from property_settings import property_settings

from rl_tuner.commands import cli

FLAGS = flags.FLAGS
# Where binaries that need no TensorFlow begin to work.
WORK = {
    "melody_rnn.commands.create_dataset": "melody_rnn.note_rnn.dataset.create_dataset",
    "molecule_rnn.commands.create_dataset": (
        "molecule_rnn.smiles_rnn.dataset.create_dataset"
    ),
    "melody_rnn.commands.listen": "melody_rnn.listening.web.make_local_server",
}
# Names of files stay within the working directory, or lead nowhere.
_PATHS = st.sampled_from(["a", "a/b", "", ".", "a\nb", "ä", " ", "x" * 300, "/proc/no"])
_WORDS = """
paper corrected psi q Aminor key=2 key=nan motif=1,motif=2 egreedy zero melody
[60,-2] [60 1,2 0.5,x , 100,0 a.b:C os:path : keras mag nan True random_midi
"""
_WORDS = st.sampled_from(_WORDS.split())
_NUMBERS = st.one_of(
    st.integers(-2, 3),
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.sampled_from(["1e400", "0x10", "1_0", "", "--1", "٣", "1e-320"]),
)
_NAMES_OF_PATHS = ("dir", "file", "midi", "source", "output", "path", "study", "models")
_NAMES_OF_PATHS += ("wheel", "options")


class _Checked(Exception):
    """The flags have been accepted."""


def _accept(*_, **__):
    raise _Checked


def _value(name):
    if any(part in name for part in _NAMES_OF_PATHS):
        return _PATHS
    kind = FLAGS[name].flag_type()
    if kind == "bool":
        return st.sampled_from(["true", "false", "maybe", ""])
    text = st.text(max_size=20)
    if kind in ("int", "float"):
        return st.one_of(_NUMBERS, _NUMBERS, text)
    return st.one_of(_WORDS, _NUMBERS, text)


def _check(module_name, base, num_examples):
    captured = []
    cli.run, real_run = lambda *args: captured.append(args), cli.run
    module = importlib.import_module(module_name)
    module.console_entry()
    cli.run = real_run
    main, *define = captured[0]
    if define and define[0]:
        define[0](["binary", *base])
    cli.load_tensorflow = _accept
    if module_name in WORK:
        owner, _, name = WORK[module_name].rpartition(".")
        setattr(importlib.import_module(owner), name, _accept)
    names = sorted(
        name
        for owner, found in FLAGS.flags_by_module_dict().items()
        if not owner.startswith("absl")
        for name in (flag.name for flag in found)
    )
    counts = {"accepted": 0, "refused": 0}

    # A few flags at a time: with all of them, the first would hide the others.
    @property_settings(num_examples)
    @hypothesis.given(st.data())
    def check(data):
        chosen = data.draw(st.lists(st.sampled_from(names), max_size=3, unique=True))
        given = [f"--{name}={data.draw(_value(name), label=name)}" for name in chosen]
        FLAGS.unparse_flags()
        sys.argv = ["binary", *base, *given]
        told = io.StringIO()
        try:
            with contextlib.redirect_stderr(told):
                real_run(main)
        except _Checked:
            counts["accepted"] += 1
            return
        except SystemExit as end:
            code = end.code
        assert code == 1, (given, code)
        lines = told.getvalue().splitlines()
        assert len(lines) == 1, (given, lines)
        assert lines[0].startswith("binary: error: "), (given, lines)
        assert lines[0].isprintable(), (given, lines)
        counts["refused"] += 1

    check()
    return counts


def _in_a_fork(module_name, base, num_examples):
    """One line of what came of it."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        with tempfile.TemporaryDirectory() as directory, open(writing, "w") as out:
            os.chdir(directory)
            with contextlib.redirect_stdout(io.StringIO()):
                try:
                    line = str(_check(module_name, base, num_examples))
                except BaseException:
                    line = f"FAILED {traceback.format_exc()[-1800:]!r}"
            out.write(line)
        os._exit(0)
    os.close(writing)
    with open(reading) as answer:
        line = answer.read()
    os.waitpid(child, 0)
    return line


if __name__ == "__main__":
    for command in sys.argv[2:]:
        name, *flags_given = command.split()
        print(command, _in_a_fork(name, flags_given, int(sys.argv[1])), flush=True)
