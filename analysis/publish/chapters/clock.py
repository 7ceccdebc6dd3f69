"""The exhibits of the hourly demonstration: the same days, read at three instants."""

from __future__ import annotations

import pandas as pd

from analysis.figures import lags
from analysis.figures.style import FigureSpec
from analysis.publish.anchors import marked
from analysis.publish.values import field_text, format_value
from analysis.stats.crosscorr import CrossCorrelation
from analysis.study.areas.clock import READINGS, WORDS
from analysis.study.calls import key
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.study.verdicts import is_significant
from analysis.tables.table import Column, TableSpec

FIGURES = ("clock-readings",)
_TITLES = {"close": "Read at the equity close", "after": "Midnight UTC after it", "before": "Midnight UTC before it"}


def figures(ledger: Ledger, inputs: Inputs) -> dict[str, FigureSpec]:
    """Return the correlations of the first asset with hourly prices under the three readings."""
    asset = _first(ledger, inputs)
    if asset is None:
        return {}
    rows = []
    for reading in READINGS:
        result = ledger.entry(f"{_base(inputs, asset, reading)}.lag-0").loaded()
        if not isinstance(result, CrossCorrelation):
            return {}
        frame = result.to_frame()
        rows.append(
            pd.DataFrame(
                {
                    "reading": reading,
                    "lag": frame["lag"].astype(int),
                    "estimate": frame["estimate"],
                    "band": frame["band_robust"],
                    "thin": result.band_standard,
                }
            )
        )
    label, span = inputs.label(asset), _span(ledger.entry(f"{_base(inputs, asset, 'close')}.lag-0"))
    caption = (
        f"The same sessions of small caps and {label}, {span}, read at three instants. Shaded: robust 95% band around "
        "zero; dashed: the textbook band."
    )
    frame = pd.concat(rows, ignore_index=True)
    return {FIGURES[0]: lags.readings(frame, name=FIGURES[0], caption=caption, asset=label, titles=_TITLES)}


def tables(ledger: Ledger, inputs: Inputs) -> dict[str, TableSpec]:
    """Return correlation and leads of each asset under each reading."""
    columns = (
        Column("Asset", weight=10),
        Column("Crypto read at", weight=18),
        Column("Same session, 95% interval", weight=20),
        Column("Small caps one session before, 95% interval", weight=20),
        Column("p adj., small caps lead", "right", weight=10),
        Column("p adj., crypto leads", "right", weight=10),
        Column("N", "right", weight=6),
    )
    rows = []
    small = key(inputs.plan.small_cap)
    for asset in inputs.config.clock.assets:
        for reading in READINGS:
            base = _base(inputs, asset, reading)
            leads = [
                ledger.entry(f"clock-lead.{pair}.{reading}")
                for pair in (f"{small}.{key(asset)}", f"{key(asset)}.{small}")
            ]
            entry = next(item for item in ledger.family("clock-correlation") if item.id.startswith(base))
            if entry.status != "ok":
                cells = [marked(entry, f"not applicable: {entry.reason}"), "–"]
            else:
                cells = [_cell(ledger.entry(f"{base}.{lag}")) for lag in ("lag-0", "lag-1")]
            rows.append((_label(inputs, asset), _TITLES[reading].removeprefix("Read at ").lower().replace("utc", "UTC"),
                         *cells, *(_p(item) for item in leads), _count(leads[0])))  # fmt: skip
    caption = (
        "The same sessions under three readings of the crypto day. A lead of small caps is strictly predictive at the "
        "close and at the midnight after it, a lead of crypto at the close and at the midnight before it; false "
        "discovery rate over the assets of a reading. N: rows of the tests of a lead; the close is read from hourly "
        "prices, the midnights from the daily bars."
    )
    return {"clock-readings": TableSpec("clock-readings", columns, tuple(rows), caption)}


def sentences(ledger: Ledger, inputs: Inputs) -> dict[str, str]:
    """Say what the instant of reading does to the lead of the first asset with hourly prices."""
    asset = _first(ledger, inputs)
    if asset is None:
        return {"answer": "No hourly prices were supplied, so that the instants of daily bars could not be compared."}
    small, level = key(inputs.plan.small_cap), inputs.config.level
    at = {
        reading: [ledger.entry(f"{_base(inputs, asset, reading)}.{lag}") for lag in ("lag-0", "lag-1")]
        for reading in READINGS
    }
    leads = {reading: ledger.entry(f"clock-lead.{small}.{key(asset)}.{reading}") for reading in READINGS}
    p = {reading: format_value(entry.pvalue_adjusted, "p_equation") for reading, entry in leads.items()}
    said = "a lead" if is_significant(leads["before"], level) else "no lead"
    truth = "a lead" if is_significant(leads["close"], level) else "none"
    label = inputs.label(asset)
    return {
        "answer": (
            f"From {_span(at['close'][0])}, read at the equity close, small caps and {label} correlate at "
            f"{field_text(at['close'][0], 'estimate')} in the same session and at "
            f"{field_text(at['close'][1], 'estimate')} when small caps come one session first. "
            f"Read {WORDS['before']}, daily bars of the same sessions show "
            f"{field_text(at['before'][0], 'estimate')} and "
            f"{field_text(at['before'][1], 'estimate')}, and a test of causality reports {said} of small caps "
            f"(p adj. {p['before']}) where the close shows {truth} (p adj. {p['close']})."
        )
    }


def _span(entry: Entry) -> str:
    return f"{entry.start} to {entry.end}"


def _first(ledger: Ledger, inputs: Inputs) -> str | None:
    small = key(inputs.plan.small_cap)
    return next(
        (
            asset
            for asset in inputs.config.clock.assets
            if all(
                any(item.id == f"{_base(inputs, asset, reading)}.lag-0" for item in ledger.family("clock-correlation"))
                and ledger.entry(f"clock-lead.{small}.{key(asset)}.{reading}").pvalue_adjusted is not None
                for reading in READINGS
            )
        ),
        None,
    )


def _base(inputs: Inputs, asset: str, reading: str) -> str:
    return f"clock.{key(inputs.plan.small_cap)}.{key(asset)}.{reading}"


def _label(inputs: Inputs, asset: str) -> str:
    return inputs.label(asset) if asset in inputs.catalog else asset


def _cell(entry: Entry) -> str:
    return marked(entry, field_text(entry, "effect"))


def _p(entry: Entry) -> str:
    return marked(entry, field_text(entry, "p_adj") if entry.status == "ok" else "n/a")


def _count(entry: Entry) -> str:
    return field_text(entry, "n") if entry.status == "ok" else "–"
