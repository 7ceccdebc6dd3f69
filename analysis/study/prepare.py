"""From a frozen snapshot to the arrays a study works on: both clocks, the states, and the plan for what is there."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.errors import ConfigError, DataError
from analysis.market import calendars, panel, states
from analysis.market.catalog import Catalog
from analysis.market.panel import Panel
from analysis.market.snapshot import Snapshot
from analysis.stats.lagged import Floats
from analysis.study.calls import Plan
from analysis.study.config import Clock, StudyConfig
from analysis.study.plan import declare

FEWEST_ROWS = 250
LEAST_COVERAGE = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """Everything the tests of a study read.

    Attributes
    ----------
    panels : mapping of clock to Panel
        The same sessions and series under both admissible clocks.
    states : DataFrame of shape (n_rows, n_states)
        On the rows of the panels: 1 in the state, 0 out of it, NaN where unknown.
    state_rules, state_missing : mapping of name to text
        The rule of each state that could be built, and the reason for each that could not.
    state_series : tuple of str
        Series the states rest on.
    """

    config: StudyConfig
    plan: Plan
    snapshot: Snapshot
    catalog: Catalog
    panels: Mapping[Clock, Panel]
    states: pd.DataFrame
    state_rules: Mapping[str, str]
    state_missing: Mapping[str, str]
    state_series: tuple[str, ...]

    @property
    def dates(self) -> pd.DatetimeIndex:
        """Rows of the panels."""
        return self.panels["after"].dates

    def label(self, series_id: str) -> str:
        """Return the short name of a series for people."""
        return str(self.catalog.entry(series_id).short)

    def returns(self, clock: Clock, names: tuple[str, ...]) -> Floats:
        """Return the columns of the named series, shape (n_rows, len(names))."""
        return self.panels[clock].returns[list(names)].to_numpy(dtype=np.float64)

    def twin_rows(self, clock: Clock, effect: str, cause: str) -> tuple[Floats, Floats, Floats, pd.DatetimeIndex]:
        """Return effect, cause and controls on common rows, and the dates that have all of them.

        A row that lacks any of them is NaN in all, so that a bivariate test and its conditional twin rest on the very
        same observations and differ by the conditioning alone.
        """
        controls = self.returns(clock, self.plan.controls) if self.plan.controls else np.empty((len(self.dates), 0))
        block = np.column_stack([self.returns(clock, (effect, cause)), controls])
        complete = np.isfinite(block).all(axis=1)
        block[~complete] = np.nan
        return block[:, 0], block[:, 1], block[:, 2:], self.dates[complete]


def prepare(config: StudyConfig, snapshot: Snapshot, catalog: Catalog) -> Inputs:
    """Resolve the series of a study against a snapshot and align them.

    Raises
    ------
    ConfigError
        The study names a series the catalogue does not know, or too few are there to study anything.
    """
    plan_series = _resolve(config, snapshot, catalog)
    small_cap, crypto, controls, substitutions, missing = plan_series
    end = pd.Timestamp(config.end or snapshot.cutoff)
    ids = (small_cap, *crypto, *controls)
    clocks: tuple[Clock, ...] = ("after", "before")
    panels: dict[Clock, Panel] = {
        clock: panel.build(
            snapshot, catalog, ids=ids, start=pd.Timestamp(config.start), end=end, clock=clock, weekend=config.weekend
        )
        for clock in clocks
    }
    _check_overlap(panels["after"], small_cap, crypto)
    sessions = calendars.nyse(pd.Timestamp(config.start), end)
    built = states.build(snapshot, catalog, sessions, options=states.StateOptions(small_cap=small_cap))
    known = [*built.frame.columns, *built.missing]
    for name in config.states:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise ConfigError(
                "the study names an unknown state",
                given=name,
                limit=", ".join(known),
                remedy=f"did you mean {near[0]}" if near else "choose from the list",
            )
    catalog.entry(config.small_cap_total_return)
    frame = built.frame.reindex(panels["after"].dates, method="ffill")
    plan = declare(
        config,
        small_cap=small_cap,
        crypto=crypto,
        controls=controls,
        substitutions=substitutions,
        missing=missing,
    )
    _check_strictness(plan, panels)
    return Inputs(
        config=config,
        plan=plan,
        snapshot=snapshot,
        catalog=catalog,
        panels=panels,
        states=frame,
        state_rules={name: "; ".join((item.rule, *item.notes)) for name, item in built.descriptions.items()},
        state_missing={name: reason for name, reason in built.missing.items() if name in config.states},
        state_series=tuple(
            sorted(
                {key for name in config.states if name in built.descriptions for key in built.descriptions[name].series}
            )
        ),
    )


_Resolved = tuple[str, tuple[str, ...], tuple[str, ...], tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]


def _resolve(config: StudyConfig, snapshot: Snapshot, catalog: Catalog) -> _Resolved:
    """Replace absent series by their declared alternatives, and name those that stay absent with the reason."""
    substitutions: list[tuple[str, str]] = []
    missing: list[tuple[str, str]] = []

    def pick(names: tuple[str, ...], usable: Callable[[str], str]) -> tuple[str, ...]:
        chosen: list[str] = []
        for name in names:
            candidates = [key for key in (name, *catalog.entry(name).alternatives) if key in snapshot.series]
            reasons = {key: usable(key) for key in candidates}
            found = next((key for key in candidates if not reasons[key]), None)
            if found is None:
                absent = snapshot.missing.get(name, "not in the data, nor is any of its alternatives")
                missing.append((name, "; ".join(reasons.values()) or absent))
            elif found in chosen:
                missing.append((name, f"{found} serves already"))
            else:
                chosen.append(found)
                if found != name:
                    substitutions.append((name, found))
        return tuple(chosen)

    small = pick((config.small_cap,), lambda _: "")
    crypto = pick(config.crypto, lambda _: "")
    if not small or not crypto:
        what = "small-cap" if not small else "crypto"
        raise ConfigError(
            f"the snapshot has no {what} series the study can use",
            given=", ".join((config.small_cap,) if not small else config.crypto),
            limit=f"the snapshot holds {', '.join(snapshot.series)}",
            remedy="supply one of them as a CSV file named after its id",
        )
    controls = pick(config.controls, lambda key: _too_short(key, small[0], crypto[0], config, snapshot))
    return small[0], crypto, controls, tuple(substitutions), tuple(missing)


def _too_short(control: str, small_cap: str, asset: str, config: StudyConfig, snapshot: Snapshot) -> str:
    """Return why a control may not be used, or nothing: one short control would cut the sample of every test."""
    days = snapshot.frame(small_cap).index
    traded = snapshot.frame(asset).index
    first, last = max(traded[0], pd.Timestamp(config.start)), min(traded[-1], pd.Timestamp(config.end or traded[-1]))
    wanted = days[(days >= first) & (days <= last)]
    known = snapshot.frame(control).index
    share = float(((wanted >= known[0]) & (wanted <= known[-1])).mean()) if len(wanted) else 0.0
    if share >= LEAST_COVERAGE:
        return ""
    return f"{control} covers {share:.0%} of the sessions, less than {LEAST_COVERAGE:.0%}"


def _check_strictness(plan: Plan, panels: Mapping[Clock, Panel]) -> None:
    """Refuse a plan that calls a lead strictly predictive where the instants of the data say otherwise."""
    for call in plan.calls:
        if call.kind != "granger" or not call.strict:
            continue
        hours = panels[call.clock].overlap_hours(call.effect, call.cause)
        if hours > 0:
            raise DataError(
                f"a lead of {call.cause} over {call.effect} is not strictly predictive under clock {call.clock!r}",
                given=f"the cause reaches {hours:.1f} hours into the window of the effect",
                cause="the catalogue declares observation times that do not fit the study",
                remedy="correct `observed` of the series in data/catalog.toml",
            )


def _check_overlap(aligned: Panel, small_cap: str, crypto: tuple[str, ...]) -> None:
    """Refuse a study in which no asset shares enough sessions with the small-cap series."""
    small = aligned.returns[small_cap].notna()
    counts = {name: int((small & aligned.returns[name].notna()).sum()) for name in crypto}
    if max(counts.values()) < FEWEST_ROWS:
        raise DataError(
            f"{small_cap} and the crypto series share too few sessions",
            given=", ".join(f"{name}: {count}" for name, count in counts.items()),
            limit=f"at least {FEWEST_ROWS} common sessions for one asset",
            cause="the files cover different years",
            remedy="supply series that overlap in time, or move the start of the study",
        )
