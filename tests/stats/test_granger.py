"""Granger tests in the mean: published numbers, statsmodels, identities, gaps, refusals."""

from __future__ import annotations

import sys
from pathlib import Path
from subprocess import run

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.datasets import macrodata
from statsmodels.regression.linear_model import OLS

from analysis.errors import InputError
from analysis.results import Inapplicable, from_dict
from analysis.stats.covariance import newey_west_lags
from analysis.stats.granger import GrangerResult, granger_test, select_lags, toda_yamamoto

COVARIANCES = ("nonrobust", "HC0", "HC1", "HC3", "HAC")


@pytest.fixture(scope="module")
def chickegg(repository: Path) -> pd.DataFrame:
    return pd.read_csv(repository / "tests" / "reference" / "chickegg.csv")


def planted(seed: int = 0, n: int = 300) -> np.ndarray:
    """Effect, cause, and two conditioning series; the cause leads by one."""
    rng = np.random.default_rng(seed)
    data = rng.standard_normal((n, 4)) * (1 + 0.5 * np.abs(np.sin(np.arange(n) / 20)))[:, None]
    data[1:, 0] += 0.2 * data[:-1, 1]
    return data


def by_statsmodels(y, x, z, lags, trend, cov, hac_lags=None, rows=None, extra=0):
    """Return the statsmodels fit and the restriction matrix of the tested lags, from an explicit design."""
    n, reach = len(y), lags + extra

    def lagged(series, orders):
        return [np.r_[np.full(order, np.nan), series[:-order]] for order in orders]

    tested = [column for series in x.T for column in lagged(series, range(1, lags + 1))]
    kept = [np.ones(n)] * (trend != "n") + [np.arange(n) / 7.0] * (trend == "ct") + lagged(y, range(1, reach + 1))
    kept += [column for series in z.T for column in lagged(series, range(1, reach + 1))]
    kept += [column for series in x.T for column in lagged(series, range(lags + 1, reach + 1))]
    design = np.column_stack(kept + tested)
    use = np.isfinite(design).all(axis=1) & np.isfinite(y)
    use &= True if rows is None else rows
    options = {"maxlags": hac_lags, "use_correction": False} if cov == "HAC" else None
    fit = OLS(y[use], design[use]).fit(cov_type=cov, cov_kwds=options)
    return fit, np.eye(design.shape[1])[len(kept) :]


# Published ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("effect", "cause", "cov", "hac_lags", "statistic", "pvalue", "rtol"),
    [
        ("chicken", "egg", "nonrobust", None, 5.404984372, 0.002966397, 2e-7),
        ("egg", "chicken", "nonrobust", None, 0.591615329, 0.623786200, 2e-9),
        ("chicken", "egg", "HC1", None, 3.16166, 0.033795, 1e-5),
        ("egg", "chicken", "HC1", None, 0.53204, 0.6627, 1e-5),
        ("chicken", "egg", "HAC", 4, 2.05649, 0.11977, 1e-5),
    ],
)
def test_chickens_and_eggs(chickegg, effect, cause, cov, hac_lags, statistic, pvalue, rtol):
    found = granger_test(chickegg[effect], chickegg[cause], lags=3, cov=cov, hac_lags=hac_lags)
    assert found.statistic == pytest.approx(statistic, rel=rtol)
    assert found.pvalue == pytest.approx(pvalue, rel=5e-5)
    assert found.df == (3.0, 44.0)
    assert (found.nobs, found.nobs_lost, found.lags) == (51, 3, 3)


def test_macrodata_income_and_consumption():
    data = macrodata.load_pandas().data
    growth = np.diff(np.log(data[["realgdp", "realcons"]].to_numpy()), axis=0)
    found = granger_test(growth[:, 1], growth[:, 0], lags=2, cov="nonrobust")
    assert found.statistic == pytest.approx(0.24309698, rel=2e-8)
    assert found.pvalue == pytest.approx(0.78443276, rel=2e-8)
    assert found.df == (2.0, 195.0)


@pytest.mark.parametrize(
    ("options", "robusta_to_arabica", "arabica_to_robusta"),
    [
        ({"cov": "nonrobust"}, 8.5919664754, 12.2791455416),
        ({"cov": "nonrobust", "dof_correction": False}, 8.93564513, 12.77031136),
        ({"cov": "HC0"}, 6.66133901, 11.58429616),
    ],
)
def test_coffee_prices_in_levels(shared, options, robusta_to_arabica, arabica_to_robusta):
    data = pd.read_csv(shared / "reference" / "coffee.csv")
    data = data[(data["Date"] >= "1976-01-01") & (data["Date"] <= "2011-03-31")]
    one = toda_yamamoto(data["Arabica"], data["Robusta"], lags=6, trend="ct", **options)
    other = toda_yamamoto(data["Robusta"], data["Arabica"], lags=6, trend="ct", **options)
    assert one.statistic == pytest.approx(robusta_to_arabica, rel=2e-9)
    assert other.statistic == pytest.approx(arabica_to_robusta, rel=2e-9)
    assert (one.distribution, one.df, one.lags, one.options["extra_lags"]) == ("chi2", (6.0,), 6, 1)
    if options == {"cov": "nonrobust"}:
        assert one.pvalue == pytest.approx(0.1978591, rel=2e-7)
        assert other.pvalue == pytest.approx(0.0560233904, rel=2e-9)


# An independent implementation ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("cov", COVARIANCES)
@pytest.mark.parametrize("trend", ["n", "c", "ct"])
@pytest.mark.parametrize("columns", [([1], []), ([1, 2], [3]), ([1], [2, 3])])
def test_agrees_with_statsmodels(cov, trend, columns):
    data = planted()
    y, x, z = data[:, 0], data[:, columns[0]], data[:, columns[1]]
    hac_lags = 6 if cov == "HAC" else None
    found = granger_test(y, x, lags=3, given=z, cov=cov, trend=trend, hac_lags=hac_lags)
    fit, tested = by_statsmodels(y, x, z, 3, trend, cov, hac_lags)
    wald = fit.wald_test(tested, use_f=True, scalar=True)
    assert found.statistic == pytest.approx(wald.statistic, rel=1e-9)
    assert found.pvalue == pytest.approx(wald.pvalue, rel=1e-8)
    assert found.df == (wald.df_num, wald.df_denom)
    chi2 = fit.wald_test(tested, use_f=False, scalar=True)
    assert found.wald == pytest.approx(chi2.statistic, rel=1e-9)
    assert found.wald_pvalue == pytest.approx(chi2.pvalue, rel=1e-8)
    np.testing.assert_allclose(found.coefficients, tested @ fit.params, rtol=1e-9)
    np.testing.assert_allclose(found.covariance, tested @ fit.cov_params() @ tested.T, rtol=1e-8, atol=1e-14)
    if x.shape[1] == 1:
        low, high = fit.t_test(tested.sum(axis=0)[None], use_t=True).conf_int()[0]
        assert found.interval == pytest.approx((low, high), rel=1e-9)
        assert found.estimate == pytest.approx((low + high) / 2, rel=1e-9)
    else:
        assert found.estimate is None


@pytest.mark.parametrize("cov", ["nonrobust", "HC3"])
def test_toda_yamamoto_agrees_with_statsmodels_when_two_extra_lags_are_kept(cov):
    data = planted(3).cumsum(axis=0)
    found = toda_yamamoto(data[:, 0], data[:, 1], lags=2, extra_lags=2, given=data[:, 2], cov=cov)
    fit, tested = by_statsmodels(data[:, 0], data[:, [1]], data[:, [2]], 2, "c", cov, extra=2)
    assert found.statistic == pytest.approx(fit.wald_test(tested, use_f=False, scalar=True).statistic, rel=1e-8)
    assert found.df == (2.0,)
    assert "extra_lags" in found.options


def test_default_bandwidth_is_the_stated_rule():
    data = planted()
    found = granger_test(data[:, 0], data[:, 1], lags=2, cov="HAC")
    assert found.options["hac_lags"] == newey_west_lags(298) == 5
    assert [newey_west_lags(n) for n in (100, 1000, 2500)] == [4, 6, 8]
    assert found == granger_test(data[:, 0], data[:, 1], lags=2, cov="HAC", hac_lags=5)


def test_strength_and_gain_are_what_two_regressions_say():
    data = planted()
    found = granger_test(data[:, 0], data[:, 1], lags=2)
    full, _ = by_statsmodels(data[:, 0], data[:, [1]], data[:, :0], 2, "c", "nonrobust")
    rows = np.arange(len(data)) >= 2
    own = by_statsmodels(data[:, 0], data[:, :0], data[:, :0], 2, "c", "nonrobust", rows=rows)[0]
    assert found.strength == pytest.approx(np.log(own.ssr / full.ssr), rel=1e-10)
    assert found.r2_gain == pytest.approx(full.rsquared - own.rsquared, rel=1e-9)


# Identities ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cov", COVARIANCES)
@given(
    seed=st.integers(0, 50),
    scale=st.tuples(*[st.sampled_from([-1e4, -0.01, 1e-3, 7.0])] * 3),
    shift=st.tuples(*[st.floats(-1e3, 1e3)] * 3),
)
@settings(max_examples=10, deadline=None)
def test_units_and_levels_do_not_matter(cov, seed, scale, shift):
    data = planted(seed, 120)[:, :3]
    moved = data * scale + np.array(scale) * np.array(shift)
    one = granger_test(data[:, 0], data[:, 1], lags=2, given=data[:, 2], cov=cov)
    other = granger_test(moved[:, 0], moved[:, 1], lags=2, given=moved[:, 2], cov=cov)
    assert other.statistic == pytest.approx(one.statistic, rel=1e-6)
    assert other.estimate == pytest.approx(
        one.estimate * scale[0] / scale[1], rel=1e-6, abs=1e-8 * abs(scale[0] / scale[1])
    )


@given(seed=st.integers(0, 200), cov=st.sampled_from(COVARIANCES))
@settings(max_examples=25, deadline=None)
def test_order_of_the_conditioning_series_does_not_matter(seed, cov):
    data = planted(seed, 100)
    one = granger_test(data[:, 0], data[:, 1], lags=2, given=data[:, [2, 3]], cov=cov)
    other = granger_test(data[:, 0], data[:, 1], lags=2, given=data[:, [3, 2]], cov=cov)
    assert other.statistic == pytest.approx(one.statistic, rel=1e-9)
    np.testing.assert_allclose(other.coefficients, one.coefficients, rtol=1e-8, atol=1e-12)


def test_direction_is_by_name_and_the_planted_lead_is_found():
    data = planted(n=800)
    assert granger_test(data[:, 0], data[:, 1], lags=2).pvalue < 1e-4
    assert granger_test(data[:, 1], data[:, 0], lags=2).pvalue > 0.01


def test_the_future_changes_nothing_dated_earlier():
    data = planted()
    late = data.copy()
    late[250:] += 100.0
    mask = np.arange(300) < 250
    one = granger_test(data[:, 0], data[:, 1], lags=3, mask=mask)
    assert one == granger_test(late[:, 0], late[:, 1], lags=3, mask=mask)
    # The last value of the cause is never used: nothing comes after it.
    data[-1, 1] = 1e9
    assert granger_test(data[:-1, 0], data[:-1, 1], lags=3).statistic == pytest.approx(
        granger_test(np.r_[data[:-1, 0], np.nan], data[:, 1], lags=3).statistic, rel=1e-12
    )


# Gaps ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cov", ["nonrobust", "HC0", "HC1", "HC3"])
def test_gaps_remove_rows_and_are_never_bridged(cov):
    data = planted()
    data[50, 0] = data[120, 1] = data[121, 2] = np.nan
    found = granger_test(data[:, 0], data[:, 1], lags=2, given=data[:, 2], cov=cov)
    # Row 50 as effect and lag (3 rows); cause 120 at lags 1-2; given 121 at lags 1-2, sharing row 122.
    assert found.nobs == 298 - 3 - 2 - 1
    assert found.nobs_lost == 300 - found.nobs
    fit, tested = by_statsmodels(data[:, 0], data[:, [1]], data[:, [2]], 2, "c", cov)
    assert found.statistic == pytest.approx(fit.wald_test(tested, use_f=True, scalar=True).statistic, rel=1e-9)


def test_hac_gives_products_across_a_gap_their_true_distance():
    data = planted()
    data[100, 0] = np.nan
    found = granger_test(data[:, 0], data[:, 1], lags=2, cov="HAC", hac_lags=3)
    fit, tested = by_statsmodels(data[:, 0], data[:, [1]], data[:, :0], 2, "c", "nonrobust")
    rows = np.array([t for t in range(2, 300) if t not in (100, 101, 102)])
    scores = fit.model.exog * fit.resid[:, None]
    distance = np.abs(rows[:, None] - rows[None, :])
    meat = scores.T @ np.clip(1 - distance / 4, 0, None) @ scores
    covariance = tested @ fit.normalized_cov_params @ meat @ fit.normalized_cov_params @ tested.T
    np.testing.assert_allclose(found.covariance, covariance, rtol=1e-9)
    assert any("zero scores" in warning for warning in found.warnings)
    assert not any("zero scores" in w for w in granger_test(data[101:, 0], data[101:, 1], lags=2, cov="HAC").warnings)


def test_mask_picks_dates_of_the_effect_and_lags_may_lie_outside():
    data = planted()
    mask = np.arange(300) % 3 == 0
    found = granger_test(data[:, 0], data[:, 1], lags=2, mask=mask)
    fit, tested = by_statsmodels(data[:, 0], data[:, [1]], data[:, :0], 2, "c", "HC3", rows=mask)
    assert found.nobs == mask[2:].sum()
    assert found.statistic == pytest.approx(fit.wald_test(tested, use_f=True, scalar=True).statistic, rel=1e-9)


# Lag order -----------------------------------------------------------------------------------------------------------


def test_lag_selection_of_the_canadian_economy(shared):
    data = pd.read_csv(shared / "reference" / "canada.csv")
    found = select_lags(data, max_lags=8, trend="ct")
    assert dict(found.chosen) == {"aic": 3, "bic": 1, "hqic": 2, "fpe": 3}
    assert found.nobs == 76


@pytest.mark.parametrize("trend", ["n", "c", "ct"])
def test_lag_selection_agrees_with_statsmodels(trend):
    from statsmodels.tsa.api import VAR

    data = planted()[:, :3]
    found = select_lags(data, max_lags=4, trend=trend)
    for order in range(1, 5):
        fit = VAR(data[4 - order :]).fit(order, trend=trend)
        size = fit.neqs**2 * order + fit.neqs * {"n": 0, "c": 1, "ct": 2}[trend]
        logdet = np.linalg.slogdet(fit.sigma_u_mle)[1]
        assert found.values["aic"][order - 1] == pytest.approx(logdet + 2 * size / 296, rel=1e-9)
        assert found.values["bic"][order - 1] == pytest.approx(logdet + np.log(296) * size / 296, rel=1e-9)
        assert found.values["hqic"][order - 1] == pytest.approx(logdet + 2 * np.log(np.log(296)) * size / 296, rel=1e-9)


def test_lag_selection_takes_flags_only_for_its_mask():
    with pytest.raises(InputError, match="mask must hold one flag"):
        select_lags(planted()[:, :2], max_lags=2, mask=np.full(300, np.nan))


def test_criterion_is_recorded_and_the_test_uses_all_rows_of_the_chosen_order():
    data = planted()
    found = granger_test(data[:, 0], data[:, 1], lags="bic", max_lags=6)
    chosen = select_lags(data[:, :2], max_lags=6)
    assert found.lags == chosen.chosen["bic"] == 1
    assert found.nobs == 299
    assert found.options["lag_criterion"] == "bic"
    assert found.options["lag_selection_nobs"] == 294
    assert found.statistic == granger_test(data[:, 0], data[:, 1], lags=1).statistic
    assert any("chosen on the same data" in warning for warning in found.warnings)


# Results -------------------------------------------------------------------------------------------------------------


def test_result_is_frozen_lossless_and_readable():
    data = planted()
    weights = np.where(np.random.default_rng(1).random((300, 39)) < 0.5, -1, 1)
    names = {"effect_name": "Bitcoin", "cause_name": "Russell 2000"}
    found = granger_test(data[:, 0], data[:, 1], lags=2, weights=weights, **names)
    assert isinstance(found, GrangerResult)
    assert from_dict(found.to_dict()) == found
    text = found.summary()
    assert "no lag of Russell 2000 helps to predict Bitcoin" in text
    assert "wild bootstrap p = 0.025" in text
    assert "The past of Russell 2000 helps to predict Bitcoin (HC3 wild bootstrap" in text
    frame = found.to_frame()
    assert frame.loc[0, "bootstrap_pvalue"] == found.bootstrap_pvalue
    assert frame.loc[0, "lower"] < found.estimate < frame.loc[0, "upper"]


def test_import_does_not_load_the_compiler():
    code = "import sys, analysis.stats.granger; sys.exit('numba' in sys.modules)"
    assert run([sys.executable, "-c", code], check=False).returncode == 0


# Refusals ------------------------------------------------------------------------------------------------------------


def reason(*args, **options) -> str:
    found = granger_test(*args, **options)
    assert isinstance(found, Inapplicable)
    return found.reason


def test_data_that_do_not_allow_the_test_say_why():
    data = planted()
    y, x, z = data[:, 0], data[:, 1], data[:, 2]
    assert "too few" in reason(y[:8], x[:8], lags=3)
    assert "too few" in reason(np.full(300, np.nan), x, lags=2)
    assert "collinear" in reason(y, np.full(300, 0.1), lags=2)
    assert "collinear" in reason(np.full(300, 0.1), x, lags=2)
    assert "zero in every usable row" in reason(y, np.zeros(300), lags=2)
    assert "collinear" in reason(y, y, lags=2)
    assert "collinear" in reason(y, x, lags=2, given=3 * x - 2 * y)
    assert "perfectly" in reason(np.r_[0.0, x[:-1]], x, lags=1)
    assert "too few" in reason(y, x, lags="aic", max_lags=120)
    assert "collinear" in reason(y, x, lags="aic", max_lags=3, given=np.c_[z, z])


def test_a_row_with_leverage_one_stops_hc3_only():
    data = planted()
    pulse = np.zeros(300)
    pulse[100] = 1.0
    text = reason(data[:, 0], pulse, lags=1, cov="HC3")
    assert "leverage of row 101 is one" in text
    assert granger_test(data[:, 0], pulse, lags=1, cov="nonrobust").nobs == 299
    found = granger_test(data[:, 0], pulse, lags=1, cov="HC0")
    assert any("alone decides a coefficient" in warning for warning in found.warnings)


def test_covariance_that_is_singular_is_no_number():
    y, pulse = planted()[:, 0], np.zeros(300)
    pulse[100] = 1.0
    y[100] = 0.0
    # The pulse's row is fitted exactly and nothing else moves with it: White's variance of its coefficient vanishes.
    assert "singular" in reason(y, pulse, lags=1, cov="HC0", trend="n")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"lags": 0}, "lags must be a whole number"),
        ({"lags": 2.0}, "lags must be a whole number"),
        ({"lags": True}, "lags must be a whole number"),
        ({"lags": "aic"}, "needs a largest order"),
        ({"lags": "best", "max_lags": 3}, "unknown lag criterion"),
        ({"max_lags": 3}, "goes with a criterion"),
        ({"cov": "HC2"}, "unknown covariance"),
        ({"trend": "ctt"}, "unknown deterministic"),
        ({"hac_lags": 3}, "hac_lags goes with"),
        ({"cov": "HAC", "hac_lags": 1000}, "beyond the sample"),
        ({"bootstrap": 99}, "needs its random generator"),
        ({"bootstrap": -1}, "bootstrap must be a whole number"),
        ({"weights": np.zeros((300, 9))}, "must be -1 or \\+1"),
        ({"weights": np.ones((200, 9))}, "one row a date"),
        ({"weights": np.ones((300, 9)), "bootstrap": 10}, "disagree"),
        ({"given": np.ones(20)}, "effect and given differ in length"),
        ({"mask": np.ones(300)}, "mask must hold one flag"),
        ({"cause": np.full(300, np.inf)}, "cause holds an infinite value"),
        ({"effect": np.ones((2, 3, 4))}, "effect must be an array"),
    ],
)
def test_misuse_is_an_error_that_names_the_argument(change, text):
    data = planted()
    call = {"effect": data[:, 0], "cause": data[:, 1], "lags": 2} | change
    with pytest.raises(InputError, match=text):
        granger_test(call.pop("effect"), call.pop("cause"), **call)


def test_near_collinear_levels_keep_their_digits_and_carry_a_warning():
    data = planted()
    close = data[:, 2] + 1e-9 * data[:, 3]
    found = granger_test(data[:, 0], data[:, 1], lags=1, given=np.c_[data[:, 2], close])
    direct = granger_test(data[:, 0], data[:, 1], lags=1, given=data[:, [2, 3]])
    assert found.statistic == pytest.approx(direct.statistic, rel=1e-5)
    assert any("nearly collinear" in warning for warning in found.warnings)
    assert direct.warnings == ()
