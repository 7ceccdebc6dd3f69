"""Falling together: whether small caps and crypto share falls more than rises, and more so in tight conditions."""

from __future__ import annotations

from analysis.study.area import Area, Subjects
from analysis.study.areas.tails_run import (
    run_beta,
    run_copula,
    run_correlation,
    run_covar,
    run_exceedance,
    run_state,
    run_tails,
    run_within,
)
from analysis.study.calls import Call, Family, key
from analysis.study.config import Clock

CLAIMS = ("downside-amplified",)


def declare(subjects: Subjects) -> list[Family]:
    """Declare the families of the area: the same session, falls against rises, and falls by state."""
    small, crypto = subjects.small_cap, subjects.crypto
    return [
        *_tails(small, crypto),
        *_covar(small, crypto),
        *_betas(small, crypto, subjects.controls),
        *_by_state(subjects),
    ]


def _tails(small: str, crypto: tuple[str, ...]) -> list[Family]:
    clocks: tuple[tuple[Clock, str, str], ...] = (
        ("after", "", "crypto day ends after the close"),
        ("before", "-before", "crypto day ended before the close"),
    )
    families = [
        Family(
            f"tail-asymmetry{suffix}",
            f"Joint extremes in falls against rises, {words}",
            CLAIMS,
            "bh",
            tuple(
                Call(f"tail-asymmetry.{key(small)}.{key(a)}.{clock}", "tail-asymmetry", a, small, clock) for a in crypto
            ),
        )
        for clock, suffix, words in clocks
    ]
    copulas = tuple(Call(f"tail-copula.{key(small)}.{key(a)}", "tail-copula", a, small) for a in crypto)
    exceedances = tuple(Call(f"exceedance.{key(small)}.{key(a)}", "exceedance", a, small) for a in crypto)
    return [
        *families,
        Family("tail-copula", "Tail dependence of the fitted t copula", CLAIMS, "none", copulas),
        Family("exceedance", "Correlation of joint falls against joint rises", CLAIMS, "bh", exceedances),
    ]


def _covar(small: str, crypto: tuple[str, ...]) -> list[Family]:
    """Co-movement of tail quantiles both ways; each way is a family of its own."""
    ways = {
        "covar": ("Tail of crypto when small caps fall against rise", [(small, a) for a in crypto]),
        "covar-reverse": ("Tail of small caps when crypto falls against rises", [(a, small) for a in crypto]),
    }
    return [
        Family(
            name,
            title,
            CLAIMS,
            "bh",
            tuple(Call(f"covar.{key(cause)}.{key(effect)}", "covar", effect, cause) for cause, effect in pairs),
        )
        for name, (title, pairs) in ways.items()
    ]


def _betas(small: str, crypto: tuple[str, ...], controls: tuple[str, ...]) -> list[Family]:
    versions: tuple[tuple[str, Clock, str, tuple[str, ...]], ...] = (
        ("downside-beta", "after", "bivariate", ()),
        ("downside-beta-conditional", "after", "conditional", controls),
        ("downside-beta-before", "before", "bivariate", ()),
    )
    return [
        Family(
            name,
            f"Downside against upside beta of crypto on small caps: {twin}, clock {clock}",
            CLAIMS,
            "bh",
            tuple(
                Call(
                    f"downside-beta.{key(small)}.{key(asset)}.{clock}.{twin}",
                    "downside-beta",
                    asset,
                    small,
                    clock,
                    given,
                    conditional=twin == "conditional",
                )
                for asset in crypto
            ),
        )
        for name, clock, twin, given in versions
    ]


def _by_state(subjects: Subjects) -> list[Family]:
    """Declare a state whose series are absent all the same, so that its absence is a row in the tables."""
    questions = {
        "downside-state": "Downside beta inside against outside",
        "downside-within": "Downside against upside beta inside",
        "downside-correlation": "Correlation among falls of small caps, inside against outside",
    }
    small = subjects.small_cap
    return [
        Family(
            f"{kind}.{state}",
            f"{question}: {state}",
            CLAIMS,
            "bh",
            tuple(
                Call(f"{kind}.{state}.{key(small)}.{key(asset)}", kind, asset, small, state=state)
                for asset in subjects.crypto
            ),
        )
        for state in subjects.config.tails.states
        for kind, question in questions.items()
    ]


AREA = Area(
    "tails",
    declare,
    {
        "tail-asymmetry": run_tails,
        "tail-copula": run_copula,
        "exceedance": run_exceedance,
        "covar": run_covar,
        "downside-beta": run_beta,
        "downside-state": run_state,
        "downside-within": run_within,
        "downside-correlation": run_correlation,
    },
    long=("covar", "tail-asymmetry"),
)
