"""The wild bootstrap: brute force over refits, shared draws, determinism, and size where the plain test breaks down."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.regression.linear_model import OLS

from analysis.errors import InputError
from analysis.results import Inapplicable
from analysis.stats import granger_bootstrap
from analysis.stats.granger import block_exogeneity, granger_test, rademacher, toda_yamamoto, wild_bootstrap_statistics
from analysis.stats.granger_bootstrap import quadratic_forms

COVARIANCES = ("nonrobust", "HC0", "HC1", "HC3", "HAC")


@pytest.fixture(scope="module")
def data() -> np.ndarray:
    rng = np.random.default_rng(2)
    values = rng.standard_normal((160, 3)) * np.exp(0.5 * rng.standard_normal((160, 1)))
    values[1:, 0] += 0.2 * values[:-1, 1]
    values[70, 0] = np.nan
    return values


@pytest.fixture(scope="module")
def weights() -> np.ndarray:
    return rademacher(np.random.default_rng(3), 160, 60)


def refit(data, weights, cov, lags=2, trend="c", hac_lags=4):
    """Return the observed and bootstrap F statistics by refitting every draw with statsmodels."""
    y, x, z = data.T
    n = len(y)
    shift = lambda s, k: np.r_[np.full(k, np.nan), s[:-k]]  # noqa: E731
    kept = [np.ones(n)] + [shift(s, k) for s in (y, z) for k in range(1, lags + 1)]
    W, X = np.column_stack(kept), np.column_stack([shift(x, k) for k in range(1, lags + 1)])
    use = np.isfinite(np.column_stack([y, W, X])).all(axis=1)
    Z, tested = np.column_stack([W, X])[use], np.eye(W.shape[1] + lags)[W.shape[1] :]
    restricted = OLS(y[use], W[use]).fit()

    def statistic(response):
        fit = OLS(response, Z).fit(cov_type="nonrobust" if cov == "HAC" else cov)
        if cov != "HAC":
            return fit.wald_test(tested, use_f=True, scalar=True).statistic
        rows = np.flatnonzero(use)
        kernel = np.clip(1 - np.abs(np.subtract.outer(rows, rows)) / (hac_lags + 1), 0, None)
        scores = Z * fit.resid[:, None]
        V = fit.normalized_cov_params @ scores.T @ kernel @ scores @ fit.normalized_cov_params
        b = tested @ fit.params
        return b @ np.linalg.solve(tested @ V @ tested.T, b) / lags

    draws = [statistic(restricted.fittedvalues + restricted.resid * column) for column in weights[use].T]
    return statistic(y[use]), np.array(draws)


@pytest.mark.parametrize("cov", COVARIANCES)
def test_matrix_products_equal_refitting_every_draw(data, weights, cov):
    hac_lags = 4 if cov == "HAC" else None
    found = wild_bootstrap_statistics(
        data[:, 0], data[:, 1], lags=2, given=data[:, 2], cov=cov, weights=weights, hac_lags=hac_lags
    )
    observed, draws = refit(data, weights, cov)
    assert found[0] == pytest.approx(observed, rel=1e-9)
    np.testing.assert_allclose(found[1], draws, rtol=1e-8)
    result = granger_test(data[:, 0], data[:, 1], lags=2, given=data[:, 2], cov=cov, weights=weights, hac_lags=hac_lags)
    b = (draws >= observed).sum()
    assert result.bootstrap_pvalue == (1 + b) / 61
    assert result.bootstrap_draws == 60
    p = result.bootstrap_pvalue
    assert result.bootstrap_standard_error == pytest.approx(np.sqrt(p * (1 - p) / 60))


@pytest.mark.parametrize("cov", COVARIANCES)
def test_block_draws_equal_the_test_on_flipped_data(weights, cov):
    """With no own dynamics to keep (conditioning on them), a draw is the block statistic of the rebuilt responses."""
    rng = np.random.default_rng(8)
    Y, W = rng.standard_normal((2, 80, 2))
    X = rng.standard_normal((80, 2))
    from analysis.stats.covariance import partial_out, quadratic_form, score_covariance
    from analysis.stats.granger_bootstrap import wild_wald

    rows = np.arange(80)
    signs = weights[:80, :20]
    fit = partial_out(Y, W, X, rows)
    draws = wild_wald(fit, signs, cov, hac_lags=3)
    fitted = Y - fit.restricted_residuals
    for b in range(20):
        again = partial_out(fitted + fit.restricted_residuals * signs[:, [b]], W, X, rows)
        V = score_covariance(again, cov, hac_lags=3)
        assert draws[b] == pytest.approx(quadratic_form(again.scores.T.ravel(), V), rel=1e-9)


def test_signs_all_alike_reproduce_the_sample(data):
    result = granger_test(data[:, 0], data[:, 1], lags=2, weights=np.c_[np.ones(160), -np.ones(160)])
    assert result.bootstrap_pvalue == 1.0
    observed, draws = wild_bootstrap_statistics(data[:, 0], data[:, 1], lags=2, weights=np.ones((160, 1)))
    # Signs of one rebuild the sample itself: the statistic ties with its own draw.
    assert draws[0] == pytest.approx(observed, rel=1e-9)


@pytest.mark.parametrize("cov", ["nonrobust", "HC3", "HAC"])
def test_blocks_of_draws_do_not_change_the_numbers(data, monkeypatch, cov):
    signs = rademacher(np.random.default_rng(1), 160, 50)
    one = wild_bootstrap_statistics(data[:, 0], data[:, 1], lags=2, cov=cov, weights=signs)[1]
    monkeypatch.setattr(granger_bootstrap, "BATCH", 7)
    monkeypatch.setattr(granger_bootstrap, "BLOCK_BYTES", 3 * 8 * 160)
    other = wild_bootstrap_statistics(data[:, 0], data[:, 1], lags=2, cov=cov, weights=signs)[1]
    np.testing.assert_allclose(one, other, rtol=1e-11)


@pytest.mark.parametrize("cov", ["HC0", "HC1", "HC3"])
@pytest.mark.parametrize("draws", [1, 256, 300])
def test_compiled_draws_equal_their_plain_twin(data, cov, draws):
    """Rows with a gap, counts of rows, columns and draws that fill no group: the same numbers as by matrix products."""
    from analysis.stats.covariance import partial_out
    from analysis.stats.granger_bootstrap import _batch, _white_draws

    rng = np.random.default_rng(5)
    rows = np.delete(np.arange(160), [3, 80])[:157]
    fit = partial_out(rng.standard_normal((157, 1)), np.ones((157, 1)), rng.standard_normal((157, 4)), rows)
    signs = rademacher(rng, 160, draws)
    found = _white_draws(fit, signs, cov)
    plain = _batch(fit, signs[rows], cov, 0, True)
    np.testing.assert_allclose(found[0], plain[0], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(found[1], plain[1], rtol=1e-10, atol=1e-12)


def test_same_generator_same_bytes_and_the_draws_are_those_of_the_weights(data):
    one = granger_test(data[:, 0], data[:, 1], lags=2, bootstrap=99, rng=np.random.default_rng(4))
    other = granger_test(data[:, 0], data[:, 1], lags=2, bootstrap=99, rng=np.random.default_rng(4))
    assert one.to_json() == other.to_json()
    weights = rademacher(np.random.default_rng(4), 160, 99)
    assert one == granger_test(data[:, 0], data[:, 1], lags=2, weights=weights)


def test_signs_are_fair_and_belong_to_dates():
    signs = rademacher(np.random.default_rng(0), 1000, 1000)
    assert set(np.unique(signs)) == {-1, 1}
    assert abs(signs.mean()) < 4e-3
    assert np.abs(signs.mean(axis=1)).max() < 0.16


def test_tests_on_different_samples_share_their_draws_by_date(data, weights):
    """A series that starts late draws with the signs of its own dates, not with the first ones."""
    late = data.copy()
    late[:71] = np.nan
    _, one = wild_bootstrap_statistics(late[:, 0], late[:, 1], lags=2, weights=weights)
    _, other = wild_bootstrap_statistics(data[71:, 0], data[71:, 1], lags=2, weights=weights[71:])
    np.testing.assert_array_equal(one, other)


def test_bootstrap_of_block_and_levels_tests_runs_with_the_same_weights(data, weights):
    block = block_exogeneity(data[:, [0, 2]], data[:, 1], lags=1, weights=weights)
    assert block.bootstrap_draws == 60
    assert 0 < block.bootstrap_pvalue <= 1
    levels = toda_yamamoto(data[80:, 0].cumsum(), data[80:, 1].cumsum(), lags=1, weights=weights[80:])
    assert 0 < levels.bootstrap_pvalue <= 1


def test_singular_draws_count_against_the_test():
    scores = np.ones((2, 3))
    V = np.stack([np.eye(2), np.ones((2, 2)), np.zeros((2, 2))], axis=-1)
    np.testing.assert_array_equal(quadratic_forms(scores, V), [2.0, np.inf, np.inf])


def test_batched_quadratic_forms_agree_with_solving_each():
    rng = np.random.default_rng(6)
    factors, scores = rng.standard_normal((40, 5, 9)), rng.standard_normal((5, 40))
    V = factors @ factors.transpose(0, 2, 1)
    expected = [s @ np.linalg.solve(v, s) for s, v in zip(scores.T, V, strict=True)]
    np.testing.assert_allclose(quadratic_forms(scores, np.moveaxis(V, 0, -1)), expected, rtol=1e-10)


def test_refusals(data, weights):
    found = wild_bootstrap_statistics(data[:, 0], np.ones(160), lags=2, weights=weights)
    assert isinstance(found, Inapplicable)
    assert "collinear" in found.reason
    with pytest.raises(InputError, match="lags must be a whole number"):
        wild_bootstrap_statistics(data[:, 0], data[:, 1], lags="aic", weights=weights)


def spill(rng: np.random.Generator, n: int, count: int) -> np.ndarray:
    """Volatility runs from x to y, the mean of neither depends on anything: (2, n, count)."""
    z = rng.standard_t(5, (2, n + 300, count)) / np.sqrt(5 / 3)
    out, h = np.zeros_like(z), np.ones((2, count))
    for t in range(1, n + 300):
        x, y = out[0, t - 1] ** 2, out[1, t - 1] ** 2
        h = np.stack([0.05 + 0.15 * x + 0.8 * h[0], 0.05 + 0.05 * y + 0.3 * x + 0.6 * h[1]])
        out[:, t] = np.sqrt(h) * z[:, t]
    return out[:, 300:]


def test_size_under_volatility_spillover():
    x, y = spill(np.random.default_rng(20240601), 500, 150)
    rng = np.random.default_rng(1)
    rejected = {"plain": 0, "HC3": 0, "wild": 0}
    for effect, cause in zip(y.T, x.T, strict=True):
        rejected["plain"] += granger_test(effect, cause, lags=5, cov="nonrobust").pvalue < 0.05
        robust = granger_test(effect, cause, lags=5, bootstrap=199, rng=rng)
        rejected["HC3"] += robust.pvalue < 0.05
        rejected["wild"] += robust.bootstrap_pvalue <= 0.05
    assert rejected["plain"] > 50  # a nominal 5 % test would reject 7.5 of 150
    assert rejected["HC3"] <= 18
    assert rejected["wild"] <= 16


@pytest.mark.parametrize("wrong", [0, 2, -2])
def test_a_weight_that_is_no_sign_is_refused_in_any_type(wrong):
    data = np.random.default_rng(3).standard_normal((80, 2))
    for kind in (np.int8, np.int64, np.float64):
        signs = np.ones((80, 5), dtype=kind)
        signs[40, 3] = wrong
        with pytest.raises(InputError, match="must be -1 or"):
            granger_test(data[:, 0], data[:, 1], lags=1, weights=signs)
