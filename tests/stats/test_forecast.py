"""Forecasts and their leak test, and the tests of two forecasts against R, loops and identities."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis.errors import InputError
from analysis.results import Inapplicable
from analysis.stats.forecast import (
    ForecastPath,
    clark_west,
    diebold_mariano,
    find_leaks,
    forecast_encompassing,
    forecast_path,
    giacomini_white,
    oos_r2,
    pesaran_timmermann,
)
from analysis.stats.forecast.kernels import nested_forecasts

RULES = {"aic": lambda n: 2.0, "bic": np.log, "hqic": lambda n: 2 * np.log(np.log(n)), None: lambda n: 0.0}


def world(n: int = 320) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return effect, cause and two further series, with two gaps."""
    rng = np.random.default_rng(20240229)
    x, z = rng.standard_normal(n), rng.standard_normal((n, 2))
    y = 0.4 * np.r_[0.0, x[:-1]] + rng.standard_normal(n)
    y[50] = x[120] = np.nan
    return y, x, z


def by_hand(y, x, z, *, own, lags, window, horizon, rolling, criterion):
    """Fit every window by itself, in a loop, from the rows that are known at each origin."""
    n = len(y)
    target = [y[t + 1 : t + 1 + horizon].sum() if t + horizon < n else np.nan for t in range(n)]

    def row(t, p, q, g):
        given = [z[t - i, j] for j in range(z.shape[1]) for i in range(2)] if g else []
        return [1.0, *(y[t - i] for i in range(p)), *given, *(x[t - i] for i in range(q))]

    deepest = max(own, lags, 2) - 1
    known = [t >= deepest and np.isfinite(row(t, own, lags, True)).all() for t in range(n)]
    out = {}
    for t in range(n):
        rows = [s for s in range(t - horizon + 1) if known[s] and np.isfinite(target[s])]
        if len(rows) < window or not known[t]:
            continue
        rows = rows[-window:] if rolling else rows

        def fit(p, q, g, rows=rows, t=t):
            A, b = np.array([row(s, p, q, g) for s in rows]), np.array([target[s] for s in rows])
            beta = np.linalg.lstsq(A, b, rcond=None)[0]
            m = len(rows)
            score = m * np.log(np.square(b - A @ beta).sum() / m) + RULES[criterion](m) * A.shape[1]
            return np.array(row(t, p, q, g)) @ beta, score

        p = min(range(own + 1) if criterion else [own], key=lambda p: fit(p, 0, False)[1])
        q = min(range(1, lags + 1) if criterion else [lags], key=lambda q: fit(p, q, True)[1])
        out[t] = [fit(0, 0, False)[0], fit(p, 0, False)[0], fit(p, 0, True)[0], fit(p, q, True)[0], p, q]
    return out


@pytest.mark.parametrize("scheme", ["expanding", "rolling"])
@pytest.mark.parametrize(("criterion", "horizon"), [(None, 1), ("bic", 1), ("aic", 3), ("hqic", 2)])
def test_recursive_forecasts_are_those_of_every_window_by_itself(scheme, criterion, horizon) -> None:
    y, x, z = world()
    options = {"own": 2, "lags": 3, "window": 90, "horizon": horizon, "criterion": criterion}
    truth = by_hand(y, x, z, rolling=scheme == "rolling", **options)
    path = forecast_path(
        y, x, given=z, lags=3, own_lags=2, given_lags=2, criterion=criterion, scheme=scheme, window=90, horizon=horizon
    )
    assert isinstance(path, ForecastPath)
    assert path.origins.tolist() == list(truth)
    found = np.column_stack([path.mean, path.own, path.controls, path.model, path.own_order, path.lag_order])
    np.testing.assert_allclose(found, np.array(list(truth.values())), rtol=0, atol=1e-12)
    # One missing value of the cause spoils three origins here, one of the effect two.
    assert path.nobs_lost == 3
    assert path.nobs == np.isfinite(path.actual).sum()


def test_a_rolling_window_keeps_the_accuracy_of_its_own_factorisation() -> None:
    rng = np.random.default_rng(1)
    n, window = 400, 60
    level = 1e6 + np.cumsum(rng.standard_normal(n))
    Z = np.column_stack([np.ones(n), level, np.r_[0.0, level[:-1]], rng.standard_normal(n)])
    Z[:40, 3] *= 1e8  # leaves the window, and must leave no trace
    rows = np.arange(n)
    forecast, rss = nested_forecasts(Z, rows, rows, rows, window=window, rolling=True)
    for t in (150, 233, 399):
        A, b = Z[t - window : t, :3] - [0, 1e6, 1e6], Z[t - window : t, 3]
        beta, left = np.linalg.lstsq(A, b, rcond=None)[:2]
        assert forecast[t, 3] == pytest.approx((Z[t, :3] - [0, 1e6, 1e6]) @ beta, rel=1e-6)
        assert rss[t, 3] == pytest.approx(left[0], rel=1e-9)


def test_outcomes_add_up_and_steps_leave_no_overlap() -> None:
    y, x, _ = world()
    path = forecast_path(y, x, window=100, horizon=5, step=5)
    assert isinstance(path, ForecastPath)
    assert path.overlap == 1
    assert set(np.diff(path.origins)) <= {5, 10}
    for origin, actual in zip(path.origins, path.actual, strict=True):
        if np.isfinite(actual):
            assert actual == pytest.approx(y[origin + 1 : origin + 6].sum())
    every = forecast_path(y, x, window=100, horizon=5)
    assert isinstance(every, ForecastPath)
    assert every.overlap == 5
    shared = np.isin(every.origins, path.origins)
    np.testing.assert_array_equal(every.model[shared], path.model)


def test_a_dependent_column_gives_no_forecast_until_it_moves() -> None:
    y, x, z = world()
    z = z.copy()
    z[:150, 1] = 2.0
    path = forecast_path(y, x, given=z, window=60)
    assert isinstance(path, ForecastPath)
    assert path.origins.min() > 150
    assert path.nobs_lost > 80


# Leaks ---------------------------------------------------------------------------------------------------------------


def forecaster(**options):
    """Return a function from data (effect, cause, further series) to all forecasts, row by row."""

    def run(data: np.ndarray) -> np.ndarray:
        path = forecast_path(data[:, 0], data[:, 1], given=data[:, 2:], **options)
        out = np.full((len(data), 6), np.nan)
        if isinstance(path, ForecastPath):
            rows = path.origins
            out[rows] = np.column_stack(
                [path.mean, path.own, path.controls, path.model, path.own_order, path.lag_order]
            )
        return out

    return run


@pytest.mark.parametrize("scheme", ["expanding", "rolling"])
@pytest.mark.parametrize("horizon", [1, 5])
def test_no_forecast_knows_the_future(scheme, horizon) -> None:
    y, x, z = world()
    run = forecaster(
        lags=3, own_lags=2, criterion="bic", scheme=scheme, window=80, horizon=horizon, step=min(horizon, 2)
    )
    data = np.column_stack([y, x, z])
    assert np.isfinite(run(data)).any(axis=1).sum() > 100
    assert find_leaks(run, data, known=[160, 219, 220, 300], rng=np.random.default_rng(0)) == ()


@pytest.mark.parametrize("kind", ["same time", "one row", "training", "standardised"])
def test_a_planted_leak_is_found(kind) -> None:
    y, x, _ = world()
    data = np.column_stack([np.nan_to_num(y), np.nan_to_num(x)])

    def run(rows: np.ndarray) -> np.ndarray:
        effect, cause = rows[:, 0], rows[:, 1]
        if kind == "same time":
            # The cause of the very row that is forecast: the classic mistake of pairing by label.
            cause = np.r_[cause[1:], np.nan]
        if kind == "standardised":
            cause = cause / np.nanstd(cause)
        if kind == "one row":
            out = np.full(len(rows), np.nan)
            out[:-1] = 1e-9 * effect[1:]
            return out
        out = np.full(len(rows), np.nan)
        for t in range(80, len(rows)):
            # Training rows should end at t - 1: their outcome is the next row.
            last = t + 1 if kind == "training" else t
            X, b = cause[:last], effect[1 : last + 1]
            use = np.isfinite(X[: len(b)]) & np.isfinite(b)
            X, b = X[: len(b)][use], b[use]
            out[t] = (X @ b) / (X @ X) * cause[t]
        return out

    leaks = find_leaks(run, data, known=[150, 200], rng=np.random.default_rng(0))
    assert {leak.known for leak in leaks} == {150, 200}
    assert "huge" in {leak.change for leak in leaks}
    if kind in ("same time", "one row", "training"):
        assert all(leak.row == leak.known for leak in leaks if leak.change == "huge")


def test_under_an_embargo_the_row_of_the_origin_tells_nothing_of_the_effect() -> None:
    y, x, _ = world()
    y = np.nan_to_num(y)
    base = forecast_path(y, x, window=80, lags=3, criterion="bic", embargo=1)
    last = 200
    changed = y.copy()
    changed[last:] = 1e6
    moved = forecast_path(changed, x, window=80, lags=3, criterion="bic", embargo=1)
    free = forecast_path(changed, x, window=80, lags=3, criterion="bic")
    upto = base.origins <= last
    assert base.origins[upto][-1] == last
    assert base.model[upto].tobytes() == moved.model[upto].tobytes()
    assert base.model[np.argmax(base.origins == last)] != free.model[np.argmax(free.origins == last)]


def test_leak_test_refuses_what_it_cannot_judge() -> None:
    with pytest.raises(InputError, match="rows on both sides"):
        find_leaks(lambda d: d[:, 0], np.arange(5.0), known=[4], rng=np.random.default_rng(0))
    with pytest.raises(InputError, match="one row a row"):
        find_leaks(lambda d: d[1:, 0], np.arange(5.0), known=[2], rng=np.random.default_rng(0))


# Two forecasts -------------------------------------------------------------------------------------------------------


def errors() -> tuple[np.ndarray, np.ndarray]:
    t = np.arange(1, 121)
    return np.sin(t * 1.3) + np.cos(t**1.5) + 0.1, 0.9 * np.sin(t * 1.1 + 1) + 0.8 * np.cos(t**1.4)


# R 4.2, forecast 8.20: dm.test(e1, e2, h = h, power = power, alternative = alternative).
FROM_R = [
    (1, "absolute", "two-sided", 1.549193382474, 0.123990683523),
    (1, "squared", "greater", 1.831764949142, 0.034743699121),
    (3, "absolute", "less", 1.910775082422, 0.970780338924),
    (3, "squared", "two-sided", 2.272145018383, 0.024873399742),
    (5, "squared", "greater", 1.983927767137, 0.024782906706),
    (5, "absolute", "two-sided", 1.611963620845, 0.109618967615),
]


@pytest.mark.parametrize(("horizon", "loss", "alternative", "statistic", "pvalue"), FROM_R)
def test_diebold_mariano_is_that_of_r(horizon, loss, alternative, statistic, pvalue) -> None:
    e1, e2 = errors()
    found = diebold_mariano(np.zeros(120), -e1, -e2, horizon=horizon, loss=loss, alternative=alternative)
    assert found.statistic == pytest.approx(statistic, rel=1e-10)
    assert found.pvalue == pytest.approx(pvalue, rel=1e-9)
    assert found.df == (119.0,)


def test_diebold_mariano_without_correction_and_its_interval() -> None:
    e1, e2 = errors()
    plain = diebold_mariano(np.zeros(120), e1, e2, horizon=3, harvey=False)
    corrected = diebold_mariano(np.zeros(120), e1, e2, horizon=3)
    factor = np.sqrt((120 + 1 - 6 + 6 / 120) / 120)
    assert corrected.statistic == pytest.approx(plain.statistic * factor)
    assert plain.pvalue == pytest.approx(2 * stats.norm.sf(abs(plain.statistic)))
    low, high = corrected.interval
    assert (corrected.estimate - low) * corrected.statistic / corrected.estimate == pytest.approx(
        stats.t.isf(0.025, 119)
    )
    assert low + high == pytest.approx(2 * corrected.estimate)
    assert diebold_mariano(np.zeros(120), e2, e1, horizon=3).statistic == pytest.approx(-corrected.statistic)


def test_a_negative_variance_gets_bartlett_weights_and_a_warning() -> None:
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(201)
    loss = 4 + 0.5 * np.diff(noise)  # its long-run variance is zero
    found = [diebold_mariano(np.zeros(k), np.sqrt(loss[:k]), np.ones(k), horizon=4) for k in range(150, 200)]
    warned = [item for item in found if item.warnings]
    assert warned
    assert "Bartlett" in warned[0].warnings[0]


def three(n: int = 300) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    y = rng.standard_normal(n)
    return y, 0.2 * rng.standard_normal(n), 0.1 * y + 0.3 * rng.standard_normal(n)


def test_clark_west_by_its_formula() -> None:
    y, b, m = three()
    f = (y - b) ** 2 - ((y - m) ** 2 - (b - m) ** 2)
    found = clark_west(y, b, m)
    assert found.estimate == pytest.approx(f.mean())
    # The t statistic of a regression on a constant, with the variance over n.
    assert found.statistic == pytest.approx(f.mean() / (f.std() / np.sqrt(300)))
    assert found.pvalue == pytest.approx(stats.norm.sf(found.statistic))
    assert found.oos_r2 == pytest.approx(1 - ((y - m) ** 2).mean() / ((y - b) ** 2).mean())


def test_clark_west_with_overlap_is_newey_west() -> None:
    import statsmodels.api as sm

    y, b, m = three()
    f = (y - b) ** 2 - (y - m) ** 2 + (b - m) ** 2
    peer = sm.OLS(f, np.ones(300)).fit(cov_type="HAC", cov_kwds={"maxlags": 4, "use_correction": False})
    assert clark_west(y, b, m, horizon=5).statistic == pytest.approx(peer.tvalues[0], rel=1e-10)


def test_clark_west_is_twice_the_encompassing_contrast() -> None:
    y, b, m = three()
    one, two = clark_west(y, b, m), forecast_encompassing(y, b, m)
    assert one.statistic == pytest.approx(two.statistic / np.sqrt(299 / 300))
    apart = m - b
    assert two.estimate == pytest.approx(np.polyfit(apart, y - b, 1)[0], abs=0.02)
    assert two.estimate == pytest.approx(np.linalg.lstsq(apart[:, None], y - b, rcond=None)[0][0])
    assert two.interval[0] < two.estimate < two.interval[1]
    half = forecast_encompassing(y, y + apart, y - apart)
    assert half.estimate == pytest.approx(0.5)


def test_giacomini_white_by_its_formula() -> None:
    y, b, m = three()
    d = (y - b) ** 2 - (y - m) ** 2
    Z = np.column_stack([d[1:], d[:-1] * d[1:]])
    total = Z.sum(axis=0)
    found = giacomini_white(y, b, m)
    assert found.statistic == pytest.approx(total @ np.linalg.inv(Z.T @ Z) @ total)
    assert found.pvalue == pytest.approx(stats.chi2.sf(found.statistic, 2))
    assert (found.nobs, found.nobs_lost) == (299, 1)
    # n times the uncentred R² of a regression of ones on the moments.
    fitted = Z @ np.linalg.lstsq(Z, np.ones(299), rcond=None)[0]
    assert found.statistic == pytest.approx(fitted @ fitted)
    simple = giacomini_white(y, b, m, conditional=False)
    assert simple.statistic == pytest.approx(diebold_mariano(y, b, m, harvey=False).statistic)
    own = giacomini_white(y, b, m, instruments=np.column_stack([np.ones(300), np.r_[np.nan, d[:-1]]]))
    assert own.statistic == pytest.approx(found.statistic)
    overlap = giacomini_white(y, b, m, horizon=3)
    assert overlap.nobs_lost == 3
    assert overlap.statistic != pytest.approx(found.statistic, rel=1e-3)


def test_giacomini_white_wants_a_rolling_window() -> None:
    found = giacomini_white(*three(), scheme="expanding")
    assert isinstance(found, Inapplicable)
    assert "rolling" in found.reason


def test_pesaran_timmermann_by_its_table() -> None:
    rng = np.random.default_rng(4)
    y = rng.standard_normal(200) + 0.2
    f = 0.5 * y + rng.standard_normal(200)
    found = pesaran_timmermann(y, f)
    n, p, q = 200, (y > 0).mean(), (f > 0).mean()
    hit, star = ((y > 0) == (f > 0)).mean(), p * q + (1 - p) * (1 - q)
    of_hit = star * (1 - star) / n
    of_star = ((2 * p - 1) ** 2 * q * (1 - q) + (2 * q - 1) ** 2 * p * (1 - p)) / n
    of_star += 4 * p * q * (1 - p) * (1 - q) / n**2
    assert found.statistic == pytest.approx((hit - star) / np.sqrt(of_hit - of_star))
    assert found.estimate == pytest.approx(hit - star)
    # Its square is, up to order 1 / n, the chi-squared statistic of the table of signs.
    table = np.histogram2d(y > 0, f > 0, bins=2)[0]
    assert found.statistic**2 == pytest.approx(stats.chi2_contingency(table, correction=False)[0], rel=0.01)
    # The robust version for overlapping outcomes estimates the same excess.
    assert pesaran_timmermann(y, f, horizon=2).estimate == found.estimate
    assert pesaran_timmermann(y, -f).estimate == pytest.approx(-found.estimate)


def test_always_up_has_no_direction_to_test() -> None:
    y = np.random.default_rng(0).standard_normal(50)
    found = pesaran_timmermann(y, np.ones(50))
    assert isinstance(found, Inapplicable)
    assert "same sign" in found.reason


PAIRS = [clark_west, diebold_mariano, giacomini_white, forecast_encompassing, oos_r2]


@pytest.mark.parametrize("test", PAIRS)
def test_gaps_are_lost_rows_and_scale_does_not_matter(test) -> None:
    y, b, m = three()
    whole = test(y, b, m)
    holed = y.copy()
    holed[-5:] = np.nan
    assert test(holed, b, m).statistic == pytest.approx(test(y[:-5], b[:-5], m[:-5]).statistic)
    assert test(holed, b, m).nobs_lost == whole.nobs_lost + 5
    scaled = test(1e-3 * y, 1e-3 * b, 1e-3 * m)
    assert scaled.statistic == pytest.approx(whole.statistic, rel=1e-9)
    shifted = test(y + 7, b + 7, m + 7)
    assert shifted.pvalue == pytest.approx(whole.pvalue, rel=1e-6)


def test_a_gap_keeps_its_length_in_time() -> None:
    y, b, m = three()
    y = y.copy()
    y[100:150] = np.nan
    f = (y - b) ** 2 - (y - m) ** 2 + (b - m) ** 2
    u = np.nan_to_num(f - np.nanmean(f))
    variance = (u @ u + 2 * 0.5 * u[1:] @ u[:-1]) / 250
    assert clark_west(y, b, m, horizon=2).statistic == pytest.approx(np.nanmean(f) / np.sqrt(variance / 250))


@pytest.mark.parametrize("test", PAIRS)
def test_data_that_allow_no_comparison(test) -> None:
    y, b, m = three()
    assert "same in every row" in test(y, b, b).reason
    assert "10 are needed" in test(y[:9], b[:9], m[:9]).reason
    assert "no error" in test(y, y, m).reason
    with pytest.raises(InputError, match="wrong shape"):
        test(y, b[1:], m)
    with pytest.raises(InputError, match="infinite"):
        test(np.where(np.arange(300) == 3, np.inf, y), b, m)
    with pytest.raises(InputError, match="horizon"):
        test(y, b, m, horizon=0)
    with pytest.raises(InputError, match="level"):
        test(y, b, m, level=1.0)


def test_wrong_options() -> None:
    y, b, m = three()
    with pytest.raises(InputError, match="unknown loss"):
        diebold_mariano(y, b, m, loss="cubic")
    with pytest.raises(InputError, match="unknown alternative"):
        diebold_mariano(y, b, m, alternative="bigger")
    with pytest.raises(InputError, match="as long as the outcome"):
        giacomini_white(y, b, m, instruments=np.ones(5))
    assert "collinear" in giacomini_white(y, b, m, instruments=np.ones((300, 2))).reason
    for options, words in (
        ({"scheme": "recursive"}, "scheme"),
        ({"criterion": "cv"}, "criterion"),
        ({"window": 10, "lags": 9}, "too short"),
        ({"step": 0}, "step"),
    ):
        with pytest.raises(InputError, match=words):
            forecast_path(y, b, **options)
    with pytest.raises(InputError, match="one effect"):
        forecast_path(np.ones((50, 2)), np.ones(50))
    with pytest.raises(InputError, match="benchmark"):
        forecast_path(y, b, window=50).compared("best")
    assert isinstance(forecast_path(y, b, window=290), Inapplicable)
    assert isinstance(forecast_path(y, np.ones(300), window=50), Inapplicable)


# Size and power ------------------------------------------------------------------------------------------------------


def spill(rng: np.random.Generator, n: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return cause and effect (n, count): volatility spills over, the mean does not."""
    z = rng.standard_t(5, (2, n + 300, count)) / np.sqrt(5 / 3)
    x, y, hx, hy = np.zeros((n + 300, count)), np.zeros((n + 300, count)), np.ones(count), np.ones(count)
    for t in range(1, n + 300):
        hx, hy = (
            0.05 + 0.15 * x[t - 1] ** 2 + 0.8 * hx,
            0.05 + 0.05 * y[t - 1] ** 2 + 0.3 * x[t - 1] ** 2 + 0.6 * hy,
        )
        x[t], y[t] = np.sqrt(hx) * z[0, t], np.sqrt(hy) * z[1, t]
    return x[300:], y[300:]


def test_size_under_volatility_spillover_and_power() -> None:
    count = 120
    x, y = spill(np.random.default_rng(20240601), 700, count)
    led = y.copy()
    led[1:] += 0.25 * x[:-1] * y.std() / x.std()
    rejected = {"clark-west": 0, "direction": 0, "power": 0, "accuracy": 0}
    for i in range(count):
        null = forecast_path(y[:, i], x[:, i], scheme="rolling", window=300).compared()
        rejected["clark-west"] += clark_west(*null).pvalue <= 0.05
        tested = pesaran_timmermann(null[0], null[2])
        rejected["direction"] += not isinstance(tested, Inapplicable) and tested.pvalue <= 0.05
        rejected["accuracy"] += oos_r2(*null).pvalue <= 0.05
        rejected["power"] += clark_west(*forecast_path(led[:, i], x[:, i], window=300).compared()).pvalue <= 0.05
    # 14 of 120 is three standard errors above 5 %.
    assert rejected["clark-west"] <= 14
    assert rejected["direction"] <= 14
    assert rejected["accuracy"] <= 6
    assert rejected["power"] >= 90
