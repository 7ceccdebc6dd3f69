"""From a frozen snapshot to the arrays a study works on: both clocks, the states, and the plan for what is there."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping

import pandas as pd

from analysis.errors import ConfigError, DataError
from analysis.market import calendars, panel, states
from analysis.market.catalog import Catalog
from analysis.market.events import Event
from analysis.market.panel import Panel
from analysis.market.snapshot import Snapshot
from analysis.study.area import Subjects
from analysis.study.areas.registry import chosen
from analysis.study.calls import Plan
from analysis.study.config import Clock, StudyConfig
from analysis.study.inputs import Inputs
from analysis.study.plan import declare

FEWEST_ROWS = 250
LEAST_COVERAGE = 0.8


def prepare(config: StudyConfig, snapshot: Snapshot, catalog: Catalog, *, events: tuple[Event, ...] = ()) -> Inputs:
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
        series=snapshot.series,
        events=events,
    )
    subjects = Subjects(config, small_cap, crypto, controls, snapshot.series, events)
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
        events=events,
        area_series=tuple(
            sorted({key for area in chosen(config) for key in area.series(subjects) if key in snapshot.series})
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
        if not call.strict or not {call.effect, call.cause} <= set(panels[call.clock].ids):
            continue
        # A correlation looks both ways: on its lagging side the roles are exchanged.
        effect, cause = (call.cause, call.effect) if call.side == "lag" else (call.effect, call.cause)
        hours = panels[call.clock].overlap_hours(effect, cause)
        if hours > 0:
            raise DataError(
                f"a lead of {cause} over {effect} is not strictly predictive under clock {call.clock!r}",
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
