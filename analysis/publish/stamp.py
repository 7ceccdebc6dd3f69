"""The stamp every page carries: which version, which data, which code, and what a reader must not do with it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from analysis.errors import InputError

SIMULATED_BANNER = "SIMULATED DATA: shows the method, is not evidence"
REDUCED_BANNER = "REDUCED DRAWS: not for citation"

_PLAIN = re.compile(r"[^\x00-\x1f\x7f<>]*")


@dataclass(frozen=True, slots=True)
class Stamp:
    """Identity of a built version as shown on every page.

    Parameters
    ----------
    version : str
        Version id, e.g. ``2026-08-20-1a2b3c4d-5e6f7a8b``.
    cutoff : str
        Last date the data reach (ISO).
    snapshot : str
        Content hash of the data.
    code : str
        Hash of code, lock and study, with the commit where one is known.
    renderer : str
        Name and version of the renderer; ``render`` fills it in.
    simulated : bool
        The data come from the simulated market: every page carries a banner.
    reduced : bool
        Fewer draws than a published study: every page says that it is not for citation.
    created : str
        A date that follows from the inputs (never the clock), ISO.

    Raises
    ------
    InputError
        A field holds control characters or angle brackets, or the version is empty.
    """

    version: str
    cutoff: str
    snapshot: str
    code: str
    renderer: str
    simulated: bool
    reduced: bool
    created: str

    def __post_init__(self) -> None:
        if not self.version:
            raise InputError("a stamp needs a version id", given=repr(self.version))
        for name in ("version", "cutoff", "snapshot", "code", "renderer", "created"):
            value = getattr(self, name)
            if not _PLAIN.fullmatch(value):
                raise InputError(
                    f"the stamp's {name} is not plain text", given=repr(value), limit="no control characters, no < or >"
                )

    @property
    def banners(self) -> tuple[str, ...]:
        """The warnings that every page must carry, most serious first."""
        lines = ((self.simulated, SIMULATED_BANNER), (self.reduced, REDUCED_BANNER))
        return tuple(text for wanted, text in lines if wanted)

    def facts(self) -> tuple[tuple[str, str], ...]:
        """Return the stamp as labelled lines, in the order shown to a reader."""
        return (
            ("Version", self.version),
            ("Data until", self.cutoff),
            ("Data snapshot", self.snapshot),
            ("Code and study", self.code),
            ("Rendered with", self.renderer),
        )
