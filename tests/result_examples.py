"""One real example of every kind of result: the single place to add one when a kind is added.

Each entry calls the public function on seeded data, so that the contract is checked on what users receive. A function
may return `Inapplicable` or `Failed`; an example must not.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from analysis.results import Absent, Failed, Inapplicable, Result
from analysis.scan.pairs import granger_matrix
from analysis.stats import contemporaneous, diagnostics, granger, granger_design, granger_strength
from analysis.stats.crosscorr import cross_correlation
from analysis.stats.multiplicity import adjust
from analysis.stats.regimes import state_correlation, state_granger


def pair(n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Return an effect and its cause, which leads by one step."""
    rng = np.random.default_rng(20240229)
    cause = rng.standard_normal(n)
    effect = 0.4 * np.r_[0.0, cause[:-1]] + rng.standard_normal(n)
    return effect, cause


def state(n: int = 300) -> np.ndarray:
    return (np.arange(n) // 25 % 2).astype(float)


def generator() -> np.random.Generator:
    return np.random.default_rng(7)


EXAMPLES: dict[str, Callable[[], Result]] = {
    "Absent": lambda: Absent(method="Some test", reason="no data"),
    "Failed": lambda: Failed(method="Some test", reason="no convergence"),
    "Inapplicable": lambda: Inapplicable(method="Some test", reason="no variation"),
    "TestResult": lambda: diagnostics.ljung_box(pair()[0], lags=5),
    "UnitRootResult": lambda: diagnostics.zivot_andrews(np.cumsum(pair()[0]), lags=1),
    "IntegrationOrder": lambda: diagnostics.integration_order(np.cumsum(pair()[0])),
    "AdjustedPvalues": lambda: adjust([0.001, 0.2, 0.04], method="bh", family_size=5),
    "CrossCorrelation": lambda: cross_correlation(*pair(), max_lag=4, bootstrap=99, rng=generator()),
    "StateGrangerResult": lambda: state_granger(*pair(), state(), lags=2, bootstrap=99, rng=generator()),
    "StateCorrelationResult": lambda: state_correlation(*pair(), state(), lag=1, bootstrap=99, rng=generator()),
    "LagSelection": lambda: granger_design.select_lags(np.column_stack(pair()), max_lags=4),
    "SamePeriodResult": lambda: contemporaneous.same_period_response(*pair()),
    "GewekeStrength": lambda: granger_strength.geweke_strength(*pair(), lags=2),
    "PairScan": lambda: granger_matrix(np.column_stack(pair()), lags=2),
    "GrangerResult": lambda: granger.granger_test(*pair(), lags=2, bootstrap=99, rng=generator()),
}
