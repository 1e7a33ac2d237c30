"""Strings and components that go wrong: the pool survives them, in time."""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import CancelledError

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import QED, Crippen
from rdkit.Contrib.SA_Score import sascorer

from molecule_rnn.scoring.component_trial import try_components
from molecule_rnn.scoring.scoring_pool import ScoringPool
from rl_tuner.errors import UserError
from rl_tuner.system import free_space

COMPONENTS = ("log_p", "sa", "ring", "qed")

# SMILES that RDKit reads, however odd, and strings that are none.
MOLECULES = (
    "C",
    "*",
    "[*]",
    "**",
    "[13CH4]",
    "[2H]O[2H]",
    "[H][H]",
    "[H]",
    "[Na+].[Cl-]",
    "C.C.C",
    "C%99CCCCC%99",
    "[C@@H](F)(Cl)Br",
    "F/C=C/F",
    "[Og]",
    "[C-]#[O+]",
    "[U]",
    "N[C@@H](C)C(=O)O",
    "C1CC1C1CC1",
    "[CH3:7]",
    "C~C",
    "C->[Fe]",
    "C$C",
    "C" * 10_000,
    "C1" + "C" * 118 + "1",
    "N" * 300,
    "c1ccc2ccccc2c1" * 20,
    "C" + "(C)(C)C" * 60,
    ".".join(["C"] * 200),
    "[*:1]" * 50,
    "C1C2C3C4C5C6C7C8C9C%10C%11C%12CC1CC2CC3CC4CC5CC6CC7CC8CC9CC%10CC%11CC%12",
    "C12C3C4C1C5C2C3C45",
)
NO_MOLECULES = (
    "",
    " ",
    "\n",
    "C\n",
    "C C",
    "C\tname",
    "C |$_R1$|",
    "C\0C",
    "\0",
    "C%99",
    "C1",
    "C%",
    "[",
    "]",
    "[C",
    "C]",
    "[[C]]",
    "(",
    "C(",
    "C)",
    "()",
    "(((((((((((((",
    "C" + "(" * 5_000,
    "[" * 10_000,
    "1" * 120,
    "c1cccc1",
    "c",
    "C=",
    "=",
    "C==C",
    "C#",
    "F(F)F",
    "C(C)(C)(C)(C)C",
    "[C++++++++++++++++++++]]",
    "[999999999999C]",
    "[C:99999999999999999999]",
    "[C@@@@@]",
    "N#N#N",
    "é",
    "分子",
    "\ud800",
    "🧪",
    "'; DROP TABLE molecules; --",
    "../../etc/passwd",
    "%s%s%s%n",
    "-1",
    "NaN",
    "None",
    "{}",
    "C" * 10_000 + "(",
)


@pytest.fixture(scope="module")
def pool():
    with ScoringPool(COMPONENTS, num_processes=2, time_limit=20.0) as pool:
        yield pool


@pytest.fixture
def hostile(request):
    """A pool of one component of ours, and what it told."""
    told = []
    with ScoringPool(
        ("log_p", f"scoring_components:{request.param}", "qed"),
        num_processes=2,
        time_limit=0.5,
        tell=told.append,
    ) as pool:
        yield pool, told


def test_nasty_strings_are_scored_in_time(pool):
    start = time.monotonic()
    scores = pool.score([*MOLECULES, *NO_MOLECULES])
    assert time.monotonic() - start < 240
    wrong = [
        string[:40]
        for string, parsed in zip(
            [*MOLECULES, *NO_MOLECULES], scores.parsed, strict=True
        )
        if parsed != (string in MOLECULES)
    ]
    assert wrong == []
    assert np.isfinite(scores.values).all()
    assert not scores.values[len(MOLECULES) :].any()


def test_nasty_molecules_are_worth_what_rdkit_says(pool):
    failing = {"log_p": 0.0, "sa": 5.0, "qed": 0.0}
    functions = {
        "log_p": Crippen.MolLogP,
        "sa": sascorer.calculateScore,
        "qed": QED.qed,
    }
    chosen = [smiles for smiles in MOLECULES if len(smiles) < 500]
    scores = pool.score(chosen)
    for name, function in functions.items():
        expected = []
        for smiles in chosen:
            try:
                expected.append(function(Chem.MolFromSmiles(smiles)))
            except Exception:
                expected.append(failing[name])
        np.testing.assert_array_equal(
            scores.column(name), np.array(expected, np.float32), err_msg=name
        )


@pytest.mark.parametrize(
    ("hostile", "failing_value", "message"),
    [
        ("raises", -7.0, "KeyError: 'no sulfur\\nplease'"),
        ("returns_nan", 0.0, "returned nan, not a finite number"),
        ("returns_text", 0.0, "returned 'high', not a finite number"),
        ("hangs", 0.0, "waited for more than 1.5 s"),
        ("stops", 0.0, "waited for more than 1.5 s"),
        ("computes_forever", 0.0, "took more than 0.5 s of processor time"),
        ("exits", 0.0, "ended with code 3"),
        ("kills", 0.0, "died of signal 9"),
        ("closes_all_files", 0.0, "ended with code 1"),
        ("leaves_a_child_and_dies", 0.0, "died of signal 9"),
        ("leaves", 0.0, "SystemExit: enough"),
        ("interrupts", 0.0, "KeyboardInterrupt"),
    ],
    indirect=["hostile"],
)
def test_component_that_goes_wrong_fails_alone(hostile, failing_value, message):
    pool, told = hostile
    strings = ["CC", "CO", "CSC", "C(", "CCO", "c1ccsc1", "CCC", "CN"]
    start = time.monotonic()
    scores = pool.score(strings)
    assert time.monotonic() - start < 240
    assert scores.parsed.tolist() == [True] * 3 + [False] + [True] * 4
    sulfur = np.array(["s" in string.lower() for string in strings])
    expected = np.where(sulfur, failing_value, scores.parsed)
    assert scores.values[:, 1].tolist() == expected.tolist()
    for column, function in ((0, Crippen.MolLogP), (2, QED.qed)):
        molecules = map(Chem.MolFromSmiles, np.array(strings)[scores.parsed])
        assert scores.values[scores.parsed, column].tolist() == [
            np.float32(function(molecule)) for molecule in molecules
        ]
    # Told once, in one line, by name; and remembered.
    assert len(told) == 1
    assert message in told[0]
    assert "scoring_components:" in told[0]
    assert "\n" not in told[0]
    processes = pool.process_ids
    assert pool.score(strings).values.tolist() == scores.values.tolist()
    assert pool.process_ids == processes
    assert len(told) == 1


@pytest.mark.parametrize("hostile", ["chatters"], indirect=True)
def test_component_that_prints_and_reads_does_not_disturb(hostile):
    pool, told = hostile
    assert pool.score(["CC", "CO", "CS"]).values[:, 1].tolist() == [1.0] * 3
    assert told == []


@pytest.mark.parametrize("hostile", ["forks", "runs_processes"], indirect=True)
def test_component_may_fork(hostile):
    pool, told = hostile
    for strings in (["CC", "CO", "CS"], ["CN", "CF"]):
        assert pool.score(strings).values[:, 1].tolist() == [1.0] * len(strings)
    assert told == []


def test_what_a_component_leaves_running_ends_with_its_process(tmp_path):
    component = "scoring_components:leaves_a_child"
    with ScoringPool([component], num_processes=1) as pool:
        child = int(pool.score(["CC"]).values[0, 0])
        os.kill(child, 0)
    deadline = time.monotonic() + 60
    while _runs(child):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _runs(process):
    with contextlib.suppress(OSError):
        state = pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2]
        return state.split()[0] != "Z"
    return False


@pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="cannot be crowded out"
)
def test_a_busy_machine_condemns_no_molecule():
    told = []
    component = "scoring_components:computes_a_moment"
    core = min(os.sched_getaffinity(0))
    with ScoringPool([component], 1, time_limit=0.5, tell=told.append) as pool:
        pool.score(["C"])  # it has started
        others = [
            subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(9)
        ]
        try:
            for process in (*(other.pid for other in others), *pool.process_ids):
                os.sched_setaffinity(process, {core})
            start = time.monotonic()
            assert pool.score(["CC"]).values.tolist() == [[1.0]]
            assert time.monotonic() - start > 1.5  # or it was no test
        finally:
            for other in others:
                other.kill()
                other.wait()
    assert told == []


@pytest.mark.parametrize("hostile", ["raises", "returns_nan"], indirect=True)
def test_in_this_process_too_a_failure_is_told_once(hostile):
    pool, _ = hostile
    told = []
    alone = ScoringPool(pool.components, num_processes=0, tell=told.append)
    for _ in range(2):
        scores = alone.score(["CC", "CSC", "CSCC"])
        assert (
            scores.values.tolist() == pool.score(["CC", "CSC", "CSCC"]).values.tolist()
        )
    assert len(told) == 1


@pytest.mark.parametrize("num_processes", [0, 1])
def test_at_the_end_it_is_told_how_often_a_component_failed(num_processes):
    told = []
    component = "scoring_components:raises"
    with ScoringPool([component], num_processes, tell=told.append) as pool:
        pool.score(["CC", "CSC", "CSC", "CSCC", "C(", "CO"])
        pool.score(["CSCCC", "CSC"])
        assert len(told) == 1
    assert told[1:] == [f"component {component!r} failed on 3 of 5 distinct molecules"]


@pytest.mark.parametrize("num_processes", [0, 1])
def test_component_that_never_succeeds_ends_the_run(num_processes):
    component = "scoring_components:always_raises"
    with (
        ScoringPool([component], num_processes, tell=lambda _: None) as pool,
        pytest.raises(UserError, match=r":always_raises' has failed on each of 1\d\d"),
    ):
        pool.score(["C" * n + "O" for n in range(1, 150)])
    # As little as a chunk may well be odd.
    with ScoringPool([component], 0, tell=lambda _: None) as pool:
        pool.score(["C" * n + "O" for n in range(1, 90)])


def test_component_that_takes_all_memory_fails_alone(monkeypatch):
    monkeypatch.setattr(free_space, "available_bytes", lambda: 1 << 30)
    told = []
    component = "scoring_components:takes_all_memory"
    with ScoringPool([component], num_processes=1, tell=told.append) as pool:
        assert pool.score(["CC", "CSC", "CO"]).values.tolist() == [[1.0], [0.0], [1.0]]
    assert len(told) == 1
    assert "MemoryError" in told[0]


def test_component_that_ends_process_after_process_ends_the_run():
    pool = ScoringPool(
        ["scoring_components:exits"], 1, tell=lambda _: None, most_in_a_row=3
    )
    with pool:
        assert pool.score(["CSC", "CC", "CCSC", "CSCSC", "CC"]).parsed.all()
        with pytest.raises(UserError, match=r"'scoring_.*:exits' fails on string"):
            pool.score(["CSCC", "CCSCC", "CSCCSC", "CC"])


@pytest.mark.parametrize(
    ("component", "message"),
    [
        ("always_exits", "fails on string after string: on 'CCO' .*code 4, twice"),
        ("always_raises", "on each of 5 molecules, on 'CCO' with ValueError: never"),
        ("always_interrupts", "on each of 5 molecules, on 'CCO' with KeyboardInterr"),
    ],
)
def test_component_that_is_of_no_use_is_refused_at_once(component, message):
    with pytest.raises(UserError, match=message):
        try_components([f"scoring_components:{component}"])


def test_component_that_fails_now_and_then_is_not_refused():
    try_components(["scoring_components:raises", "scoring_components:heavy_atoms"])


def test_process_killed_from_outside_costs_nothing():
    """Nobody knows whose fault a death is, so what it was at gets a second chance."""
    strings = ["C" * number for number in range(1, 17)]
    told = []
    components = ("scoring_components:takes_a_moment",)
    with ScoringPool(components, num_processes=2, tell=told.append) as pool:
        pool.score(["N" * number for number in range(1, 9)])  # both have started
        before = pool.process_ids
        os.kill(before[0], signal.SIGKILL)  # while it is idle
        pending = pool.start(strings)
        time.sleep(0.25)
        os.kill(before[1], signal.SIGKILL)  # while it works
        scores = pending.result()
        assert not set(before).intersection(pool.process_ids)
    assert scores.values.tolist() == [[1.0]] * len(strings)
    assert told == []


def test_closing_leaves_no_process_not_even_one_that_hangs():
    pool = ScoringPool(("scoring_components:hangs",), num_processes=2, time_limit=600.0)
    pool.score(["CC"])
    processes = pool.process_ids
    pending = pool.start(["CSC", "CCSC", "CCCSC", "CCCCSC", "CCCCCSC"])
    time.sleep(0.3)
    start = time.monotonic()
    pool.close()
    pool.close()
    assert time.monotonic() - start < 5
    for process in processes:
        with pytest.raises(ProcessLookupError):  # a zombie would still be there
            os.kill(process, 0)
    with pytest.raises((RuntimeError, CancelledError)):
        pending.result()
    with pytest.raises(RuntimeError, match="closed"):
        pool.start(["CC"])


@pytest.mark.parametrize(
    ("component", "time_limit"), [("hangs", 1.0), ("takes_long", 600.0)]
)
def test_processes_die_with_a_parent_that_is_killed(component, time_limit, tmp_path):
    """As a script without a main guard; one string never ends, or many take a while."""
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import os, signal, time
            from molecule_rnn.scoring.scoring_pool import ScoringPool
            pool = ScoringPool(
                ["scoring_components:{component}"], 1, time_limit={time_limit}
            )
            pool.score(["CC"])
            print(*pool.process_ids, flush=True)
            pool.start(["C" * number + "S" for number in range(256)])
            time.sleep(0.3)
            os.kill(os.getpid(), signal.SIGKILL)
            """
        )
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, script], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert done.returncode == -signal.SIGKILL
    process = int(done.stdout)
    deadline = time.monotonic() + 15
    while _is_running(process):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_interrupt_from_the_keyboard_is_the_parents_alone():
    with ScoringPool(("qed",), num_processes=1) as pool:
        pool.score(["C"])
        assert os.getpgid(pool.process_ids[0]) != os.getpgid(0)


@pytest.mark.parametrize("hostile", ["imports_tensorflow"], indirect=True)
def test_processes_do_not_load_tensorflow(hostile):
    pool, _ = hostile
    assert pool.score(["C"]).values[0, 1] == 0.0


def _is_running(process):
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
