"""Execute a plan: families in parallel, every result into the ledger, corrections over the whole family."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed

import numpy as np
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from analysis.results import Inapplicable
from analysis.stats.granger_bootstrap import Signs
from analysis.stats.multiplicity import adjust, romano_wolf
from analysis.study import run_chapter, run_leads, run_series, run_states
from analysis.study.area import Runner as AreaRunner
from analysis.study.areas.registry import AREAS
from analysis.study.calls import Call, Family
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.study.store import Store, visible

Say = Callable[[str], None]

Runner = Callable[[Call, Family, Inputs, Signs | None], list[Entry]]

RUNNERS: Mapping[str, Runner] = {
    "granger": run_leads.run_granger,
    "drivers": run_leads.run_drivers,
    "beta": run_leads.run_beta,
    "weekend": run_leads.run_weekend,
    "correlation": run_leads.run_correlation,
    "correlation_side": run_leads.run_correlation_side,
    "state_granger": run_states.run_state_granger,
    "state_correlation": run_states.run_state_correlation,
    "diagnostics": run_series.run_diagnostics,
    "record": run_series.run_record,
}
AREA_RUNNERS: Mapping[str, AreaRunner] = {kind: runner for area in AREAS for kind, runner in area.runners.items()}
_AREA_OF = {kind: area.name for area in AREAS for kind in area.runners}
_LONG = ("quantile", "varying", "instability", *(kind for area in AREAS for kind in area.long))
_BOOTSTRAPPED = ("granger", "drivers", "beta", "weekend", "state_granger", "state_correlation")


def execute(
    inputs: Inputs, *, draws: int, say: Say | None = None, workers: int | None = None, store: Store | None = None
) -> Ledger:
    """Run every family of a plan and return the ledger.

    Parameters
    ----------
    inputs : Inputs
        Aligned data and the plan.
    draws : int
        Bootstrap draws of each test.
    say : callable, optional
        Receives one line for each finished family when nobody watches a progress bar.
    workers : int, optional
        Threads; the results do not depend on it, since every family has its own random generator and linear algebra
        runs on one thread.
    store : Store, optional
        Results of earlier builds; a family that is there is not computed again.
    """
    families = inputs.plan.families
    watched = sys.stderr.isatty()
    entries: list[Entry] = run_states.describe_states(inputs)
    again = 0
    with threadpool_limits(1), ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        # The longest families first, so that none of them starts when the others are done.
        longest_first = sorted(families, key=lambda family: family.calls[0].kind not in _LONG)
        jobs = {pool.submit(_kept_or_run, family, inputs, draws, store): family for family in longest_first}
        with tqdm(total=len(inputs.plan.calls), desc="tests", disable=not watched, leave=False) as bar:
            for job in as_completed(jobs):
                found, kept = job.result()
                entries += found
                again += kept
                bar.update(len(jobs[job].calls))
    if say is not None and not watched:
        used = f"; used again from before: {again} of {len(families)} families" if again else ""
        say(f"Study: {len(entries)} results{used}")
    return Ledger(tuple(sorted(entries, key=lambda entry: entry.id)))


def _kept_or_run(family: Family, inputs: Inputs, draws: int, store: Store | None) -> tuple[list[Entry], bool]:
    """Return the entries of a family, and whether they had been computed before."""
    seen = dataclasses.replace(inputs, config=visible(inputs.config, _AREA_OF.get(family.calls[0].kind, "")))
    if store is None:
        return run_family(family, seen, draws), False
    kept = store.load(family, seen.config)
    if kept is not None:
        return kept, True
    entries = run_family(family, seen, draws)
    store.save(family, seen.config, entries)
    return entries, False


def run_family(family: Family, inputs: Inputs, draws: int) -> list[Entry]:
    """Run the tests of one family on shared bootstrap draws, and correct them together."""
    kind = family.calls[0].kind
    bootstrapped = kind in _BOOTSTRAPPED and not family.calls[0].covariance
    signs = run_leads.signs_for(inputs, f"family.{family.name}", draws) if bootstrapped else None
    if kind in run_chapter.BEYOND:
        entries = [entry for call in family.calls for entry in run_chapter.run_beyond(call, family, inputs, draws)]
    elif kind in AREA_RUNNERS:
        entries = [entry for call in family.calls for entry in AREA_RUNNERS[kind](call, family, inputs, draws)]
    else:
        entries = [entry for call in family.calls for entry in RUNNERS[kind](call, family, inputs, signs)]
    if family.adjustment == "none":
        return entries
    tested = [entry for entry in entries if entry.family == family.name]
    joint = family.adjustment == "romano-wolf" and signs is not None
    corrected = _romano_wolf(family, tested, inputs, signs) if joint and signs is not None else _bh(tested)
    return [corrected.get(entry.id, entry) for entry in entries]


def _bh(tested: list[Entry]) -> dict[str, Entry]:
    """Control the false discovery rate; tests that could not be run stay in the denominator."""
    known = [entry for entry in tested if entry.pvalue is not None]
    if not known:
        return {}
    pvalues = np.array([entry.pvalue for entry in known])
    adjusted = adjust(pvalues, method="bh", family_size=len(tested)).adjusted
    name = f"Benjamini-Hochberg over {len(tested)} tests"
    return {
        entry.id: dataclasses.replace(entry, pvalue_adjusted=float(value), adjustment=name)
        for entry, value in zip(known, adjusted, strict=True)
    }


def _romano_wolf(family: Family, tested: list[Entry], inputs: Inputs, signs: Signs) -> dict[str, Entry]:
    """Control the family-wise error by the joint bootstrap; tests that could not be run stay in the denominator."""
    by_id = {entry.id: entry for entry in tested}
    observed, draws, names = [], [], []
    for call in family.calls:
        answer = run_leads.granger_draws(call, inputs, signs)
        if isinstance(answer, Inapplicable):
            continue
        observed.append(answer[0])
        draws.append(answer[1])
        names.append(call.id)
    if not names:
        return {}
    adjusted = romano_wolf(np.array(observed), np.column_stack(draws), family_size=len(tested)).adjusted
    label = f"Romano-Wolf step-down over {len(tested)} tests"
    return {
        name: dataclasses.replace(by_id[name], pvalue_adjusted=float(value), adjustment=label)
        for name, value in zip(names, adjusted, strict=True)
    }
