"""The ways in which the question about record highs is posed; the two headline ones decide, the others are twins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from analysis.study.areas.events_data import Basis

Assets = Literal["bitcoin", "altcoins", "pair", "all"]


@dataclass(frozen=True, slots=True)
class Variant:
    """On which records, for which assets, above what.

    Attributes
    ----------
    prefix : str
        First word of the result ids.
    assets : {"bitcoin", "altcoins", "pair", "all"}
        The first asset; the others and their basket; the first asset and the basket; all of them.
    market : bool
        Whether the part of the large-cap index is taken off first.
    spaced : bool
        Whether episodes keep the declared distance from one to the next.
    run_up : bool
        Whether the sessions that end with the record are asked about instead of those that follow.
    """

    prefix: str
    title: str
    assets: Assets
    claims: tuple[str, ...] = ()
    basis: Basis = "close"
    market: bool = False
    spaced: bool = False
    run_up: bool = False


BITCOIN, ALTCOINS = "highs-precede", "highs-precede-alts"

VARIANTS: dict[str, Variant] = {
    "events-bitcoin": Variant("event", "Bitcoin after record closes", "bitcoin", (BITCOIN,)),
    "events-altcoins": Variant("event", "Altcoins after record closes", "altcoins", (ALTCOINS,)),
    "events-market": Variant("event-market", "After record closes, less the part of large caps", "all", market=True),
    "events-intraday": Variant("event-intraday", "After records within the session", "pair", basis="intraday"),
    "events-total": Variant("event-total", "After record closes with dividends", "pair", basis="total"),
    "events-spaced": Variant("event-spaced", "After episodes that share no outcome", "pair", spaced=True),
    "events-run-up": Variant("event-run-up", "Up to and including the record", "all", (BITCOIN, ALTCOINS), run_up=True),
}
