"""Components of a user's own, some of which go wrong; imported by scoring processes."""

import multiprocessing
import os
import signal
import sys
import time

from molecule_rnn.smiles_rnn.check import LineChecker


def heavy_atoms(molecule):
    return molecule.GetNumHeavyAtoms()


def _has_sulfur(molecule):
    return any(atom.GetSymbol() == "S" for atom in molecule.GetAtoms())


def raises(molecule):
    if _has_sulfur(molecule):
        raise KeyError("no sulfur\nplease")
    return 1.0


raises.failing_value = -7.0


def returns_nan(molecule):
    return float("nan") if _has_sulfur(molecule) else 1.0


def returns_text(molecule):
    return "high" if _has_sulfur(molecule) else 1.0


def hangs(molecule):
    while _has_sulfur(molecule):
        time.sleep(0.01)
    return 1.0


def computes_forever(molecule):
    while _has_sulfur(molecule):
        pass
    return 1.0


def takes_a_moment(molecule):
    time.sleep(0.1)
    return 1.0


def takes_long(molecule):
    time.sleep(0.5)
    return 1.0


def exits(molecule):
    if _has_sulfur(molecule):
        os._exit(3)
    return 1.0


def kills(molecule):
    if _has_sulfur(molecule):
        os.kill(os.getpid(), signal.SIGKILL)
    return 1.0


def stops(molecule):
    """As Ctrl-Z would, if it reached it."""
    if _has_sulfur(molecule):
        os.kill(os.getpid(), signal.SIGSTOP)
    return 1.0


def leaves_a_child(molecule):
    """Its process id, which a float32 must hold."""
    if not (child := os.fork()):
        time.sleep(3600)
    return child


def leaves_a_child_and_dies(molecule):
    if _has_sulfur(molecule):
        leaves_a_child(molecule)
        os.kill(os.getpid(), signal.SIGKILL)
    return 1.0


def closes_all_files(molecule):
    if _has_sulfur(molecule):
        os.closerange(0, 1000)
    return 1.0


def forks(molecule):
    """Children that exit, that raise, and that go on as if they were this process."""
    for end in (os._exit, sys.exit, lambda code: None):
        if not (child := os.fork()):
            end(0)
            return 2.0
        os.waitpid(child, 0)
    return 1.0


def runs_processes(molecule):
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.apply(float, [1])


def computes_a_moment(molecule):
    start = time.process_time()
    while time.process_time() - start < 0.3:
        pass
    return 1.0


def leaves(molecule):
    """A SystemExit is no Exception."""
    if _has_sulfur(molecule):
        sys.exit("enough")
    return 1.0


def interrupts(molecule):
    if _has_sulfur(molecule):
        raise KeyboardInterrupt
    return 1.0


def takes_all_memory(molecule):
    held = []
    while _has_sulfur(molecule):
        held.append(bytearray(1 << 28))
    return 1.0


def always_exits(molecule):
    os._exit(4)


def always_raises(molecule):
    raise ValueError("never")


def always_interrupts(molecule):
    raise KeyboardInterrupt


def chatters(molecule):
    """What is printed or read must not get into the conversation with the pool."""
    print("a line on standard output", flush=True)
    os.write(1, b"{}\n")
    assert sys.stdin.read() == ""
    return 1.0


def imports_tensorflow(molecule):
    """Whether something has loaded TensorFlow into the process."""
    return float("tensorflow" in sys.modules)


not_a_function = 3


def bad_failing_value(molecule):
    return 1.0


bad_failing_value.failing_value = "zero"


class DeadlyChecker(LineChecker):
    """As if RDKit died of bromine."""

    def __call__(self, text, skipped, begin):
        if "Br" in text:
            os.kill(os.getpid(), signal.SIGSEGV)
        return super().__call__(text, skipped, begin)
