"""Map results onto ledger entries with the context of the call they answer."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.results import Result
from analysis.study.calls import Call, Family
from analysis.study.entry import Entry


def to_entry(
    result: Result,
    call: Call,
    family: Family,
    dates: pd.DatetimeIndex,
    pvalue: float | None = None,
    *,
    suffix: str = "",
    family_name: str = "",
) -> Entry:
    """Map a result onto the ledger with the context of its call."""
    return Entry.from_result(
        result,
        id=call.id + suffix,
        family=family_name or family.name,
        claims=family.claims,
        effect=call.effect,
        cause=call.cause,
        clock=call.clock if call.cause else "",
        given=call.given,
        state=call.state,
        pvalue=pvalue,
        start=day(dates, 0),
        end=day(dates, -1),
        strict=call.strict,
        headline=family.headline,
    )


def context(call: Call, family: Family, dates: pd.DatetimeIndex) -> dict[str, Any]:
    """Return the columns that follow from the call alone."""
    return {
        "family": family.name,
        "claims": family.claims,
        "effect": call.effect,
        "cause": call.cause,
        "clock": call.clock,
        "given": call.given,
        "state": call.state,
        "start": day(dates, 0),
        "end": day(dates, -1),
        "strict": call.strict,
        "headline": family.headline,
    }


def day(dates: pd.DatetimeIndex, position: int) -> str:
    """Return one of the dates as ISO text; empty where there are none."""
    return "" if len(dates) == 0 else str(dates[position].date())
