"""One row of the ledger: an estimate with everything a reader needs to judge it, or the reason there is none."""

from __future__ import annotations

import datetime
import functools
import importlib
import json
import math
import pkgutil
import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np

from analysis import stats
from analysis.errors import InputError, LedgerError
from analysis.results import Absent, Inapplicable, Result, TestResult, from_dict, known_kinds

STATUSES: Final = ("ok", "inapplicable", "failed")

LIST_COLUMNS: Final = ("claims", "given")
FLOAT_COLUMNS: Final = ("statistic", "pvalue", "pvalue_adjusted", "estimate", "lower", "upper", "level")
INTEGER_COLUMNS: Final = ("nobs", "nobs_lost", "lags")
FLAG_COLUMNS: Final = ("strict", "headline")

_ID: Final = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One estimate, or the reason why there is none.

    Attributes
    ----------
    id, family : str
        Stable dotted lower-case id, and the family whose size is the denominator of the correction.
    claims, given : tuple of str
        Claims the estimate speaks to; series it is conditional on.
    method, effect, cause, clock, state : str
        What was done to which series; empty where it has no meaning.
    status, reason : str
        ``"ok"``, ``"inapplicable"`` or ``"failed"``; the last two give a reason and hold no numbers.
    statistic, pvalue, pvalue_adjusted, estimate : float or None
        None where there is none; NaN and infinity are refused.
    df, adjustment, estimate_name : str
        Degrees of freedom as text, name of the correction, and what the estimate is, with its unit.
    lower, upper, level : float or None
        Confidence interval and its level; one end alone is a one-sided interval.
    nobs, nobs_lost, lags : int or None
        Rows used, rows lost to lags and gaps, lag order.
    start, end : str
        First and last date of the sample, ISO; empty where a sample has no dates.
    strict : bool or None
        Whether a lead would be strictly predictive under this clock; None where the question has no meaning.
    headline : bool
        Whether the estimate belongs to the headline family.
    summary, result : str
        The result in words, and its canonical JSON (`loaded` rebuilds it).
    """

    id: str
    family: str
    claims: tuple[str, ...] = ()
    method: str = ""
    effect: str = ""
    cause: str = ""
    clock: str = ""
    given: tuple[str, ...] = ()
    state: str = ""
    status: str = "ok"
    reason: str = ""
    statistic: float | None = None
    df: str = ""
    pvalue: float | None = None
    pvalue_adjusted: float | None = None
    adjustment: str = ""
    estimate: float | None = None
    estimate_name: str = ""
    lower: float | None = None
    upper: float | None = None
    level: float | None = None
    nobs: int | None = None
    nobs_lost: int | None = None
    lags: int | None = None
    start: str = ""
    end: str = ""
    strict: bool | None = None
    headline: bool = False
    summary: str = ""
    result: str = ""

    def __post_init__(self) -> None:
        for item in fields(self):
            object.__setattr__(self, item.name, _checked(item.name, getattr(self, item.name)))
        check_id(self.id)
        check_id(self.family)
        _check_status(self)
        _check_numbers(self)
        _check_dates(self)

    @classmethod
    def from_result(
        cls,
        result: Result,
        *,
        id: str,
        family: str,
        claims: Iterable[str] = (),
        effect: str = "",
        cause: str = "",
        clock: str = "",
        given: Iterable[str] = (),
        state: str = "",
        pvalue: float | None = None,
        pvalue_adjusted: float | None = None,
        adjustment: str = "",
        start: str = "",
        end: str = "",
        strict: bool | None = None,
        headline: bool = False,
    ) -> Entry:
        """Map a test result, or the reason there is none, onto the columns.

        Parameters
        ----------
        result : TestResult or Inapplicable or Failed
            An infinite end of its interval becomes None: the interval is one-sided.
        pvalue : float, optional
            The p-value to report where the result offers several (a bootstrap p-value, for instance); by default
            ``result.pvalue``. Ignored when there is no result.

        Returns
        -------
        Entry

        Raises
        ------
        InputError
            The result is of another kind, or a number is not finite.
        """
        context: dict[str, Any] = {
            "id": id,
            "family": family,
            "claims": claims if isinstance(claims, str) else tuple(claims),
            "effect": effect,
            "cause": cause,
            "clock": clock,
            "given": given if isinstance(given, str) else tuple(given),
            "state": state,
            "start": start,
            "end": end,
            "strict": strict,
            "headline": headline,
        }
        if isinstance(result, Absent):
            status = "inapplicable" if isinstance(result, Inapplicable) else "failed"
            context |= {"summary": result.summary(), "result": result.to_json()}
            return cls(**context, method=result.method, status=status, reason=result.reason, adjustment=adjustment)
        if not isinstance(result, TestResult):
            raise InputError(
                "a ledger entry is made from a test result",
                given=type(result).__name__,
                limit="TestResult, Inapplicable, Failed",
                remedy="build the Entry by hand from the numbers the result holds",
            )
        numbers = _numbers(result)
        if pvalue is not None:
            numbers["pvalue"] = pvalue
        return cls(**context, **numbers, pvalue_adjusted=pvalue_adjusted, adjustment=adjustment)

    def loaded(self) -> Result:
        """Return the full result this entry was made from; raises LedgerError when the entry holds none."""
        if not self.result:
            raise LedgerError("the entry holds no full result", given=self.id)
        content = json.loads(self.result)
        if content.get("kind") not in known_kinds():
            _register_kinds()
        return from_dict(content)

    def to_dict(self) -> dict[str, Any]:
        """Return every column as a plain JSON type; absent numbers are None."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


@functools.cache
def _register_kinds() -> None:
    """Import every statistic once: a result registers its kind when its module is imported."""
    for module in pkgutil.walk_packages(stats.__path__, f"{stats.__name__}."):
        importlib.import_module(module.name)


def check_id(text: str) -> str:
    """Return a valid id unchanged; raises InputError for any other text."""
    if not _ID.fullmatch(text):
        raise InputError(
            "an id is made of lower-case words joined by single dots, hyphens or underscores",
            given=repr(text),
            limit="granger.rut.btc.after, for example",
        )
    return text


def _checked(name: str, value: Any) -> Any:
    """Return a column value in its one plain type; anything that would not survive a round trip is refused."""
    if isinstance(value, np.generic):
        value = value.item()
    if name in LIST_COLUMNS:
        valid = isinstance(value, tuple | list) and all(isinstance(item, str) for item in value)
        value = tuple(value) if valid else value
        allowed = "a tuple of text"
    elif name in FLOAT_COLUMNS:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        valid = value is None or (number and math.isfinite(value))
        value = float(value) if number and valid else value
        allowed = "a finite number, or None where there is none"
    elif name in INTEGER_COLUMNS:
        valid = value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63)
        allowed = "a whole number from 0, or None where there is none"
    elif name in FLAG_COLUMNS:
        valid = isinstance(value, bool) or (name == "strict" and value is None)
        allowed = "True or False" + (", or None where the question has no meaning" if name == "strict" else "")
    else:
        valid = isinstance(value, str) and _encodable(value)
        allowed = "text"
    if not valid:
        raise InputError(
            f"the column {name!r} of a ledger entry has an unusable value", given=repr(value), limit=allowed
        )
    return value


def _encodable(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _check_status(entry: Entry) -> None:
    if entry.status not in STATUSES:
        raise InputError("unknown status of a ledger entry", given=entry.status, limit=", ".join(STATUSES))
    numbers = [name for name in FLOAT_COLUMNS if getattr(entry, name) is not None]
    if entry.status != "ok" and (not entry.reason.strip() or numbers):
        raise InputError(
            f"{entry.id}: a result that does not exist gives a reason and holds no numbers",
            given=f"reason {entry.reason!r}, numbers in {', '.join(numbers) or 'no column'}",
        )
    if entry.status == "ok" and entry.reason:
        raise InputError(f"{entry.id}: a result that exists gives no reason", given=entry.reason)
    if entry.status == "ok" and not numbers and not entry.summary.strip():
        raise InputError(f"{entry.id}: a result that exists holds a number or a summary")


def _check_numbers(entry: Entry) -> None:
    for name in ("pvalue", "pvalue_adjusted"):
        value = getattr(entry, name)
        if value is not None and not 0.0 <= value <= 1.0:
            raise InputError(f"{entry.id}: a p-value lies between 0 and 1", given=value)
    if entry.pvalue_adjusted is not None and (entry.pvalue is None or not entry.adjustment):
        raise InputError(
            f"{entry.id}: an adjusted p-value needs the raw one and the name of the correction",
            given=f"pvalue {entry.pvalue}, adjustment {entry.adjustment!r}",
        )
    ends = [end for end in (entry.lower, entry.upper) if end is not None]
    if len(ends) == 2 and ends[0] > ends[1]:
        raise InputError(f"{entry.id}: an interval runs from its lower to its upper end", given=tuple(ends))
    if bool(ends) != (entry.level is not None) or (entry.level is not None and not 0.0 < entry.level < 1.0):
        raise InputError(
            f"{entry.id}: an interval has a level, and a level has an interval",
            given=f"level {entry.level}, ends {tuple(ends)}",
            limit="a level between 0 and 1",
        )


def _check_dates(entry: Entry) -> None:
    for name in ("start", "end"):
        text = getattr(entry, name)
        try:
            valid = not text or datetime.date.fromisoformat(text).isoformat() == text
        except ValueError:
            valid = False
        if not valid:
            raise InputError(f"{entry.id}: {name} is an ISO date", given=repr(text), limit="2024-11-25, or empty")
    if entry.start and entry.end and entry.start > entry.end:
        raise InputError(f"{entry.id}: a sample starts before it ends", given=f"{entry.start} to {entry.end}")


def _numbers(result: TestResult) -> dict[str, Any]:
    """Return what a test result holds, by column."""
    lower, upper = (None, None) if result.interval is None else map(_finite_or_none, result.interval)
    return {
        "method": result.method,
        "statistic": result.statistic,
        "df": ", ".join(f"{value:g}" for value in result.df),
        "pvalue": result.pvalue,
        "estimate": result.estimate,
        "estimate_name": result.estimate_name,
        "lower": lower,
        "upper": upper,
        "level": None if lower is None and upper is None else result.interval_level,
        "nobs": result.nobs,
        "nobs_lost": result.nobs_lost,
        "lags": result.lags,
        "summary": result.summary(),
        "result": result.to_json(),
    }


def _finite_or_none(value: float) -> float | None:
    if math.isnan(value):
        raise InputError("the end of an interval is not a number", given=value)
    return value if math.isfinite(value) else None
