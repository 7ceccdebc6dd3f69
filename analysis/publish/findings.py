"""What a lint or a gate found: a rule, a place and a sentence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One broken rule.

    Parameters
    ----------
    rule : str
        Stable lower-case name of the rule, e.g. ``missing-alt``.
    where : str
        File, with a 1-based line or page where one is known.
    message : str
        What was seen and what to do about it.
    """

    rule: str
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message} [{self.rule}]"
