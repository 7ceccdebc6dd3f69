"""The area "forecast": whether small caps would have helped to forecast crypto, and whether trading on it paid."""

from __future__ import annotations

from analysis.study.area import Area, Subjects
from analysis.study.areas import forecast_run
from analysis.study.areas.forecast_data import CLOCK
from analysis.study.calls import Call, Family, key

CLAIMS = ("useful-signal",)
SCHEMES = ("expanding", "rolling")
BENCHMARKS = ("mean", "own", "controls")
SIDES = ("long", "short")

_SCHEME = {"expanding": "growing window", "rolling": "rolling window"}
_BENCHMARK = {"mean": "against the mean", "own": "against own past", "controls": "against own past and common drivers"}
_SIDE = {"long": "long or flat", "short": "long or short"}


def gain_family(horizon: int, scheme: str, benchmark: str) -> str:
    """Return the name of the family of gains for a horizon, window and benchmark."""
    return f"forecast-h{horizon}-{scheme}-{benchmark}"


def timing_family(side: str, cost: float) -> str:
    """Return the name of the family of a timing rule."""
    return f"forecast-timing-{side}-{cost:g}"


def declare(subjects: Subjects) -> list[Family]:
    """Declare gains in accuracy for every window, horizon and benchmark, then direction, choice and trading."""
    settings = subjects.config.forecast
    gains = [
        _family(subjects, gain_family(horizon, scheme, benchmark), "forecast-gain",
                f"Forecasting {_ahead(horizon)}, {_SCHEME[scheme]}, {_BENCHMARK[benchmark]}",
                detail=f"{horizon} {scheme} {benchmark}", beside=benchmark == "controls")
        for horizon in settings.horizons
        for scheme in SCHEMES
        for benchmark in BENCHMARKS
    ]  # fmt: skip
    rules = [
        _family(subjects, timing_family(side, cost), "forecast-timing",
                f"Timing rule, {_SIDE[side]}, at {cost:g} basis points each way", detail=f"{side} {cost:g}")
        for side in SIDES
        for cost in settings.costs
    ]  # fmt: skip
    small = _family(subjects, "forecast-too-small", "forecast-too-small", "Gain in accuracy below what would pay")
    equal = _family(subjects, "forecast-accuracy", "forecast-accuracy", "Accuracy as practised, rolling window")
    sign = _family(subjects, "forecast-direction", "forecast-direction", "Direction of the next session")
    best = _family(subjects, "forecast-ability", "forecast-ability", "Any of all models against the mean")
    deflated = Family(
        "forecast-deflated",
        "Timing rules held against the best of as many rules without skill",
        CLAIMS,
        "none",
        (Call("forecast-deflated", "forecast-deflated", "", cause=subjects.small_cap, clock=CLOCK, strict=True),),
    )
    return [*gains, small, equal, sign, best, *rules, deflated]


def _ahead(horizon: int) -> str:
    return "the next session" if horizon == 1 else f"the next {horizon} sessions"


def _family(subjects: Subjects, name: str, kind: str, title: str, *, detail: str = "", beside: bool = False) -> Family:
    """Declare one test an asset."""
    calls = tuple(
        Call(
            f"{name.replace('-', '.', 1)}.{key(subjects.small_cap)}.{key(asset)}",
            kind,
            asset,
            subjects.small_cap,
            CLOCK,
            subjects.controls if beside else (),
            strict=True,
            conditional=beside,
            detail=detail,
        )
        for asset in subjects.crypto
    )
    return Family(name, title, CLAIMS, "bh", calls)


AREA = Area("forecast", declare, forecast_run.RUNNERS, long=("forecast-gain", "forecast-timing"))
