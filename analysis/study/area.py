"""An area: one question of the study with its families of tests, how they run, and the series they read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from analysis.market.events import Event
from analysis.study.calls import Call, Family
from analysis.study.config import StudyConfig
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs

Runner = Callable[[Call, Family, Inputs, int], list[Entry]]


@dataclass(frozen=True, slots=True)
class Subjects:
    """What an area may declare tests about, before any number is known.

    Attributes
    ----------
    small_cap, crypto, controls
        Series of the study after substitution.
    series : tuple of str
        Every series of the snapshot.
    events : tuple of Event
        Declared events.
    """

    config: StudyConfig
    small_cap: str
    crypto: tuple[str, ...]
    controls: tuple[str, ...]
    series: tuple[str, ...]
    events: tuple[Event, ...]


def _none(subjects: Subjects) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Area:
    """One topic of the study.

    Attributes
    ----------
    name : str
        As it stands in the study file.
    declare : callable
        From the subjects to all families of the area; a family whose data are absent is declared all the same, so that
        its absence is a row in the tables.
    runners : mapping of kind to callable
        How a call of each kind becomes ledger entries. A runner receives the call, its family, the inputs and the draws
        of a cheap bootstrap (fewer in a reduced build). Entries whose family is that of the call are corrected together
        as the family says; entries of another family are reported and not corrected.
    series : callable
        Series the area reads beside those of the study; it must do without those the snapshot lacks.
    long : tuple of str
        Kinds that take longest; they are started first.
    """

    name: str
    declare: Callable[[Subjects], list[Family]]
    runners: Mapping[str, Runner]
    series: Callable[[Subjects], tuple[str, ...]] = _none
    long: tuple[str, ...] = ()
