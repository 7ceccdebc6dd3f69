"""The trials of the areas: for every deciding test a null that holds in each process, and one stated alternative."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks import area_change as change
from benchmarks import area_size as size
from benchmarks.area_worlds import (
    Link,
    Test,
    after_records,
    apart,
    at_dates,
    falls_in_state,
    hidden_lead,
    in_spells,
    in_state,
    link,
    portfolios,
    shift,
    sided,
    spread,
    volatility_follows,
    wave,
    wider,
)


@dataclass(frozen=True, slots=True)
class Trial:
    """One test with its null and its alternative.

    Attributes
    ----------
    name : str
    test : callable
        Of effect, cause and generator; a p-value, or nothing.
    null, power : callable
        Make the effects out of noise and cause; without a `power` only the size is measured.
    alternative : str
        What is planted, in words.
    replications : int
    n, width : int
        Sessions, and number of noises.
    history : int
        Sessions before the first of the n.
    correlation : float
        Correlation of the shocks of a session.
    shared : bool
        Whether the noises share a part of their shocks.
    reverse : bool
        Whether cause and first noise change places under the null: for tests that spillover itself would satisfy.
    """

    name: str
    test: Test
    null: Link
    power: Link | None
    alternative: str
    replications: int = 300
    n: int = 2000
    width: int = 1
    history: int = 0
    correlation: float = 0.0
    shared: bool = True
    reverse: bool = False


# Sessions of the longest sample, those all assets have in common, those around an event; assets, and columns of a pair
# of portfolios. The other trials have the sessions of the median asset.
LONG, COMMON, AROUND, ASSETS, LOADED = 3000, 1500, 2 * change.STABILITY.window, 11, 3
_ALL, _SUM = size.DYNAMICS.horizon, size.DYNAMICS.sum_horizon
_HISTORY, _MERGE = change.EVENTS.history_sessions, change.EVENTS.merge_sessions
_SAME, _ASIDE = link(0.4), link(size.RESPONSE)
_MOVES, _WAKES, _STATE = shift(0.3, 0.5), shift(0.0, 0.2, lag=1), in_state(0.0, 0.2, lag=1)
_FALLS, _LATE, _FOLLOWS = sided(0.6, 0.2), spread(0.5, late=20), volatility_follows(0.3)
_MOVES_TEXT, _WAKES_TEXT = "response 0.3, then 0.5", "lead 0, then 0.2"
_STATE_TEXT, _FALLS_TEXT = "lead 0 calm, 0.2 turbulent", "response 0.6 in falls, 0.2 in rises"
_FOLLOWS_TEXT = "variance times 1 + 0.3 of the squared cause"
_TURBULENT_TEXT, _LATE_TEXT = "response 0.3 calm, 0.5 turbulent", "a fifth of every second response a session later"

# fmt: off
TRIALS: tuple[Trial, ...] = (
    Trial("returns after records", change.matched_events, apart, after_records(0.25, 21, _HISTORY, _MERGE),
          "0.25 a session for 21 sessions", 60, LONG, history=_HISTORY),
    Trial("response: breaks", change.breaks, _SAME, _MOVES, _MOVES_TEXT, replications=40),
    Trial("response beside a driver: break", change.response_break, _SAME, _MOVES, _MOVES_TEXT, width=2,
          replications=100),
    Trial("response: drift", change.drift, _SAME, _MOVES, _MOVES_TEXT),
    Trial("lead: break", change.lead_break, apart, _WAKES, _WAKES_TEXT, replications=100),
    Trial("lead at some date", change.instability, apart, _WAKES, _WAKES_TEXT, replications=60),
    Trial("correlation: break", change.correlation_constancy, apart, shift(-0.1, 0.1),
          "correlation about 0.15, then 0.35", correlation=0.25),
    Trial("response around an event", change.event_link(0), _SAME, shift(0.3, 0.7), "response 0.3, then 0.7", n=AROUND),
    Trial("lead around an event", change.event_link(change.STABILITY.lags), apart, shift(0.0, 0.4, lag=1),
          "lead 0, then 0.4", n=AROUND),
    Trial("declared events against other dates", change.event_placebo, _SAME, at_dates(0.2, 0.6),
          "response 0.2 and 0.6 in turn", n=LONG, width=ASSETS, replications=30),
    Trial("threshold: response", change.threshold(0), _SAME, in_state(0.3, 0.5), _TURBULENT_TEXT),
    Trial("threshold: lead", change.threshold(change.STATE_LAGS), apart, _STATE, _STATE_TEXT),
    Trial("hidden regimes: lead differs", change.hidden("equal"), apart, hidden_lead(0.3),
          "lead 0 in calm, 0.3 in turbulent spells", replications=50),
    Trial("hidden regimes: lead in any", change.hidden("none"), apart, link(later=0.1), "lead 0.1", replications=50),
    Trial("states: lead", change.state_lead, apart, _STATE, _STATE_TEXT),
    Trial("states: correlation", change.state_link, apart, in_spells(-0.1, 0.1),
          "correlation about 0.15 and 0.35", correlation=0.25),
    Trial("states: response path", change.state_response, _SAME, in_state(0.3, 0.5), _TURBULENT_TEXT),
    Trial("states: downside beta", change.state_downside, _SAME, falls_in_state(0.8, 0.4),
          "0.8 for falls in turbulence, else 0.4"),
    Trial("equal responses: path", size.equality("path", 0, _ALL), _ASIDE, spread(0.5, 0.6),
          "response 0.5 and 0.6 in turn", n=COMMON, width=ASSETS, replications=200),
    Trial("equal responses: later path", size.equality("path", 1, _ALL), _ASIDE, _LATE, _LATE_TEXT, n=COMMON,
          width=ASSETS, replications=200),
    Trial("equal responses: timing", size.equality("timing", 0, _SUM), _ASIDE, _LATE, _LATE_TEXT, n=COMMON,
          width=ASSETS),
    Trial("equal responses: size", size.equality("size", 0, _SUM), _ASIDE, spread(0.5, 0.8),
          "response 0.5 and 0.8 in turn", n=COMMON, width=ASSETS),
    Trial("response: later sessions", size.later_response, _ASIDE, link(0.5, 0.1), "lead 0.1"),
    Trial("response: 95% interval misses", size.response_interval, _ASIDE, None, ""),
    Trial("size of shocks, alone", size.shock_size(False), apart, _FOLLOWS, _FOLLOWS_TEXT, width=2, reverse=True),
    Trial("size of shocks, beside a driver", size.shock_size(True), apart, _FOLLOWS, _FOLLOWS_TEXT, width=2,
          reverse=True),
    Trial("squared shocks, without one session", size.one_session, apart, _FOLLOWS, _FOLLOWS_TEXT,
          replications=100, reverse=True),
    Trial("correlation: constant", size.moving_correlation, apart, wave(0.2, 250),
          "swings by ±0.2 within 250 sessions", 100, correlation=0.25),
    Trial("joint extremes: falls, rises", size.tails, _SAME, _FALLS, _FALLS_TEXT),
    Trial("exceedance correlation", size.exceedance, _SAME, _FALLS, _FALLS_TEXT, replications=200),
    Trial("downside beta", size.downside, _SAME, _FALLS, _FALLS_TEXT),
    Trial("co-movement of tails: falls, rises", size.covar, _SAME, _FALLS, _FALLS_TEXT, replications=100),
    Trial("betas to a shock", size.betas, _SAME, spread(0.4, 0.3), "betas 0.4 and 0.3", n=LONG, width=2),
    Trial("monthly volatility", size.volatility, apart, wider(1.1), "ten percent larger", n=LONG, width=2),
    Trial("illiquidity", size.illiquidity, apart, wider(1.1), "ten percent larger", n=LONG, width=2),
    Trial("loadings, same session", size.loadings(0), portfolios(0.2, 0.2), portfolios(0.3, 0.1),
          "loadings 0.3 and 0.1", width=LOADED, shared=False),
    Trial("loadings, past returns", size.loadings(2), portfolios(0.0, 0.0), portfolios(0.1, -0.1, lag=1),
          "loadings 0.1 and -0.1", width=LOADED, shared=False),
    Trial("forecast gain (Clark–West)", size.gain, apart, link(later=0.1), "lead 0.1"),
    Trial("forecast direction", size.direction, apart, link(later=0.1), "lead 0.1"),
    Trial("timing rule, net of costs", size.timing, apart, link(later=0.1), "lead 0.1"),
)
# fmt: on
