"""Diks-Panchenko and transfer entropy against brute force, closed forms and the linear test they must agree with."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import digamma

from analysis.errors import InputError
from analysis.results import Inapplicable
from analysis.stats import granger_nonlinear as gn
from analysis.stats import neighbour_kernels as nk
from analysis.stats import transfer_entropy as te
from analysis.stats.granger import granger_test


def scaled(n: int, seed: int, strength: float = 0.8) -> tuple[np.ndarray, np.ndarray]:
    """Return an effect whose size, not level, follows the cause's last size."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(n)
    return np.r_[1.0, 1 + strength * np.abs(x[:-1])] * rng.standard_normal(n), x


def cloud(n: int, widths: tuple[int, int, int], seed: int = 0, digits: int = 12) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    X, Y, Z = (np.round(rng.standard_normal((n, w)), digits) for w in widths)
    order = np.argsort(Y[:, 0], kind="stable")
    return [np.ascontiguousarray(part[order]) for part in (X, Y, Z)]


def closeness(values: np.ndarray) -> np.ndarray:
    return np.abs(values[:, None, :] - values[None, :, :]).max(axis=2)


# --- Diks and Panchenko -------------------------------------------------------------------------------------


def plain_counts(X, Y, Z, epsilon):
    """The compiled counts as products of neighbour matrices."""
    near = [(closeness(part) < epsilon).astype(float) for part in (X, Y, Z)]
    for item in near:
        np.fill_diagonal(item, 0.0)
    x, y, z = near
    xy, yz, xyz = x * y, y * z, x * y * z
    cy, cxy, cyz, cxyz = (item.sum(axis=1) for item in (y, xy, yz, xyz))
    centre = cxyz * cy - cxy * cyz
    return centre, centre + xyz @ cy + y @ cxyz - xy @ cyz - yz @ cxy


@pytest.mark.parametrize("widths", [(1, 1, 1), (2, 2, 1)])
@pytest.mark.parametrize("digits", [12, 1])
def test_compiled_counts_equal_their_plain_twin(widths, digits):
    parts = cloud(120, widths, digits=digits)
    for fast, plain in zip(nk.conditional_counts(*parts, 0.8), plain_counts(*parts, 0.8), strict=True):
        np.testing.assert_allclose(fast, plain, rtol=1e-10, atol=1e-10)
        assert np.abs(plain).max() > 0


def test_statistic_and_projection_are_those_of_the_third_order_u_statistic():
    X, Y, Z = cloud(14, (1, 1, 1), seed=3)
    n, epsilon = 14, 0.9
    near = [closeness(part) < epsilon for part in (X, Y, Z)]

    def kernel(i, j, k):
        x, y, z = near
        return float(x[i, j] * y[i, j] * z[i, j]) * float(y[i, k]) - float(x[i, j] * y[i, j]) * float(y[i, k] * z[i, k])

    triples = [(i, j, k) for i in range(n) for j in range(n) for k in range(n) if len({i, j, k}) == 3]
    projection = np.zeros(n)
    for i, j, k in triples:
        for member in (i, j, k):
            projection[member] += kernel(i, j, k)
    centre, total = nk.conditional_counts(X, Y, Z, epsilon)
    assert centre.sum() == pytest.approx(sum(kernel(*triple) for triple in triples))
    np.testing.assert_allclose(total, projection, atol=1e-9)


def test_result_is_the_papers_formula_on_densities():
    y, x = scaled(150, 5)
    result = gn.diks_panchenko(y, x, filter="none", epsilon=1.1)
    a, b = (s - s.mean() for s in (y, x))
    a, b = a / a.std(), b / b.std()
    Z, Y, X = a[1:, None], a[:-1, None], b[:-1, None]
    n = 149

    def density(*parts):
        joint = np.hstack(parts)
        near = closeness(joint) < 1.1
        return (near.sum(axis=1) - 1) * (2 * 1.1) ** -joint.shape[1] / (n - 1)

    terms = density(X, Y, Z) * density(Y) - density(X, Y) * density(Y, Z)
    assert result.estimate == pytest.approx((n - 1) / (n * (n - 2)) * terms.sum(), rel=1e-9)
    assert (result.nobs, result.nobs_lost, result.options["epsilon"]) == (149, 1, 1.1)


def test_bandwidths_of_the_papers_table():
    # Diks and Panchenko (2006), table 1: n and bandwidth, two digits printed.
    printed = {100: 1.5, 200: 1.5, 1000: 1.2, 5000: 0.76, 10_000: 0.62, 20_000: 0.51, 60_000: 0.37}
    for n, width in printed.items():
        assert gn.optimal_bandwidth(n) == pytest.approx(width, abs=0.005)


def test_a_link_in_size_is_seen_that_the_linear_test_misses():
    y, x = scaled(700, 1)
    assert gn.diks_panchenko(y, x).pvalue < 1e-3
    assert gn.diks_panchenko(x, y).pvalue > 0.05
    assert granger_test(y, x, lags=1).pvalue > 0.05


def test_a_linear_link_is_removed_by_the_filter():
    rng = np.random.default_rng(6)
    x = rng.standard_normal(600)
    y = np.r_[0.0, 0.7 * x[:-1]] + rng.standard_normal(600)
    assert gn.diks_panchenko(y, x, filter="none").pvalue < 1e-6
    assert gn.diks_panchenko(y, x, filter="var").pvalue > 0.05


def test_size_of_the_normal_approximation():
    rng = np.random.default_rng(30)
    pvalues = [gn.diks_panchenko(*rng.standard_normal((2, 250)), filter_lags=1).pvalue for _ in range(150)]
    assert (
        0.0 < np.mean(np.array(pvalues) <= 0.10) <= 0.10 + 3 * math.sqrt(0.1 * 0.9 / 150)
    )  # conservative in small samples


@pytest.mark.parametrize("filter_", gn.FILTERS)
def test_units_do_not_matter(filter_):
    y, x = scaled(300, 2)
    base, moved = (gn.diks_panchenko(a, b, filter=filter_) for a, b in ((y, x), (3 * y - 7, -x / 50)))
    assert moved.statistic == pytest.approx(base.statistic, rel=1e-4)


def test_gaps_remove_rows_and_are_not_bridged():
    y, x = scaled(300, 2)
    x[100] = np.nan
    assert gn.diks_panchenko(y, x, filter="none").nobs == 297  # one row lost to the first lag, two to the gap


def test_long_run_variance_is_its_weighted_sum():
    e = np.random.default_rng(1).standard_normal(40)
    d = e - e.mean()
    cov = [(d[j:] * d[: 40 - j]).sum() / 40 for j in range(3)]
    assert gn.long_run_variance(e, 3) == pytest.approx(cov[0] + 2 * (2 / 3 * cov[1] + 1 / 3 * cov[2]))


# --- transfer entropy ---------------------------------------------------------------------------------------


def test_gaussian_estimate_is_half_the_geweke_strength():
    rng = np.random.default_rng(3)
    x, z = rng.standard_normal((2, 500))
    y = np.r_[0.0, 0.5 * x[:-1] + 0.3 * z[:-1]] + rng.standard_normal(500)
    for options in ({"lags": 1}, {"lags": 3}, {"lags": 2, "given": z}):
        strength = granger_test(y, x, cov="nonrobust", **options).strength
        result = te.transfer_entropy(y, x, **options)
        assert result.estimate == pytest.approx(strength / 2, rel=1e-10)
        assert result.statistic == pytest.approx(result.nobs * strength, rel=1e-10)


def test_wild_bootstrap_is_that_of_the_linear_test():
    y, x = scaled(300, 9)
    ours = te.transfer_entropy(y, x, lags=2, bootstrap=99, rng=np.random.default_rng(1))
    linear = granger_test(y, x, lags=2, cov="nonrobust", bootstrap=99, rng=np.random.default_rng(1))
    assert ours.bootstrap_pvalue == linear.bootstrap_pvalue


def plain_neighbours(X, Y, Z, k):
    dx, dy, dz = (closeness(part) for part in (X, Y, Z))
    joint = np.maximum(np.maximum(dx, dy), dz)
    np.fill_diagonal(joint, np.inf)
    radius = np.sort(joint, axis=1)[:, k - 1][:, None]
    near_y = dy < radius
    return [(near_y & other).sum(axis=1) - (radius[:, 0] > 0) for other in (near_y, dx < radius, dz < radius)]


@pytest.mark.parametrize("widths", [(1, 1, 1), (2, 3, 1)])
@pytest.mark.parametrize("digits", [12, 1])
def test_neighbour_counts_equal_their_plain_twin(widths, digits):
    parts = cloud(150, widths, seed=4, digits=digits)
    for fast, plain in zip(nk.neighbour_counts(*parts, 3), plain_neighbours(*parts, 3), strict=True):
        np.testing.assert_array_equal(fast, plain)


def test_nearest_neighbour_estimate_is_the_gaussian_closed_form():
    rng = np.random.default_rng(5)
    x = rng.standard_normal(4000)
    y = np.r_[0.0, x[:-1]] + rng.standard_normal(4000)
    parts = [y[1:, None], y[:-1, None], x[:-1, None]]
    order = np.argsort(parts[1][:, 0])
    Z, Y, X = (np.ascontiguousarray(part[order]) for part in parts)
    assert te.conditional_information(X, Y, Z, 4) == pytest.approx(0.5 * math.log(2), abs=0.03)
    in_y, in_xy, in_yz = plain_neighbours(X[:300], Y[:300], Z[:300], 4)
    expected = digamma(4) + np.mean(digamma(in_y + 1) - digamma(in_xy + 1) - digamma(in_yz + 1))
    assert te.conditional_information(X[:300], Y[:300], Z[:300], 4) == pytest.approx(expected, rel=1e-12)


def test_local_permutation_stays_among_its_candidates_and_uses_rows_once_while_it_can():
    rng = np.random.default_rng(2)
    near = np.array([(i + np.arange(-2, 3)) % 80 for i in range(80)])
    candidates = rng.permuted(near, axis=1)
    chosen = nk.local_permutation(candidates, rng.permutation(80))
    assert all(chosen[i] in candidates[i] for i in range(80))
    assert len(np.unique(chosen)) > 60
    assert not np.array_equal(chosen, np.arange(80))
    np.testing.assert_array_equal(
        nk.local_permutation(np.array([[0, 1], [0, 1], [0, 1]]), np.array([2, 0, 1])), [1, 1, 0]
    )


def test_nearest_neighbours_see_a_link_without_correlation():
    y, x = scaled(500, 12, strength=2.0)
    found = te.transfer_entropy(y, x, method="nearest", bootstrap=39, rng=np.random.default_rng(1))
    assert found.pvalue == found.bootstrap_pvalue == 0.025
    assert te.transfer_entropy(x, y, method="nearest", bootstrap=39, rng=np.random.default_rng(1)).pvalue > 0.05


def test_local_permutation_holds_its_size_when_own_past_drives_both():
    rng = np.random.default_rng(40)
    rejected = []
    for _ in range(60):
        e = rng.standard_normal((2, 160))
        y = np.zeros(160)
        for t in range(1, 160):
            y[t] = 0.7 * y[t - 1] + e[0, t]
        x = y + 0.7 * e[1]
        rejected.append(te.transfer_entropy(y, x, method="nearest", bootstrap=19, rng=rng).pvalue <= 0.05)
    assert np.mean(rejected) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 60)


def test_same_seed_same_bytes():
    y, x = scaled(200, 1)
    runs = [
        te.transfer_entropy(y, x, method="nearest", bootstrap=9, rng=np.random.default_rng(3)).to_json()
        for _ in range(2)
    ]
    assert runs[0] == runs[1]
    assert "transfer entropy in nats" in te.transfer_entropy(y, x, bootstrap=9, rng=np.random.default_rng(3)).summary()


# --- refusals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("test", "options", "words"),
    [
        (gn.diks_panchenko, {"lags": 0}, "whole number"),
        (gn.diks_panchenko, {"epsilon": -1.0}, "epsilon"),
        (gn.diks_panchenko, {"filter": "ols"}, "filter"),
        (te.transfer_entropy, {"method": "bins"}, "method"),
        (te.transfer_entropy, {"method": "nearest"}, "no closed null"),
        (te.transfer_entropy, {"bootstrap": 9}, "random generator"),
    ],
)
def test_wrong_options_are_refused_in_words(test, options, words):
    with pytest.raises(InputError, match=words):
        test(*scaled(200, 1), **options)


def test_data_that_cannot_carry_the_test_give_a_reason():
    y, x = scaled(200, 1)
    assert "too few" in gn.diks_panchenko(y[:60], x[:60]).reason
    assert isinstance(gn.diks_panchenko(y, np.ones(200)), Inapplicable)
    assert "too few rows lie within" in gn.diks_panchenko(y, x, epsilon=1e-9).reason
    assert "collinear" in te.transfer_entropy(y, y).reason
    with pytest.raises(InputError, match="one effect and one cause"):
        gn.diks_panchenko(y, np.column_stack([x, y]))
