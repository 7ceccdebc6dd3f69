"""Small caps themselves: volatile, illiquid and exposed against large caps; and what their profits say of crypto.

The comparisons with large caps need no crypto and are run twice: over the sample of the study, which decides, and over
all the history there is. What the two say of crypto rests on portfolios of small caps sorted by profitability; a factor
of shares of all sizes is reported beside them and is no substitute.
"""

from __future__ import annotations

from analysis.study.area import Area, Subjects
from analysis.study.areas.smallcaps_profitability import ALL_SIZES, SORTED, run_factor, run_portfolios
from analysis.study.areas.smallcaps_sensitivity import SAMPLES, run_sensitivity
from analysis.study.calls import Call, Family, key

SENSITIVE, FROTH = ("small-more-sensitive",), ("fundamental-or-froth",)
_SAMPLE_WORDS = {"study": "sample of the study", "history": "all the history there is"}


def declare(subjects: Subjects) -> list[Family]:
    """Declare the comparisons with large caps for both samples, then the loadings on profitability."""
    families = [family for sample in SAMPLES for family in _comparisons(subjects, sample)]
    return [*families, *_portfolios(subjects), *_factor(subjects)]


def first_of(names: tuple[str, ...], subjects: Subjects) -> str:
    """Return the first series the snapshot has; the preferred one where it has none, so that its absence shows."""
    return next((name for name in names if name in subjects.series), names[0])


def _comparisons(subjects: Subjects, sample: str) -> list[Family]:
    settings = subjects.config.smallcaps
    small, large = subjects.small_cap, first_of(settings.large_caps, subjects)
    shocks = tuple(first_of(names, subjects) for names in settings.shocks)
    words = _SAMPLE_WORDS[sample]

    def call(detail: str, shock: str = "", given: tuple[str, ...] = ()) -> Call:
        name = ".".join(["sensitivity", sample, detail, *([key(shock)] if shock else [])])
        return Call(name, "sensitivity", small, shock, given=given, side=sample, detail=f"{detail}/{large}")

    fund = Call(
        f"sensitivity.{sample}.illiquidity",
        "sensitivity",
        settings.funds[0],
        side=sample,
        detail=f"illiquidity/{settings.funds[1]}",
    )
    alone = tuple(call("beta", shock) for shock in shocks)
    together = tuple(call("together", shock, tuple(other for other in shocks if other != shock)) for shock in shocks)
    scaled = tuple(call("scaled", shock) for shock in shocks)
    return [
        Family(
            f"sensitivity-{sample}",
            f"Small against large caps: {words}",
            SENSITIVE,
            "bh",
            (call("volatility"), fund, *alone),
        ),
        Family(f"sensitivity-together-{sample}", f"Shocks beside each other: {words}", SENSITIVE, "bh", together),
        Family(f"sensitivity-scaled-{sample}", f"Shocks, by unit of volatility: {words}", SENSITIVE, "bh", scaled),
    ]


def _portfolios(subjects: Subjects) -> list[Family]:
    """Profitable against unprofitable small caps: what their past says, and what goes with crypto in the session."""
    profitable, unprofitable = SORTED
    families = []
    for when, words in (("lead", "past returns"), ("same", "same session")):
        cause, twin = (profitable, unprofitable) if when == "lead" else (unprofitable, profitable)
        for given, tail in (((), ""), (subjects.controls, "-conditional")):
            calls = tuple(
                Call(
                    f"profitability.{when}.{key(asset)}" + (".conditional" if tail else ".bivariate"),
                    "profitability",
                    asset,
                    cause,
                    "after",
                    given,
                    strict=True if when == "lead" else None,
                    conditional=bool(tail),
                    side=when,
                    detail=twin,
                )
                for asset in subjects.crypto
            )
            title = f"Small caps by profitability and crypto: {words}" + (", beside drivers" if tail else "")
            families.append(Family(f"profitability-{when}{tail}", title, FROTH, "bh", calls))
    return families


def _factor(subjects: Subjects) -> list[Family]:
    """Declare the factor of all sizes, always beside market and size: a weaker question, reported for what it is."""
    factor, *beside = ALL_SIZES
    families = []
    for when, words in (("lead", "past returns"), ("same", "same session")):
        calls = tuple(
            Call(
                f"profitability.{when}.{key(asset)}.all-sizes",
                "profitability_factor",
                asset,
                factor,
                "after",
                tuple(beside),
                strict=True if when == "lead" else None,
                side=when,
            )
            for asset in subjects.crypto
        )
        families.append(
            Family(
                f"profitability-{when}-all-sizes", f"Profitability of all sizes and crypto: {words}", FROTH, "bh", calls
            )
        )
    return families


def _series(subjects: Subjects) -> tuple[str, ...]:
    """Return the series the area reads beside those of the study."""
    settings = subjects.config.smallcaps
    shocks = tuple(first_of(names, subjects) for names in settings.shocks)
    wanted = (first_of(settings.large_caps, subjects), *settings.funds, *shocks, *SORTED, *ALL_SIZES)
    return tuple(name for name in dict.fromkeys(wanted) if name in subjects.series)


AREA = Area(
    "smallcaps",
    declare,
    {"sensitivity": run_sensitivity, "profitability": run_portfolios, "profitability_factor": run_factor},
    series=_series,
)
