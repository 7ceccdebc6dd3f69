"""What the tests of a study read: aligned panels, states, events and the plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.market import panel
from analysis.market.catalog import Catalog
from analysis.market.events import Event
from analysis.market.panel import Panel
from analysis.market.snapshot import Snapshot
from analysis.stats.lagged import Floats
from analysis.study.calls import Plan
from analysis.study.config import Clock, StudyConfig


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """Everything the tests of a study read.

    Attributes
    ----------
    panels : mapping of clock to Panel
        The same sessions and series under both admissible clocks.
    states : DataFrame of shape (n_rows, n_states)
        On the rows of the panels: 1 in the state, 0 out of it, NaN where unknown.
    state_rules, state_missing : mapping of name to text
        The rule of each state that could be built, and the reason for each that could not.
    state_series : tuple of str
        Series the states rest on.
    events : tuple of Event
        Declared events, in the order of their days.
    area_series : tuple of str
        Series the areas read beside those of the plan, as far as the snapshot has them.
    """

    config: StudyConfig
    plan: Plan
    snapshot: Snapshot
    catalog: Catalog
    panels: Mapping[Clock, Panel]
    states: pd.DataFrame
    state_rules: Mapping[str, str]
    state_missing: Mapping[str, str]
    state_series: tuple[str, ...]
    events: tuple[Event, ...] = ()
    area_series: tuple[str, ...] = ()

    @property
    def dates(self) -> pd.DatetimeIndex:
        """Rows of the panels."""
        return self.panels["after"].dates

    def label(self, series_id: str) -> str:
        """Return the short name of a series for people."""
        return str(self.catalog.entry(series_id).short)

    def returns(self, clock: Clock, names: tuple[str, ...]) -> Floats:
        """Return the columns of the named series, shape (n_rows, len(names))."""
        return self.panels[clock].returns[list(names)].to_numpy(dtype=np.float64)

    def twin_rows(self, clock: Clock, effect: str, cause: str) -> tuple[Floats, Floats, Floats, pd.DatetimeIndex]:
        """Return effect, cause and controls on common rows, and the dates that have all of them.

        A row that lacks any of them is NaN in all, so that a bivariate test and its conditional twin rest on the very
        same observations and differ by the conditioning alone.
        """
        controls = self.returns(clock, self.plan.controls) if self.plan.controls else np.empty((len(self.dates), 0))
        block = np.column_stack([self.returns(clock, (effect, cause)), controls])
        complete = np.isfinite(block).all(axis=1)
        block[~complete] = np.nan
        return block[:, 0], block[:, 1], block[:, 2:], self.dates[complete]

    def panel(self, clock: Clock, ids: tuple[str, ...]) -> Panel:
        """Align further series of the snapshot on the rows of this study; raises InputError for one it lacks."""
        last = pd.Timestamp(self.config.end or self.snapshot.cutoff)
        first = pd.Timestamp(self.config.start)
        weekend = self.config.weekend
        return panel.build(self.snapshot, self.catalog, ids=ids, start=first, end=last, clock=clock, weekend=weekend)

    def has(self, series_id: str) -> bool:
        """Say whether the snapshot holds a series."""
        return series_id in self.snapshot.series
