"""After record highs of small caps, and around declared events: what crypto earned above dates that looked alike."""

from __future__ import annotations

from analysis.study.area import Area, Subjects
from analysis.study.areas.events_data import BASES, BASKET, large_cap
from analysis.study.areas.events_run import run_declared, run_episodes, run_path, run_record, run_tests
from analysis.study.areas.events_variants import VARIANTS
from analysis.study.calls import Call, Family, key


def declare(subjects: Subjects) -> list[Family]:
    """Declare the families of the area; one joint comparison over assets and horizons is one call of many results."""
    small, bitcoin = subjects.small_cap, subjects.crypto[0]
    market = large_cap(subjects.series)
    families = []
    for name, variant in VARIANTS.items():
        effect = BASKET if variant.assets == "altcoins" else bitcoin
        given = (market,) if variant.market and market else ()
        # A run-up ends with the record: it coincides, and predicts nothing.
        call = Call(name, "event-record", effect, small, given=given, strict=not variant.run_up)
        families.append(Family(name, variant.title, variant.claims, "none", (call,)))
    tests = tuple(
        Call(f"event-test.{key(small)}.{key(asset)}.{method}", "event-test", asset, small, given=given, strict=True,
             detail=method)
        for asset in (*subjects.crypto, BASKET)
        for method, given in (("mean", ()), ("market", (market,) if market else ()))
    )  # fmt: skip
    declared = Call("events-declared", "event-declared", bitcoin)
    paths = tuple(
        Call(f"event-path.{key(small)}.{key(asset)}", "event-path", asset, small, strict=True)
        for asset in (bitcoin, BASKET)
    )
    counts = tuple(Call(f"event-episodes.{basis}", "event-episodes", small, detail=basis) for basis in BASES)
    return [
        *families,
        Family("events-tests", "Parametric and rank tests after record closes", (), "bh", tests),
        Family("events-declared", "After declared events", (), "none", (declared,)),
        Family("events-path", "Path after record closes", (), "none", paths),
        Family("events-episodes", "Episodes of record highs", (), "none", counts),
    ]


def _series(subjects: Subjects) -> tuple[str, ...]:
    """Return what the area reads beside the study's series: records with dividends, and large caps as the market."""
    wanted = (subjects.config.small_cap_total_return, large_cap(subjects.series))
    return tuple(name for name in wanted if name in subjects.series)


AREA = Area(
    "events",
    declare,
    {
        "event-record": run_record,
        "event-test": run_tests,
        "event-declared": run_declared,
        "event-path": run_path,
        "event-episodes": run_episodes,
    },
    series=_series,
    long=("event-record", "event-test"),
)
