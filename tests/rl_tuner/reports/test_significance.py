import math

import numpy as np
import pytest
from scipy import stats

from rl_tuner.reports.significance import Summary, p_value, summarize, verdict

NAN = math.nan


def test_summary_of_runs():
    summary = summarize([1.0, 2.0, 6.0], [0.3, 0.4, 1.2])
    assert summary.mean == 3.0
    assert summary.standard_error == pytest.approx(1.3 / 3)
    assert summary.spread == pytest.approx(np.std([1, 2, 6], ddof=1))
    assert math.isnan(summarize([1.0], [0.1]).spread)
    assert math.isnan(summarize([1.0, 2.0], [NAN, NAN]).standard_error)


def test_one_run_is_a_z_test():
    """Against scipy's chi-square test of two shares, unpooled errors being close."""
    shares, number = (0.30, 0.32), 10_000
    runs = [
        Summary(share, math.sqrt(share * (1 - share) / number), NAN, 1)
        for share in shares
    ]
    table = [[number * share, number * (1 - share)] for share in shares]
    expected = stats.chi2_contingency(table, correction=False).pvalue
    assert p_value(0.02, *runs) == pytest.approx(expected, rel=0.01)


def test_several_runs_are_welchs_t_test():
    values = [3.0, 3.4, 2.7]
    model = summarize(values, [0.01] * 3)
    baseline = Summary(2.0, 0.05, NAN, 1)
    expected = stats.ttest_ind_from_stats(
        model.mean, model.spread, 3, 2.0, 0.05 * 1000, 1_000_000, equal_var=False
    ).pvalue
    assert p_value(model.mean - 2.0, model, baseline) == pytest.approx(
        expected, rel=1e-3
    )


def test_spread_across_runs_is_no_less_than_the_sampling_error():
    baseline = Summary(2.0, 0.0, NAN, 1)
    lucky = Summary(3.0, 0.2, 0.0, 3)
    assert p_value(1.0, lucky, baseline) == pytest.approx(2 * stats.t.sf(5.0, 2))


@pytest.mark.parametrize(
    ("better", "model", "baseline", "expected"),
    [
        ("lower", 1.0, 5.0, "better"),
        ("lower", 5.0, 1.0, "worse"),
        ("higher", 5.0, 1.0, "better"),
        ("near zero", 0.1, -0.5, "better"),
        ("near zero", -0.5, 0.1, "worse"),
        ("near zero", 0.5, -0.5, ""),
        ("higher", 1.02, 1.0, ""),
        ("", 5.0, 1.0, ""),
    ],
)
def test_verdict_is_in_the_direction_that_counts(better, model, baseline, expected):
    summaries = [Summary(mean, 0.01, NAN, 1) for mean in (model, baseline)]
    assert verdict(better, *summaries)[1] == expected


def test_unknown_error_makes_no_verdict():
    for error in (NAN, 0.0):
        summaries = [Summary(mean, error, NAN, 1) for mean in (1.0, 5.0)]
        p, mark = verdict("higher", *summaries)
        assert math.isnan(p)
        assert mark == ""
