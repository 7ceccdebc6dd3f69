"""The typed entries of the catalogue: what a series is, when its values were observed and when they became public."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

SERIES_ID = re.compile(r"[A-Z0-9][A-Z0-9_]{0,63}")

Role = Literal[
    "small_cap", "large_cap", "equity", "crypto", "volatility", "dollar", "rate", "inflation", "credit", "conditions",
    "liquidity", "economy", "factor",
]  # fmt: skip
Calendar = Literal["XNYS", "24/7", "daily", "weekly", "monthly"]
Transform = Literal["log_return", "difference", "log_difference", "level", "percent_return"]
Provider = Literal["csvfile", "fred", "famafrench", "hourly", "simulated"]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday"]
_WEEKDAYS: tuple[str, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday")


def _zone_exists(zone: str) -> str:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(
            f"'{zone}' is not a time zone of the IANA database, such as America/New_York or UTC"
        ) from error
    return zone


Clock = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Zone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_zone_exists)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=300, strip_whitespace=True)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9][A-Z0-9_]{0,63}$")]


class Model(BaseModel):
    """Base of the catalogue's tables: frozen, no unknown keys, no silent conversions."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Observed(Model):
    """When the value dated `d` was observed.

    With `session_close` the instant is the true close of the session `d` plus the distance of `time` from 16:00, so
    that half days are right; otherwise it is `time` in `zone`, `day_offset` calendar days after `d`.
    """

    time: Clock
    zone: Zone
    day_offset: Annotated[int, Field(ge=-7, le=31)] = 0
    session_close: bool = False

    @property
    def minutes(self) -> int:
        """Minutes after local midnight."""
        return int(self.time[:2]) * 60 + int(self.time[3:])


class Publication(Model):
    """When the value dated `d` became public: a lag in calendar days or in sessions, then a time of day in a zone.

    `weekday` moves the day on to the first such weekday. A day without a session moves on to the next session.
    `exceptions` gives the true publication day of single reference dates.
    """

    lag_days: Annotated[int, Field(ge=0, le=400)] | None = None
    lag_sessions: Annotated[int, Field(ge=0, le=30)] | None = None
    weekday: Weekday | None = None
    time: Clock
    zone: Zone
    exceptions: Mapping[str, date] = Field(default_factory=dict)

    @property
    def minutes(self) -> int:
        """Minutes after local midnight."""
        return int(self.time[:2]) * 60 + int(self.time[3:])

    @property
    def weekday_number(self) -> int | None:
        """Monday is 0; None where no weekday is set."""
        return None if self.weekday is None else _WEEKDAYS.index(self.weekday)

    @model_validator(mode="after")
    def _one_lag(self) -> Self:
        if (self.lag_days is None) == (self.lag_sessions is None):
            raise ValueError("give exactly one of lag_days and lag_sessions")
        for key, day in self.exceptions.items():
            if date.fromisoformat(key) > day:
                raise ValueError(f"the exception for {key} lies before its reference date")
        return self


class ProviderId(Model):
    """One place a series can be had from."""

    provider: Provider
    id: Text


class Entry(Model):
    """One series of the catalogue.

    Attributes
    ----------
    enters : {"observed", "published"}
        Which instant places the series in a panel: market prices enter when they were observed, reports when published.
    carry_days : int
        How many calendar days an older value may stand where no new one came; 0 means a gap stays a gap.
    scale : float
        Multiplier from the provider's unit to `unit`.
    """

    id: Identifier
    title: Text
    short: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    role: Role
    asset: Identifier
    sources: Annotated[tuple[ProviderId, ...], Field(min_length=1, strict=False)]
    alternatives: Annotated[tuple[Identifier, ...], Field(strict=False)] = ()
    unit: Text
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    observed: Observed
    calendar: Calendar
    publication: Publication | None = None
    enters: Literal["observed", "published"] = "observed"
    carry_days: Annotated[int, Field(ge=0, le=120)] = 0
    transform: Transform
    total_return: bool = False
    revised: bool = False
    licence: Text
    note: str = ""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.enters == "published" and self.publication is None:
            raise ValueError("enters = 'published' needs a publication")
        if self.calendar in {"weekly", "monthly"} and self.enters != "published":
            raise ValueError(f"a {self.calendar} series must enter when it is published, never on its reference date")
        if self.observed.session_close and (self.calendar != "XNYS" or self.observed.day_offset != 0):
            raise ValueError("session_close is for series of the XNYS calendar with day_offset 0")
        lag = None if self.publication is None else self.publication.lag_days
        if lag is not None and lag < self.observed.day_offset:
            raise ValueError("the publication lag is shorter than the observation offset: published before observed")
        if self.id in self.alternatives:
            raise ValueError("a series cannot be its own alternative")
        return self
