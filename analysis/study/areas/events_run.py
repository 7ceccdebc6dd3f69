"""Run the event studies of an area: joint comparisons with matched dates, the usual tests, paths and counts."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from analysis.market.calendars import day_numbers
from analysis.market.events import KINDS
from analysis.results import Absent, Inapplicable
from analysis.stats.eventstudy import event_study
from analysis.stats.eventstudy.matched import MatchedStudy, matched_event_study
from analysis.stats.eventstudy.result import EventStudyResult
from analysis.stats.eventstudy.rotation import Rotation, joint_pvalues
from analysis.study.areas.events_data import BASES, BASKET, calendar, matches, returns_percent
from analysis.study.areas.events_variants import VARIANTS, Variant
from analysis.study.calls import Call, Family, key
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.mapping import context, to_entry

PATH_STEP = 3
METHOD = "Matched event study"
NO_MARKET = "no large-cap series is in the data"
PERCENT = "percent"

Compared = list[tuple[Entry, Rotation | None]]


def run_record(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Compare returns after record episodes with those after matched dates, over all assets and horizons jointly."""
    variant, settings = VARIANTS[family.name], inputs.config.events
    found = calendar(inputs, variant.basis, spacing=settings.spacing_sessions if variant.spaced else 0)
    horizons = (settings.run_up,) if variant.run_up else settings.horizons
    small = key(inputs.plan.small_cap)
    calls = {
        asset: dataclasses.replace(call, id=f"{variant.prefix}.{small}.{key(asset)}", effect=asset)
        for asset in _assets(inputs, variant)
    }
    reason = found if isinstance(found, str) else NO_MARKET if variant.market and not call.given else ""
    if isinstance(found, str) or reason:
        return _absent(reason, list(calls.values()), horizons, family, inputs)
    shift = settings.run_up if variant.run_up else 0
    positions = [row - shift for row in found.positions if row >= shift]
    excluded = np.concatenate([found.record_days[shift:], np.zeros(shift, dtype=bool)])
    like = matches(inputs, inputs.plan.small_cap, excluded=excluded)
    market = returns_percent(inputs, call.given[0]) if call.given else None
    compared: Compared = []
    for asset, one in calls.items():
        study = matched_event_study(
            returns_percent(inputs, asset), positions, like, horizons=horizons, estimation=settings.estimation,
            market=market, neighbours=settings.neighbours, level=1 - inputs.config.level,
            min_events=settings.least_events, unit=PERCENT,
        )  # fmt: skip
        compared += _entries(study, one, family, inputs)
    return _corrected(compared)


def run_declared(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Compare returns after each kind of declared event, its own day included, with those after matched dates."""
    settings = inputs.config.events
    effects = (inputs.plan.crypto[0], BASKET, inputs.plan.small_cap)
    rows = {kind: declared_rows(inputs, kind) for kind in KINDS}
    barred = np.zeros(len(inputs.dates), dtype=bool)
    barred[[row for found in rows.values() for row in found]] = True
    like = matches(inputs, inputs.plan.crypto[0], first=0, excluded=barred)
    compared: Compared = []
    for kind in KINDS:
        for effect in effects:
            one = dataclasses.replace(call, id=f"event-{kind}.{key(effect)}", effect=effect, detail=kind)
            study = matched_event_study(
                returns_percent(inputs, effect), np.array(rows[kind], dtype=np.int64), like,
                horizons=settings.declared_horizons, estimation=settings.estimation, neighbours=settings.neighbours,
                level=1 - inputs.config.level, min_events=settings.least_declared, unit=PERCENT,
            )  # fmt: skip
            compared += _entries(study, one, family, inputs)
    return _corrected(compared)


def declared_rows(inputs: Inputs, kind: str) -> list[int]:
    """Return the row of each declared event of a kind: the first session that ends on its day or later.

    Events of one kind that lie closer than the shortest horizon are one story, dated by its first day.
    """
    days = day_numbers(inputs.dates)
    rows: list[int] = []
    for event in inputs.events:
        row = int(np.searchsorted(days, int(np.datetime64(event.day, "D").astype(int))))
        apart = not rows or row - rows[-1] >= inputs.config.events.declared_horizons[0]
        if event.kind == kind and days.size > row and event.day >= inputs.dates[0].date() and apart:
            rows.append(row)
    return rows


def run_tests(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Run the tests others report on mean-adjusted and market-model abnormal returns; one entry a horizon."""
    settings = inputs.config.events
    found = calendar(inputs, "close")
    wants_market = call.detail == "market"
    reason = found if isinstance(found, str) else NO_MARKET if wants_market and not call.given else ""
    if isinstance(found, str) or reason:
        return _absent(reason, [call], settings.horizons, family, inputs)
    returns = returns_percent(inputs, call.effect)
    result = event_study(
        returns,
        found.positions,
        market=returns_percent(inputs, call.given[0]) if wants_market else None,
        window=(0, settings.horizons[-1]),
        estimation=settings.estimation,
        horizons=settings.horizons,
        level=1 - inputs.config.level,
        min_events=settings.least_events,
    )
    if not isinstance(result, EventStudyResult):
        return _absent(result.reason, [call], settings.horizons, family, inputs)
    rows = {int(row["horizon"]): row for row in result.statistics.to_dict("records")}
    shared = context(call, family, inputs.dates[np.isfinite(returns)])
    entries = []
    for end in settings.horizons:
        if end not in rows:
            entries += _absent(f"too few events have an outcome over {end} sessions", [call], (end,), family, inputs)
            continue
        row = rows[end]
        entries.append(
            Entry(
                id=f"{call.id}.h{end}",
                method=result.method,
                statistic=row["adjusted"],
                df=f"{row['adjusted_df']:g}",
                pvalue=row["adjusted_pvalue"],
                estimate=row["estimate"],
                estimate_name=f"average cumulative abnormal return, {PERCENT}",
                lower=row["lower"],
                upper=row["upper"],
                level=result.interval_level,
                nobs=int(row["nobs"]),
                nobs_lost=len(found.positions) - int(row["nobs"]),
                summary=result.summary(),
                result=result.to_json() if end == result.headline else "",
                **shared,
            )
        )
    return entries


def run_path(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Record the average path after record closes, that of matched dates, and the band of placebo calendars."""
    settings, found = inputs.config.events, calendar(inputs, "close")
    if isinstance(found, str):
        return [to_entry(Inapplicable(method=METHOD, reason=found), call, family, inputs.dates[:0])]
    last = settings.horizons[-1]
    returns = returns_percent(inputs, call.effect)
    study = matched_event_study(
        returns, found.positions, matches(inputs, inputs.plan.small_cap, excluded=found.record_days),
        horizons=(last,), estimation=settings.estimation, neighbours=settings.neighbours,
        level=1 - inputs.config.level, min_events=settings.least_events,
        path=sorted({*range(1, last + 1, PATH_STEP), *settings.horizons}), unit=PERCENT,
    )  # fmt: skip
    if study.path is None:
        absent = study.results[0]
        reason = absent.reason if isinstance(absent, Absent) else "no path could be computed"
        return [to_entry(Inapplicable(method=METHOD, reason=reason), call, family, inputs.dates[:0])]
    shared = context(call, family, inputs.dates[np.isfinite(returns)])
    text, result = study.path.summary(), study.path.to_json()
    return [Entry(id=call.id, method=f"{METHOD}, path", summary=text, result=result, **shared)]


def run_episodes(call: Call, family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Count the episodes of record highs that start in the study."""
    basis = next(name for name in BASES if name == call.detail)
    found = calendar(inputs, basis)
    if isinstance(found, str):
        return [to_entry(Inapplicable(method="Record-high episodes", reason=found), call, family, inputs.dates[:0])]
    days = ", ".join(str(episode.start) for episode in found.episodes)
    return [
        Entry(
            id=call.id,
            method="Record-high episodes",
            estimate=float(len(found.episodes)),
            estimate_name="episodes of record highs",
            nobs=int(found.record_days.sum()),
            summary=f"{len(found.episodes)} episodes, from {int(found.record_days.sum())} record days: {days}",
            **context(call, family, inputs.dates),
        )
    ]


def _assets(inputs: Inputs, variant: Variant) -> tuple[str, ...]:
    first, *others = inputs.plan.crypto
    chosen = {
        "bitcoin": (first,),
        "altcoins": (*others, BASKET),
        "pair": (first, BASKET),
        "all": (first, *others, BASKET),
    }
    return chosen[variant.assets]


def _entries(study: MatchedStudy, call: Call, family: Family, inputs: Inputs) -> Compared:
    dates = inputs.dates[np.isfinite(returns_percent(inputs, call.effect))]
    return [
        (to_entry(result, call, family, dates, suffix=f".h{end}"), rotation)
        for end, result, rotation in zip(study.horizons, study.results, study.rotations, strict=True)
    ]


def _corrected(compared: Compared) -> list[Entry]:
    """Correct all comparisons of a family jointly; those that could not be made stay in the denominator."""
    rotations = [rotation for _, rotation in compared if rotation is not None]
    if not rotations:
        return [entry for entry, _ in compared]
    adjusted = iter(joint_pvalues(rotations, family_size=len(compared)).tolist())
    label = f"Romano-Wolf step-down over {len(compared)} tests"
    return [
        entry if rotation is None else dataclasses.replace(entry, pvalue_adjusted=next(adjusted), adjustment=label)
        for entry, rotation in compared
    ]


def _absent(reason: str, calls: Sequence[Call], horizons: Sequence[int], family: Family, inputs: Inputs) -> list[Entry]:
    absent = Inapplicable(method=METHOD, reason=reason)
    return [to_entry(absent, call, family, inputs.dates[:0], suffix=f".h{end}") for call in calls for end in horizons]
