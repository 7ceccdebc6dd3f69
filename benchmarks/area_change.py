"""Tests of the areas that ask whether a link changes: after records, at a date, at a level, between states.

Functions of effect (n, k), cause (n,) and a generator, with the settings of the study; each returns a p-value, or
nothing where the test does not apply.
"""

from __future__ import annotations

import numpy as np

from analysis.results import Absent
from analysis.stats.breaks import (
    before_after,
    correlation_break,
    placebo_dates,
    robust_sup_f,
    score_cusum,
    sequential_breaks,
)
from analysis.stats.breaks.around_dates import link_columns
from analysis.stats.dynamics import state_local_projection
from analysis.stats.eventstudy.matched import match_dates, matched_event_study
from analysis.stats.eventstudy.rotation import joint_pvalues
from analysis.stats.granger_instability import instability_robust_granger
from analysis.stats.regimes import state_correlation, state_granger
from analysis.stats.regimes_shift import state_correlation_shift
from analysis.stats.switching.granger import markov_switching_granger
from analysis.stats.switching.threshold import threshold_test
from analysis.stats.tails.states import state_downside_beta
from analysis.study.run_chapter import SPLITS
from analysis.study.settings import DynamicsSettings, EventsSettings, StabilitySettings, SwitchingSettings
from benchmarks.area_worlds import (
    DRAWS,
    FEW_DRAWS,
    Floats,
    Test,
    declared,
    pvalue,
    recorded,
    spells,
    trailing_volatility,
    turbulent,
)

STATE_LAGS = 2
EVENTS, STABILITY = EventsSettings(), StabilitySettings()
SWITCHING, DYNAMICS = SwitchingSettings(), DynamicsSettings()


def matched_events(effect: Floats, cause: Floats, rng: np.random.Generator) -> float | None:
    """Return the smallest jointly corrected p-value over all horizons after records of the cause."""
    starts, days = recorded(cause, EVENTS.history_sessions, EVENTS.merge_sessions)
    first = EVENTS.history_sessions
    study = matched_event_study(
        effect[first:, 0],
        np.array(starts, dtype=np.int64) - first,
        match_dates(cause[first:], trailing=EVENTS.trailing, excluded=days[first:]),
        horizons=EVENTS.horizons,
        estimation=EVENTS.estimation,
        neighbours=EVENTS.neighbours,
        min_events=EVENTS.least_events,
    )
    found = [rotation for rotation in study.rotations if rotation is not None]
    return float(joint_pvalues(found, family_size=len(study.rotations)).min()) if found else None


def breaks(effect: Floats, cause: Floats, rng: np.random.Generator) -> float | None:
    """Return the p-value of one break or more in the response of the session."""
    found = sequential_breaks(
        effect[:, 0], cause, trim=STABILITY.trim, max_breaks=1, test="slopes", bootstrap=DRAWS, rng=rng
    )
    return None if isinstance(found, Absent) or not found.step_pvalues else float(found.step_pvalues[0])


def lead_break(effect: Floats, cause: Floats, rng: np.random.Generator) -> float | None:
    """Test the lag coefficients of the cause for a break at an unknown date."""
    y, x, own = link_columns(effect[:, 0], cause, lags=STABILITY.lags)
    found = robust_sup_f(y, x, given=own, test="slopes", trim=STABILITY.trim, bootstrap=DRAWS, rng=rng)
    return pvalue(found, "bootstrap_pvalue")


def response_break(effect: Floats, cause: Floats, rng: np.random.Generator) -> float | None:
    """Test the response of the session for a break, beside a common driver."""
    found = robust_sup_f(
        effect[:, 0], cause[:, None], given=effect[:, 1:], test="slopes", trim=STABILITY.trim, bootstrap=DRAWS, rng=rng
    )
    return pvalue(found, "bootstrap_pvalue")


def drift(effect: Floats, cause: Floats, rng: np.random.Generator) -> float | None:
    """Test the response of the session by the running sum of its scores."""
    return pvalue(score_cusum(effect[:, 0], cause, test="slopes", bootstrap=DRAWS, rng=rng), "bootstrap_pvalue")


def event_link(lags: int) -> Test:
    """Return the comparison of the link in the windows on either side of a date."""

    def test(effect: Floats, cause: Floats, rng: np.random.Generator) -> float | None:
        least = int(STABILITY.least_share * STABILITY.window)
        found = before_after(
            effect[:, 0], cause, at=cause.size // 2, lags=lags, window=STABILITY.window, bootstrap=DRAWS, rng=rng,
            min_rows=least,
        )  # fmt: skip
        return pvalue(found, "bootstrap_pvalue")

    return test


def event_placebo(effect: Floats, cause: Floats, rng: np.random.Generator) -> float | None:
    """Compare the declared dates, at which the response of any asset may change, with all other dates."""
    least = int(STABILITY.least_share * STABILITY.window)
    return pvalue(placebo_dates(effect, cause, at=declared(cause.size), window=STABILITY.window, minimum=least))


def correlation_constancy(effect: Floats, cause: Floats, rng: np.random.Generator) -> float | None:
    """Test the correlation for constancy after each series is divided by its own volatility."""
    return pvalue(correlation_break(cause, effect[:, 0], volatility="garch", bootstrap=DRAWS, rng=rng))


def instability(effect: Floats, cause: Floats, rng: np.random.Generator) -> float | None:
    """Test for a lead at some date by the bootstrap form."""
    return pvalue(
        instability_robust_granger(effect[:, 0], cause, lags=STATE_LAGS, bootstrap=FEW_DRAWS, rng=rng, grid=SPLITS)
    )


def threshold(lags: int) -> Test:
    """Return the test for a change at an unknown level of the trailing volatility of the cause."""

    def test(effect: Floats, cause: Floats, rng: np.random.Generator) -> float | None:
        found = threshold_test(
            effect[:, 0], cause, trailing_volatility(cause), lags=lags, trim=SWITCHING.trim, grid=SWITCHING.splits,
            bootstrap=FEW_DRAWS, rng=rng,
        )  # fmt: skip
        return pvalue(found)

    return test


def hidden(name: str) -> Test:
    """Return a test of the lead in the hidden regimes of the effect: "equal" in both, or "none" in any."""

    def test(effect: Floats, cause: Floats, rng: np.random.Generator) -> float | None:
        found = markov_switching_granger(effect[:, 0], cause, lags=STATE_LAGS, bootstrap=FEW_DRAWS, rng=rng)
        if isinstance(found, Absent):
            return None
        return float(found.test_bootstrap_pvalue[found.tests.index(name)])

    return test


def state_lead(effect: Floats, cause: Floats, rng: np.random.Generator) -> float | None:
    """Compare the lead in turbulent with that in calm sessions."""
    found = state_granger(effect[:, 0], cause, turbulent(cause), lags=STATE_LAGS, bootstrap=DRAWS, rng=rng)
    return pvalue(found, "bootstrap_pvalue")


def state_link(effect: Floats, cause: Floats, rng: np.random.Generator) -> float | None:
    """Compare the correlation in a state of its own with its opposite: the larger p of bootstrap and rotation."""
    state = spells(cause.size)
    by_rows = pvalue(state_correlation(cause, effect[:, 0], state, bootstrap=DRAWS, rng=rng), "bootstrap_pvalue")
    rotated = pvalue(state_correlation_shift(cause, effect[:, 0], state))
    return None if by_rows is None or rotated is None else max(by_rows, rotated)


def state_response(effect: Floats, cause: Floats, rng: np.random.Generator) -> float | None:
    """Compare the response path in turbulent with that in calm sessions."""
    found = state_local_projection(
        effect[:, 0], cause, turbulent(cause), lags=STATE_LAGS, horizons=DYNAMICS.sum_horizon, cumulative=True,
        bootstrap=DRAWS, rng=rng,
    )  # fmt: skip
    return pvalue(found)


def state_downside(effect: Floats, cause: Floats, rng: np.random.Generator) -> float | None:
    """Compare the downside beta in turbulent with that in calm sessions."""
    found = state_downside_beta(effect[:, 0], cause, turbulent(cause), bootstrap=DRAWS, rng=rng)
    return pvalue(found, "combined_pvalue")
