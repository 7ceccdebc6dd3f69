"""Turn a study into the list of tests it will run, before any number is known: every family is declared here."""

from __future__ import annotations

from analysis.market.events import Event
from analysis.study.area import Subjects
from analysis.study.areas.registry import chosen
from analysis.study.calls import Call, Family, Plan, key
from analysis.study.config import Clock, StudyConfig
from analysis.study.plan_chapter import chapter


def declare(
    config: StudyConfig,
    *,
    small_cap: str,
    crypto: tuple[str, ...],
    controls: tuple[str, ...],
    substitutions: tuple[tuple[str, str], ...] = (),
    missing: tuple[tuple[str, str], ...] = (),
    series: tuple[str, ...] = (),
    events: tuple[Event, ...] = (),
) -> Plan:
    """List all families of a study for the series that are there.

    Parameters
    ----------
    small_cap, crypto, controls
        Series ids after substitution; `missing` names the others with a reason.
    series, events
        All series of the snapshot and the declared events, for the areas.

    Notes
    -----
    A state whose series are absent is planned all the same, so that its absence is a row in the tables.
    """
    subjects = Subjects(config, small_cap, crypto, controls, series, events)
    families = [
        *_lead_families(config, small_cap, crypto, controls),
        _drivers(small_cap, crypto, controls),
        *_same_session(small_cap, crypto, controls),
        _weekend(small_cap, crypto),
        *_correlations(small_cap, crypto),
        *_state_families(config, small_cap, crypto),
        *(chapter(small_cap, crypto, controls) if config.chapter else []),
        *(family for area in chosen(config) for family in area.declare(subjects)),
        _diagnostics((small_cap, *crypto)),
        _records(config),
    ]
    return Plan(tuple(families), small_cap, crypto, controls, substitutions, missing)


def _lead_families(
    config: StudyConfig, small_cap: str, crypto: tuple[str, ...], controls: tuple[str, ...]
) -> list[Family]:
    """Both directions, both clocks, bivariate beside conditional, and the plain F that others report."""
    families = []
    for direction in ("lead", "reverse"):
        strict_clock: Clock = "after" if direction == "lead" else "before"
        overlap_clock: Clock = "before" if direction == "lead" else "after"
        arrow = "Small caps lead crypto" if direction == "lead" else "Crypto leads small caps"
        for clock, suffix, window in (
            (strict_clock, "", "strictly predictive clock"),
            (overlap_clock, "-overlap", "overlapping clock"),
        ):
            for given, twin in (((), "bivariate"), (controls, "conditional")):
                name = direction + suffix + ("" if twin == "bivariate" else "-conditional")
                calls = tuple(
                    _granger(small_cap, asset, direction, clock, given, twin, strict=clock == strict_clock)
                    for asset in crypto
                )
                headline = name == "lead"
                families.append(
                    Family(
                        name,
                        f"{arrow}: {twin}, {window}",
                        ("lead", "risk-appetite") if direction == "lead" else ("lead",),
                        "romano-wolf" if headline else "bh",
                        calls,
                        headline,
                    )
                )
    for name, pairs, clock in (
        ("plain", [(asset, small_cap) for asset in crypto], "after"),
        ("plain-reverse", [(small_cap, asset) for asset in crypto], "before"),
    ):
        calls = tuple(_plain(effect, cause, clock) for effect, cause in pairs)
        title = "The plain F test that others report" + ("" if name == "plain" else ": crypto leads small caps")
        families.append(Family(name, title, ("lead",), "none", calls))
    return families


def _plain(effect: str, cause: str, clock: Clock) -> Call:
    name = f"granger.{key(cause)}.{key(effect)}.{clock}.plain"
    return Call(name, "granger", effect, cause, clock, (), "", True, "nonrobust")


def _granger(
    small_cap: str, asset: str, direction: str, clock: Clock, given: tuple[str, ...], twin: str, *, strict: bool
) -> Call:
    cause, effect = (small_cap, asset) if direction == "lead" else (asset, small_cap)
    name = f"granger.{key(cause)}.{key(effect)}.{clock}.{twin}"
    return Call(name, "granger", effect, cause, clock, given, strict=strict, conditional=twin == "conditional")


def _drivers(small_cap: str, crypto: tuple[str, ...], controls: tuple[str, ...]) -> Family:
    """Whether the drivers' past says what that of small caps does not: only then do they explain a lead seen alone."""
    calls = tuple(
        Call(
            f"drivers.{key(asset)}",
            "drivers",
            asset,
            clock="after",
            given=(small_cap,),
            detail=" ".join(controls),
        )
        for asset in crypto
    )
    return Family(
        "drivers-lead", "Common drivers lead crypto, beside small caps", ("lead", "risk-appetite"), "bh", calls
    )


def _same_session(small_cap: str, crypto: tuple[str, ...], controls: tuple[str, ...]) -> list[Family]:
    """How strongly crypto moves with small caps within the session, alone and beside the common drivers."""
    families = []
    for name, twin, given in (("same-session", "bivariate", ()), ("same-session-conditional", "conditional", controls)):
        calls = tuple(
            Call(
                f"beta.{key(small_cap)}.{key(asset)}.after.{twin}",
                "beta",
                asset,
                small_cap,
                "after",
                given,
                conditional=twin == "conditional",
            )
            for asset in crypto
        )
        title = f"Same-session response of crypto to small caps: {twin}"
        families.append(Family(name, title, ("risk-appetite",), "bh", calls))
    return families


def _weekend(small_cap: str, crypto: tuple[str, ...]) -> Family:
    """Whether what crypto did while equities were closed shows in the next session."""
    calls = tuple(
        Call(f"weekend.{key(asset)}.{key(small_cap)}", "weekend", small_cap, asset, "before") for asset in crypto
    )
    return Family("weekend", "Crypto over closed days and the next session of small caps", ("lead",), "bh", calls)


def _correlations(small_cap: str, crypto: tuple[str, ...]) -> list[Family]:
    """Both sides under both clocks; the overlapping ones are corrected apart, so that artefacts lend no strength."""
    clocks: tuple[Clock, ...] = ("after", "before")
    same = tuple(
        Call(f"ccf.{key(small_cap)}.{key(asset)}.{clock}", "correlation", asset, small_cap, clock)
        for asset in crypto
        for clock in clocks
    )
    sides = tuple(
        Call(
            f"{call.id}.{side}",
            "correlation_side",
            call.effect,
            call.cause,
            call.clock,
            strict=(call.clock == "after") == (side == "lead"),
            side=side,
        )
        for call in same
        for side in ("lead", "lag")
    )
    title = "Cross-correlation at leads and lags"
    return [
        Family("same-session-correlation", "Correlation of the same session", (), "none", same),
        Family(
            "correlation",
            f"{title}: strictly predictive",
            ("lead",),
            "bh",
            tuple(call for call in sides if call.strict),
        ),
        Family(
            "correlation-overlap", f"{title}: overlapping", ("lead",), "bh", tuple(c for c in sides if not c.strict)
        ),
    ]


def _state_families(config: StudyConfig, small_cap: str, crypto: tuple[str, ...]) -> list[Family]:
    families = []
    kinds: tuple[tuple[str, str, str], ...] = (
        ("state_granger", "state-granger", "Does the lead differ"),
        ("state_correlation", "state-correlation", "Does the same-session correlation differ"),
    )
    for state in config.states:
        for kind, prefix, question in kinds:
            calls = tuple(
                Call(
                    f"{prefix}.{state}.{key(small_cap)}.{key(asset)}", kind, asset, small_cap, "after", (), state, True
                )
                for asset in crypto
            )
            families.append(Family(f"{prefix}.{state}", f"{question}: {state}", ("liquidity-state",), "bh", calls))
    return families


def _diagnostics(series: tuple[str, ...]) -> Family:
    calls = tuple(Call(f"diagnostics.{key(name)}", "diagnostics", name) for name in series)
    return Family("diagnostics", "Properties of each return series", (), "none", calls)


def _records(config: StudyConfig) -> Family:
    """Record highs of the named index itself: a stand-in cannot confirm or refute a statement about it."""
    calls = (
        Call(f"record.{key(config.small_cap)}.close", "record", config.small_cap),
        Call(f"record.{key(config.small_cap)}.intraday", "record", config.small_cap),
        Call(f"record.{key(config.small_cap_total_return)}.total", "record", config.small_cap_total_return),
    )
    return Family("record", f"Record highs of {config.record_year}", ("record-2024",), "none", calls)
