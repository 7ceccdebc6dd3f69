"""ΔCoVaR: quantreg's numbers, the exact bootstrap, symmetry, contracts."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from analysis.errors import InputError
from analysis.results import Inapplicable
from analysis.stats.quantile.regression import solve_quantile
from analysis.stats.tails.covar import DeltaCovarResult, delta_covar
from analysis.stats.tails.covar_fit import TailFit, weighted_quantile
from analysis.stats.tails.resample import block_weights


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def pair(n: int, slope: float = 0.5, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    x, e = rng(seed).standard_t(5, (2, n))
    return slope * x + e, x


def found(effect: np.ndarray, cause: np.ndarray, **options: object) -> DeltaCovarResult:
    result = delta_covar(effect, cause, **{"bootstrap": 99, "rng": rng(), **options})  # type: ignore[arg-type]
    assert isinstance(result, DeltaCovarResult), result.summary()
    return result


def test_slopes_and_moves_are_those_of_statsmodels() -> None:
    y, x = pair(700)
    result = found(y, x, quantile=0.1)
    for i, tau in enumerate((0.1, 0.9)):
        peer = sm.QuantReg(y, sm.add_constant(x)).fit(q=tau, max_iter=5000, p_tol=1e-10)
        assert result.slope[i] == pytest.approx(peer.params[1], abs=2e-5)
        expected = result.slope[i] * (np.quantile(x, tau) - np.median(x))
        assert result.delta[i] == pytest.approx(expected, rel=1e-9)
        at_tail = peer.params[0] + peer.params[1] * np.quantile(x, tau)
        assert result.covar[i] == pytest.approx(at_tail, abs=1e-4)
        assert result.covar[i] - result.covar_median[i] == pytest.approx(result.delta[i], abs=1e-12)
    assert result.estimate == result.delta[0]
    assert result.asymmetry == pytest.approx(-result.delta[0] - result.delta[1])


def test_quantile_slopes_are_those_of_quantreg(shared: Path) -> None:
    """R 4 with quantreg 5.94: ``rq(Market ~ JPM, tau)``, ``quantile(JPM, tau)`` and ``median(JPM)``; 12 digits."""
    frame = pd.read_csv(shared / "reference" / "sys_risk.csv")
    result = found(frame["Market"].to_numpy(), frame["JPM"].to_numpy(), bootstrap=19)
    np.testing.assert_allclose(result.slope, [7.29094290856e-05, 2.60445528933e-05], rtol=1e-7)
    moves = [7.29094290856e-05 * (6.894882 - 29.4812905), 2.60445528933e-05 * (52.8564205 - 29.4812905)]
    np.testing.assert_allclose(result.delta, moves, rtol=1e-7)
    np.testing.assert_allclose(result.covar_median[0], -0.0199289149315 + 7.29094290856e-05 * 29.4812905, rtol=1e-7)


def test_weighted_fits_equal_fits_of_the_written_out_samples() -> None:
    y, x = pair(600)
    for tau, slopes in ((0.05, "common"), (0.95, "common"), (0.05, "split")):
        fit = TailFit.of(y, x, tau, slopes)
        assert not isinstance(fit, str)
        for row in next(block_weights(600, 10, 15.0, rng())):
            copies = np.repeat(np.arange(600), row)
            solved = solve_quantile(fit.X[copies], y[copies], tau)
            assert solved is not None
            move, slope, tail, middle = fit.moves(row)
            assert slope == pytest.approx(solved[0][1], abs=1e-7)
            if slopes == "common":
                spread = np.quantile(x[copies], tau) - np.median(x[copies])
                assert move == pytest.approx(solved[0][1] * spread, abs=1e-7)
            assert tail - middle == pytest.approx(move, abs=1e-9)


def test_split_slopes_are_those_of_statsmodels_on_both_sides_of_the_median() -> None:
    x, e = rng(5).standard_t(6, (2, 700))
    y = np.where(x < 0, 1.2, 0.1) * x + e
    result = found(y, x, quantile=0.1, slopes="split")
    below, above = np.minimum(x - np.median(x), 0), np.maximum(x - np.median(x), 0)
    for i, tau in enumerate((0.1, 0.9)):
        peer = sm.QuantReg(y, np.column_stack([np.ones(700), below, above])).fit(q=tau, max_iter=5000, p_tol=1e-10)
        assert result.slope[i] == pytest.approx(peer.params[1 + i], abs=5e-5)
        assert result.delta[i] == pytest.approx(result.slope[i] * (np.quantile(x, tau) - np.median(x)), rel=1e-9)
    assert result.slope[0] > result.slope[1] + 0.5


def test_a_far_row_that_changes_side_sends_the_resample_to_the_full_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    import analysis.stats.tails.covar_fit as module

    y, x = pair(400)
    monkeypatch.setattr(module, "_KEPT_SHARE", 0.01)  # almost no row is near, so that signs must change
    fit = TailFit.of(y, x, 0.1)
    assert not isinstance(fit, str)
    for row in next(block_weights(400, 5, 10.0, rng())):
        copies = np.repeat(np.arange(400), row)
        solved = solve_quantile(fit.X[copies], y[copies], 0.1)
        assert solved is not None
        assert fit.moves(row)[1] == pytest.approx(solved[0][1], abs=1e-7)


@pytest.mark.parametrize("level", [0.05, 0.5, 0.93])
def test_quantile_of_copies_is_type_seven(level: float) -> None:
    values, weights = rng().standard_normal(80), next(block_weights(80, 1, 4.0, rng()))[0]
    expected = np.quantile(np.repeat(values, weights), level)
    assert weighted_quantile(values, np.argsort(values), weights, level) == pytest.approx(expected, abs=1e-12)


def test_scales_and_turns_as_it_should() -> None:
    y, x = pair(500)
    base, scaled, turned = found(y, x), found(100 * y + 3, 7 * x - 1), found(-y, -x)
    np.testing.assert_allclose(scaled.delta, 100 * base.delta, rtol=1e-6)
    assert scaled.pvalue == base.pvalue
    np.testing.assert_allclose(turned.delta, -base.delta[::-1], rtol=1e-6)
    assert turned.asymmetry == pytest.approx(-base.asymmetry, rel=1e-5, abs=1e-8)


def test_a_link_in_falls_only_is_seen_and_a_symmetric_one_is_not() -> None:
    draws, rejected = 30, [0, 0]
    for seed in range(draws):
        x, e = rng(seed).standard_t(6, (2, 500))
        for i, y in enumerate((0.6 * x + e, np.where(x < 0, 1.2, 0.1) * x + e)):
            result = found(y, x, quantile=0.1, slopes="split", rng=rng(seed), bootstrap=49)
            rejected[i] += result.asymmetry_pvalue <= 0.05
    assert rejected[0] <= 0.05 * draws + 3 * math.sqrt(draws * 0.05 * 0.95)
    assert rejected[1] >= 0.9 * draws


def test_the_asymmetry_test_carries_its_numbers() -> None:
    result = found(*pair(400))
    test = result.asymmetry_test()
    assert test.estimate == result.asymmetry
    assert test.pvalue == result.asymmetry_pvalue
    assert test.interval == result.asymmetry_interval
    assert list(result.to_frame()["part"]) == ["downside", "upside", "downside less upside"]
    assert "downside less upside" in result.summary()


def test_data_and_options_that_cannot_be_used() -> None:
    y, x = pair(400)
    assert isinstance(delta_covar(y[:150], x[:150], bootstrap=19, rng=rng()), Inapplicable)
    assert isinstance(delta_covar(2 * x, x, bootstrap=19, rng=rng()), Inapplicable)
    thin = delta_covar(y, x, quantile=0.01, bootstrap=19, rng=rng())
    assert isinstance(thin, Inapplicable)
    assert "only 4 in a tail of 1%" in thin.reason
    with pytest.raises(InputError, match="quantile is a share"):
        delta_covar(y, x, quantile=0.5, rng=rng())
    with pytest.raises(InputError, match="unknown kind of slopes"):
        delta_covar(y, x, slopes="three", rng=rng())
    with pytest.raises(InputError, match="needs its own generator"):
        delta_covar(y, x)
    with pytest.raises(InputError, match="needs bootstrap draws"):
        delta_covar(y, x, bootstrap=0)
    gapped = np.where(np.arange(400) % 8 == 0, np.nan, y)
    assert found(gapped, x).nobs_lost == 50
    assert found(y, x).to_json() == found(y, x).to_json()
