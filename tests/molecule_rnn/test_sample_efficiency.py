"""The parts of the PMO benchmark: what counts as a call, and what calls are worth."""

import numpy as np
import pytest
from sample_efficiency import table
from sample_efficiency.calls import OracleCalls, area_under_curve, top_mean
from sample_efficiency.memory import BestMolecules, Remembered
from sample_efficiency.patience import Patience
from sample_efficiency.published import METHODS, PUBLISHED

from molecule_rnn.scoring.scoring_pool import ScoringPool

LENGTH = 4


def remembered(*scores):
    count = len(scores)
    return Remembered(
        np.arange(count, dtype=np.int32)[:, None] + np.zeros([1, LENGTH], np.int32),
        np.full([count], LENGTH, np.int32),
        np.array(scores, np.float32),
        np.zeros([count], np.float32),
    )


# By hand: trapezoids from (0, 0) over every hundred calls, the last mean held.
@pytest.mark.parametrize(
    ("scores", "top", "area"),
    [
        ([1.0] * 100, 10, 50 + 9900),
        ([0.5] * 100 + [1.0] * 100, 10, 25 + 75 + 9800),
        ([0.0] * 99 + [1.0], 1, 50 + 9900),
        ([0.0] * 99 + [1.0], 10, 5 + 990),
        ([1.0] * 150, 10, 50 + 50 + 9850),
        ([1.0] * 4, 10, 2 + 9996),
        ([1.0] * 10_000, 10, 50 + 9900),
        ([], 10, 0),
    ],
)
def test_area_under_curve(scores, top, area):
    assert area_under_curve(scores, top) == pytest.approx(area / 10_000)


def test_top_mean():
    assert top_mean([0.1, 0.9, 0.5], 2) == pytest.approx(0.7)
    assert top_mean([0.1], 10) == pytest.approx(0.1)


def test_a_call_is_a_distinct_valid_canonical_molecule():
    with ScoringPool(("qed",), num_processes=0) as pool:
        calls = OracleCalls(pool, budget=3)
        answers = calls.ask(["OCC", "CCO", "", "C1CC", "c1ccccc1", "C(O)C"])
        assert [name for name, _, _ in answers] == [
            *("CCO", "CCO", "", "", "c1ccccc1", "CCO")
        ]
        assert [new for _, _, new in answers] == [True, *[False] * 3, True, False]
        assert answers[0][1] == answers[1][1] == answers[5][1] > 0.3
        assert answers[2][1] == answers[3][1] == 0.0
        assert calls.left == 1
        # What the budget does not suffice for is worth nothing; repeats cost nothing.
        answers = calls.ask(["CCN", "CCC", "OCC"])
        assert [name for name, _, _ in answers] == ["CCN", "", "CCO"]
        assert calls.left == 0
        assert list(calls.scores) == ["CCO", "c1ccccc1", "CCN"]


def test_the_best_are_kept_once_and_drawn_by_rank():
    best = BestMolecules(3, LENGTH)
    best.offer(["a", "b", "", "a"], remembered(0.1, 0.9, 1.0, 0.1))
    assert best.names == ["b", "a"]
    best.offer(["c", "b", "d"], remembered(0.5, 0.9, 0.7))
    assert best.names == ["b", "d", "c"]
    assert best.stored.scores.tolist() == pytest.approx([0.9, 0.7, 0.5])
    assert best.stored.actions[:, 0].tolist() == [1, 2, 0]
    drawn = best.draw(60_000, 1 / 3, np.random.default_rng(0))
    shares = [np.mean(np.isclose(drawn.scores, x)) for x in (0.9, 0.7, 0.5)]
    # In proportion to 1, 1/2 and 1/3.
    assert shares == pytest.approx([6 / 11, 3 / 11, 2 / 11], abs=0.01)


def test_a_run_ends_where_calls_come_to_nothing():
    patience = Patience()
    patience.see(64, ["a"], 0.0)
    for _ in range(20):
        patience.see(64, ["a"], 0.0)  # nothing has a score yet
    assert not patience.is_over
    for round_number in range(16):
        patience.see(32, ["a", "b"], 0.1)
        assert not patience.is_over, round_number
    patience.see(32, ["a", "b"], 0.1)
    assert patience.is_over
    patience.see(1, ["c", "a", "b"], 0.2)
    assert not patience.is_over
    for _ in range(19):
        patience.see(0, ["c", "a", "b"], 0.2)
    assert not patience.is_over
    patience.see(0, ["c", "a", "b"], 0.2)
    assert patience.is_over


def test_the_published_figures_add_up():
    sums = [sum(column) for column in zip(*PUBLISHED.values(), strict=True)]
    published = dict(zip(METHODS, sums, strict=True))
    # The sums over all 23 in the same source, less the three oracles that are models.
    assert published["REINVENT"] == pytest.approx(14.196 - 2.593, abs=0.02)
    assert published["Genetic GFN"] == pytest.approx(16.213 - 2.619, abs=1e-3)
    assert len(PUBLISHED) == 20


def test_the_table_of_two_seeds(tmp_path):
    names = ("auc_top10", "auc_top1", "auc_top100", "top10", "diversity", "sa")
    for seed, value in enumerate((0.4, 0.6)):
        figures = ", ".join(f'"{name}": {value}' for name in names)
        (tmp_path / f"qed_{seed}.json").write_text(f'{{"oracle": "qed", {figures}}}')
    text = table.write(tmp_path)
    assert (tmp_path / table.NAME).read_text() == text
    lines = text.splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    assert rows[2][:4] == ["qed", "2", "0.500 ± 0.141", "0.500"]
    assert rows[3][:3] == ["sum of 1", "", "**0.500**"]
