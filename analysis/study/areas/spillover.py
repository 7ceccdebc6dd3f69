"""Does risk rather than return spill over: causality in variance, connectedness and dynamic correlation."""

from __future__ import annotations

from analysis.study.area import Area, Subjects
from analysis.study.areas.spillover_run import (
    run_connectedness,
    run_correlation,
    run_rolling,
    run_session,
    run_variance,
    run_whole,
)
from analysis.study.calls import Call, Family, key
from analysis.study.config import Clock

CLAIMS = ("volatility-spillover",)
MEASURES = {
    "returns": "daily returns",
    "volatility": "weekly volatility",
    "volatility-daily": "daily volatility",
}


def declare(subjects: Subjects) -> list[Family]:
    """Declare the tests of variance both ways and both twins, then the measures that describe the system."""
    small, crypto = subjects.small_cap, subjects.crypto
    clocks: tuple[Clock, ...] = ("after", "before")
    connected = tuple(
        Call(f"spillover-connectedness.{measure}.{clock}", "spillover-connectedness", "", small, clock, detail=measure)
        for measure in MEASURES
        for clock in clocks
    )
    rolling = tuple(
        Call(f"spillover-rolling.{measure}", "spillover-rolling", "", small, "after", detail=measure)
        for measure in ("returns", "volatility")
    )
    moving = tuple(
        Call(f"spillover-correlation.{key(small)}.{key(asset)}", "spillover-correlation", asset, small)
        for asset in crypto
    )
    return [
        *_variance(subjects),
        *_sessions(subjects),
        Family("spillover-connectedness", "Connectedness of small caps and crypto", CLAIMS, "none", connected),
        Family("spillover-rolling", "Connectedness in moving windows", CLAIMS, "none", rolling),
        Family("spillover-constancy", "Does the correlation move from day to day", CLAIMS, "bh", moving),
    ]


def _variance(subjects: Subjects) -> list[Family]:
    """Both directions under their strictly predictive clock, alone and beside the drivers' volatility."""
    small = subjects.small_cap
    families = []
    for direction in ("lead", "reverse"):
        clock: Clock = "after" if direction == "lead" else "before"
        arrow = "Volatility of small caps announces crypto's" if direction == "lead" else "Volatility of crypto"
        for twin in ("bivariate", "conditional"):
            given = subjects.controls if twin == "conditional" else ()
            calls = []
            for asset in subjects.crypto:
                cause, effect = (small, asset) if direction == "lead" else (asset, small)
                name = f"spillover-variance.{key(cause)}.{key(effect)}.{clock}.{twin}"
                calls.append(
                    Call(
                        name,
                        "spillover-variance",
                        effect,
                        cause,
                        clock,
                        given,
                        strict=True,
                        conditional=twin == "conditional",
                    )
                )
            tail = "" if twin == "bivariate" else "-conditional"
            words = arrow if direction == "lead" else f"{arrow} announces small caps'"
            title = f"{words}: {'alone' if twin == 'bivariate' else 'beside the drivers'}"
            families.append(Family(f"spillover-variance-{direction}{tail}", title, CLAIMS, "bh", tuple(calls)))
    return families


def _sessions(subjects: Subjects) -> list[Family]:
    """How much of what the classical test finds hangs on one session; it describes and decides nothing."""
    small = subjects.small_cap
    families = []
    clocks: tuple[tuple[str, Clock], ...] = (("lead", "after"), ("reverse", "before"))
    for direction, clock in clocks:
        pairs = [(small, asset) if direction == "lead" else (asset, small) for asset in subjects.crypto]
        for kind, words in (("spillover-whole", "with all sessions"), ("spillover-session", "without one session")):
            calls = tuple(
                Call(f"{kind}.{key(cause)}.{key(effect)}", kind, effect, cause, clock, strict=True)
                for cause, effect in pairs
            )
            title = f"Correlation of squared shocks {words} ({direction})"
            families.append(Family(f"{kind}-{direction}", title, CLAIMS, "bh", calls))
    return families


AREA = Area(
    "spillover",
    declare,
    {
        "spillover-variance": run_variance,
        "spillover-session": run_session,
        "spillover-whole": run_whole,
        "spillover-connectedness": run_connectedness,
        "spillover-rolling": run_rolling,
        "spillover-correlation": run_correlation,
    },
    long=("spillover-variance", "spillover-connectedness"),
)
