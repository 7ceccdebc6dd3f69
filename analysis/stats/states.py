"""Observed states as the state tests use them: a checked 0/1 series and its spells."""

from __future__ import annotations

from typing import Any

import numpy as np

from analysis.errors import InputError
from analysis.stats.regression import as_series

LABELS = ("outside", "inside")
FEW_EPISODES = 5


def as_state(values: Any, length: int) -> np.ndarray:
    """Return the state as floats of shape (n,): 1 inside, 0 outside, NaN unknown; raises InputError on other values."""
    state = as_series("state", values, length)
    known = state[np.isfinite(state)]
    if not np.isin(known, (0.0, 1.0)).all():
        raise InputError(
            "a state must be true or false",
            given=f"first other value {known[~np.isin(known, (0.0, 1.0))][0]:g}",
            limit="False/True, 0/1, NaN for unknown",
            remedy="choose a threshold with information dated before the effect and compare with it",
        )
    return state


def count_episodes(state: np.ndarray, used: np.ndarray) -> tuple[int, int]:
    """Count the spells outside and inside that hold at least one used row.

    Parameters
    ----------
    state : ndarray of shape (n,)
        0, 1 or NaN by time; an unknown date ends a spell.
    used : ndarray of bool, shape (n,)
        Rows that enter the estimate.
    """
    marks = np.where(np.isfinite(state), state, -1.0)
    spell = np.cumsum(np.concatenate([[True], marks[1:] != marks[:-1]]))
    outside, inside = (int(np.unique(spell[used & (marks == value)]).size) for value in (0.0, 1.0))
    return outside, inside


def short_state(state: np.ndarray, used: np.ndarray, minimum: int) -> str:
    """Return why the states cannot be compared, or an empty text."""
    counts = [int((used & (state == value)).sum()) for value in (0.0, 1.0)]
    for label, count in zip(LABELS, counts, strict=True):
        if count == 0:
            return f"the state does not vary: no usable row is {label} it"
        if count < minimum:
            return f"only {count} usable rows are {label} the state, fewer than {minimum}"
    return ""


def episode_warnings(episodes: tuple[int, int]) -> tuple[str, ...]:
    """Warn where a state consists of few spells, for spells and not rows are the independent evidence on it."""
    return tuple(
        f"only {count} episode(s) {label} the state; rows within an episode are not independent evidence"
        for label, count in zip(LABELS, episodes, strict=True)
        if count < FEW_EPISODES
    )
