"""Response paths: how crypto responds to an innovation of small caps over a month, and whether all assets do alike."""

from __future__ import annotations

from analysis.study.area import Area, Subjects
from analysis.study.areas.dynamics_run import (
    EQUALITY,
    RESPONSE,
    SHARE,
    STATE,
    run_equality,
    run_response,
    run_share,
    run_state,
)
from analysis.study.calls import Adjustment, Call, Family, key

CLAIM = ("timing-magnitude",)
TWINS = ("bivariate", "conditional")
NULLS = ("path", "later", "timing", "size")
GROUPS = ("all", "older")


def declare(subjects: Subjects) -> list[Family]:
    """Return the families of the area, each under the clock that makes later responses strictly predictive."""
    return [
        *(_responses(subjects, part, twin) for part in ("path", "later") for twin in TWINS),
        _equality(subjects),
        *(_states(subjects, state) for state in subjects.config.dynamics.states),
        _shares(subjects),
    ]


def _responses(subjects: Subjects, part: str, twin: str) -> Family:
    """One response path an asset: from the session of the innovation on, or strictly after it."""
    calls = tuple(
        Call(
            f"{RESPONSE}.{key(subjects.small_cap)}.{key(asset)}.after.{part}.{twin}",
            RESPONSE,
            asset,
            subjects.small_cap,
            given=subjects.controls if twin == "conditional" else (),
            strict=True if part == "later" else None,
            conditional=twin == "conditional",
            detail=part,
        )
        for asset in subjects.crypto
    )
    words = {"path": "from the same session on", "later": "in later sessions only"}[part]
    return Family(f"{RESPONSE}-{part}-{twin}", f"Response of crypto to small caps {words}: {twin}", CLAIM, "bh", calls)


def _equality(subjects: Subjects) -> Family:
    """All tests of equal responses are one family: four nulls, two groups of assets, alone and beside the drivers."""
    calls = tuple(
        Call(
            f"{EQUALITY}.{null}.{key(subjects.small_cap)}.{group}.{twin}",
            EQUALITY,
            "",
            subjects.small_cap,
            given=subjects.controls if twin == "conditional" else (),
            strict=True if null == "later" else None,
            conditional=twin == "conditional",
            detail=f"{null} {group}",
        )
        for null in NULLS
        for group in GROUPS
        for twin in TWINS
    )
    return Family(EQUALITY, "Do all assets respond alike?", CLAIM, "bh", calls)


def _states(subjects: Subjects, state: str) -> Family:
    calls = tuple(
        Call(f"{STATE}.{state}.{key(subjects.small_cap)}.{key(asset)}", STATE, asset, subjects.small_cap, state=state)
        for asset in subjects.crypto
    )
    return Family(f"{STATE}.{state}", f"Does the response differ: {state}", ("liquidity-state",), "bh", calls)


def _shares(subjects: Subjects) -> Family:
    adjustment: Adjustment = "none"
    calls = tuple(
        Call(f"{SHARE}.{key(subjects.small_cap)}.{key(asset)}", SHARE, asset, subjects.small_cap)
        for asset in subjects.crypto
    )
    return Family(SHARE, "Share of forecast variance that small caps explain", CLAIM, adjustment, calls)


AREA = Area(
    "dynamics",
    declare,
    {RESPONSE: run_response, EQUALITY: run_equality, STATE: run_state, SHARE: run_share},
    long=(EQUALITY,),
)
