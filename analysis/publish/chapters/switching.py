"""The chapter on calm and turbulence: the chance of turbulence over time, the link in either state, and thresholds."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.figures import switching as drawing
from analysis.figures.style import FigureSpec, word_list
from analysis.publish.anchors import marked
from analysis.publish.values import field_text, format_value
from analysis.stats.crosscorr_rolling import RollingCorrelation
from analysis.stats.switching.expanding import ExpandingProbabilities
from analysis.study.areas.switching_data import SOURCES, VARIABLES, Source
from analysis.study.calls import key
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.study.verdicts import is_significant
from analysis.tables.table import Column, TableSpec

FIGURES = ("switching-turbulence",)
QUESTIONS = {"same": "Same session", "lead": "Lead"}
_ASSET = Column("Asset", weight=11)
_WHO = {"small": "small caps are", "crypto": "crypto is"}


def figures(ledger: Ledger, inputs: Inputs) -> dict[str, FigureSpec]:
    """Return the chance of turbulence above the rolling correlation, where both exist."""
    history, rolling = (_maybe(ledger, f"switching-state.small.{name}") for name in ("history", "rolling"))
    if history is None or history.status != "ok" or rolling is None or rolling.status != "ok":
        return {}
    fits, path = history.loaded(), rolling.loaded()
    if not isinstance(fits, ExpandingProbabilities) or not isinstance(path, RollingCorrelation):
        return {}
    chance = fits.predicted[:, -1]
    columns = {}
    for name in ("estimate", "lower", "upper"):
        columns[name] = np.full(len(inputs.dates), np.nan)
        columns[name][path.position] = getattr(path, name)
    limit = inputs.config.switching.probability
    frame = pd.DataFrame(
        {
            "date": inputs.dates.strftime("%Y-%m-%d"),
            "chance": chance,
            "turbulent": np.where(np.isfinite(chance), (chance > limit).astype(np.float64), np.nan),
            "correlation": columns["estimate"],
            "lower": columns["lower"],
            "upper": columns["upper"],
        }
    )
    asset = inputs.label(inputs.plan.crypto[0])
    caption = (
        f"Turbulence of small caps and their correlation with {asset}. Above: chance of the turbulent state at each "
        "session, from earlier returns and parameters of earlier years only. Below: rolling correlation with its "
        "pointwise 95% interval; neighbouring windows share data."
    )
    figure = drawing.turbulence(
        frame, name=FIGURES[0], caption=caption, asset=asset, window=inputs.config.switching.rolling
    )
    return {FIGURES[0]: figure}


def _maybe(ledger: Ledger, name: str) -> Entry | None:
    return next((entry for entry in ledger.entries if entry.id == name), None)


def tables(ledger: Ledger, inputs: Inputs) -> dict[str, TableSpec]:
    """Return the link by state for both sources, by hidden regime, and by threshold."""
    made = {f"switching-{source}": _states(ledger, inputs, source) for source in SOURCES}
    made["switching-hidden"] = _hidden(ledger, inputs)
    made |= {f"switching-threshold-{question}": _thresholds(ledger, inputs, question) for question in QUESTIONS}
    made["switching-levels"] = _levels(ledger, inputs)
    return made


def _states(ledger: Ledger, inputs: Inputs, source: Source) -> TableSpec:
    columns = (
        _ASSET,
        Column("Correlation calm", "right", weight=10),
        Column("turbulent", "right", weight=9),
        Column("Difference, 95% interval", "right", weight=17),
        Column("p adj.", "right", weight=7),
        Column("Lead calm", "right", weight=8),
        Column("turbulent", "right", weight=9),
        Column("Difference, 95% interval", "right", weight=17),
        Column("p adj.", "right", weight=7),
        Column("N", "right", weight=7),
    )
    rows = []
    for asset in inputs.plan.crypto:
        cells: list[str] = []
        pair = f"{key(inputs.plan.small_cap)}.{key(asset)}"
        same, lead = (ledger.entry(f"switching-state.{source}.{kind}.{pair}") for kind in ("correlation", "lead"))
        for entry in (same, lead):
            if entry.status == "ok":
                sides = [field_text(ledger.entry(f"{entry.id}.{side}"), "estimate") for side in ("outside", "inside")]
                cells += [*sides, field_text(entry, "effect"), marked(entry, field_text(entry, "p_adj"))]
            else:
                cells += [marked(entry, f"{entry.status}: {entry.reason}"), "n/a", "n/a", "n/a"]
        rows.append((inputs.label(asset), *cells, field_text(same, "n") if same.status == "ok" else "n/a"))
    what = "small caps" if source == "small" else inputs.label(inputs.plan.crypto[0])
    caption = (
        f"While {what} {'are' if source == 'small' else 'is'} calm and while turbulent: same-session correlation (the "
        "difference is corrected for volatility) and lead of small caps. p adj.: of equality, corrected over all tests "
        "of the table."
    )
    return TableSpec(f"switching-{source}", columns, tuple(rows), caption)


def _hidden(ledger: Ledger, inputs: Inputs) -> TableSpec:
    columns = (
        _ASSET,
        Column("Lead in calm, 95% interval", "right", weight=18),
        Column("in turbulence, 95% interval", "right", weight=18),
        Column("Equal leads: p adj. alone", "right", weight=9),
        Column("beside", "right", weight=8),
        Column("No lead: p adj. alone", "right", weight=9),
        Column("beside", "right", weight=8),
        Column("N", "right", weight=7),
    )
    rows = []
    for asset in inputs.plan.crypto:
        base = f"{key(inputs.plan.small_cap)}.{key(asset)}"
        alone = ledger.entry(f"switching-hidden.{base}.equal")
        if alone.status == "ok":
            sides = [field_text(ledger.entry(f"switching-hidden.{base}.{side}"), "effect")
                     for side in ("calm", "turbulent")]  # fmt: skip
        else:
            sides = [f"{alone.status}: {alone.reason}", "n/a"]
        tests = [
            _p(ledger.entry(f"switching-hidden{tail}.{base}.{test}"))
            for test in ("equal", "any")
            for tail in ("", "-conditional")
        ]
        rows.append((inputs.label(asset), *sides, *tests, field_text(alone, "n") if alone.status == "ok" else "n/a"))
    caption = (
        "Lead of small caps in the hidden regimes of each asset, alone. p adj. of two tests: the lead is equal in "
        "both regimes; there is none in either; alone and beside the common drivers."
    )
    return TableSpec("switching-hidden", columns, tuple(rows), caption)


def _thresholds(ledger: Ledger, inputs: Inputs, question: str) -> TableSpec:
    names = [_short(variable.label) for variable in VARIABLES]
    columns = (_ASSET, *(Column(name, "right", weight=14) for name in names), Column("N", "right", weight=7))
    rows = []
    for asset in inputs.plan.crypto:
        base = f"{key(inputs.plan.small_cap)}.{key(asset)}"
        cells, nobs = [], "n/a"
        for variable in VARIABLES:
            pair = [
                ledger.entry(f"switching-threshold-{question}{tail}.{variable.name}.{base}")
                for tail in ("", "-conditional")
            ]
            cells.append("; ".join(_p(entry) for entry in pair))
            nobs = field_text(pair[0], "n") if pair[0].status == "ok" and nobs == "n/a" else nobs
        rows.append((inputs.label(asset), *cells, nobs))
    what = "response of the same session" if question == "same" else "lead of small caps"
    caption = (
        f"Does the {what} change at some level of a variable? p adj. of the largest statistic over all levels, "
        "alone; beside the common drivers. The correction runs over the assets of a variable; n/a: the test could not "
        "be run, the ledger says why."
    )
    return TableSpec(f"switching-threshold-{question}", columns, tuple(rows), caption)


def _levels(ledger: Ledger, inputs: Inputs) -> TableSpec:
    columns = (
        Column("Variable", weight=32),
        Column("Link", weight=13),
        Column("Level, 95% set", "right", weight=19),
        Column("Below, 95% interval", "right", weight=19),
        Column("Above, 95% interval", "right", weight=18),
        Column("p adj.", "right", weight=7),
        Column("N", "right", weight=7),
    )
    asset = inputs.plan.crypto[0]
    rows: list[tuple[str, ...]] = []
    for variable in VARIABLES:
        for question, words in QUESTIONS.items():
            base = f"switching-threshold-{question}.{variable.name}.{key(inputs.plan.small_cap)}.{key(asset)}"
            entry = ledger.entry(base)
            name = f"{_short(variable.label)}, {variable.unit}"
            if entry.status != "ok":
                rows.append((name, words, f"{entry.status}: {entry.reason}", "n/a", "n/a", "n/a", "n/a"))
                continue
            parts = [ledger.entry(f"{base}.{part}") for part in ("split", "below", "above")]
            texts = [marked(part, field_text(part, "effect")) for part in parts]
            rows.append((name, words, *texts, field_text(entry, "p_adj"), field_text(entry, "n")))
    caption = (
        f"{inputs.label(asset)}: where the link would change, with the levels that are not rejected as the split, and "
        "the response on either side. Where p adj. is not small there is no evidence of a split, and the sides "
        "describe the best-fitting one only."
    )
    return TableSpec("switching-levels", columns, tuple(rows), caption)


def _p(entry: Entry) -> str:
    return marked(entry, field_text(entry, "p_adj") if entry.status == "ok" else "n/a")


def _short(label: str) -> str:
    return label[:1].upper() + label[1:]


# --- sentences -------------------------------------------------------------------------------------------------------


def sentences(ledger: Ledger, inputs: Inputs) -> dict[str, str]:
    """Return the answer in one sentence, and one sentence a section."""
    return {
        "answer": _answer(ledger, inputs),
        "states": " ".join(_state_sentence(ledger, inputs, source) for source in SOURCES),
        "hidden": _hidden_sentence(ledger, inputs),
        "thresholds": _threshold_sentence(ledger, inputs),
    }


def _standing(ledger: Ledger, inputs: Inputs, family: str, part: str = "") -> tuple[list[Entry], int]:
    """Return the entries of a family that stand after correction, and how many there are."""
    entries = [entry for entry in ledger.family(family) if part in entry.id]
    return [entry for entry in entries if is_significant(entry, inputs.config.level)], len(entries)


def _answer(ledger: Ledger, inputs: Inputs) -> str:
    asset = inputs.plan.crypto[0]
    name = f"switching-state.small.correlation.{key(inputs.plan.small_cap)}.{key(asset)}"
    entry = ledger.entry(name)
    if entry.status != "ok":
        size = f"The link of {inputs.label(asset)} in calm and turbulence cannot be compared: {entry.reason}"
    else:
        inside, outside = (ledger.entry(f"{name}.{side}") for side in ("inside", "outside"))
        size = (
            f"{inputs.label(asset)} and small caps have a same-session correlation of {field_text(inside, 'effect')} "
            f"while small caps are turbulent and of {field_text(outside, 'effect')} while they are calm"
        )
    standing, total = _standing(ledger, inputs, "switching-state.small", ".correlation.")
    lead, leads = _standing(ledger, inputs, "switching-state.small", ".lead.")
    return (
        f"{size}; corrected for volatility and for the number of tests, the correlation differs for "
        f"{_of(len(standing), total)} assets and the lead for {_of(len(lead), leads)}."
    )


def _state_sentence(ledger: Ledger, inputs: Inputs, source: Source) -> str:
    history = ledger.entry(f"switching-state.{source}.history")
    if history.status != "ok":
        return f"Whether the link differs while {_WHO[source]} turbulent cannot be said: {history.reason}."
    calm, turbulent = (ledger.entry(f"{history.id}.{side}") for side in ("calm", "turbulent"))
    same, total = _standing(ledger, inputs, f"switching-state.{source}", ".correlation.")
    lead, leads = _standing(ledger, inputs, f"switching-state.{source}", ".lead.")
    who = "Small caps are" if source == "small" else f"{inputs.label(inputs.plan.crypto[0])} is"
    return (
        f"{who} turbulent in {format_value(history.estimate, 'percent')} of {field_text(history, 'n')} sessions, with "
        f"a yearly volatility of {field_text(turbulent, 'estimate')}% against {field_text(calm, 'estimate')}% by the "
        f"last estimates; there the same-session correlation differs for {_of(len(same), total)} assets{_signs(same)} "
        f"and the lead for {_of(len(lead), leads)}{_signs(lead)}."
    )


def _hidden_sentence(ledger: Ledger, inputs: Inputs) -> str:
    parts = []
    for tail, words in (("", "alone"), ("-conditional", "beside the common drivers")):
        equal, total = _standing(ledger, inputs, f"switching-hidden{tail}", ".equal")
        somewhere, tests = _standing(ledger, inputs, f"switching-hidden{tail}", ".any")
        parts.append(
            f"{words}, the lead differs between the hidden regimes for {_of(len(equal), total)} assets"
            f"{_names(inputs, equal)}, and there is a lead in one of them for {_of(len(somewhere), tests)}"
            f"{_names(inputs, somewhere)}"
        )
    return _short("; ".join(parts)) + "."


def _threshold_sentence(ledger: Ledger, inputs: Inputs) -> str:
    parts = []
    for question, words in (("same", "the response of the same session"), ("lead", "the lead")):
        found = []
        for variable in VARIABLES:
            standing, total = _standing(ledger, inputs, f"switching-threshold-{question}.{variable.name}")
            beside, _ = _standing(ledger, inputs, f"switching-threshold-{question}-conditional.{variable.name}")
            if standing or beside:
                found.append(
                    f"{variable.label} ({_of(len(standing), total)} assets alone, "
                    f"{_of(len(beside), total)} beside the drivers)"
                )
        parts.append(f"{words} changes at some level of {word_list(found)}" if found else
                     f"no level of any variable is found at which {words} changes")  # fmt: skip
    return _short("; ".join(parts)) + "."


def _of(count: int, total: int) -> str:
    return f"{'none' if count == 0 else format_value(count, 'count')} of {format_value(total, 'count')}"


def _signs(entries: list[Entry]) -> str:
    """Say in which direction the standing differences go, where their intervals have one."""
    if not entries:
        return ""
    higher = sum(1 for entry in entries if entry.lower is not None and entry.lower > 0)
    lower = sum(1 for entry in entries if entry.upper is not None and entry.upper < 0)
    if len(entries) in (higher, lower):
        return f" ({'higher' if higher else 'lower'} in turbulence)"
    counts = ((higher, "higher"), (lower, "lower"), (len(entries) - higher - lower, "without a clear direction"))
    said = [f"{words} for {format_value(count, 'count')}" for count, words in counts if count]
    return f" ({', '.join(said)} in turbulence)"


def _names(inputs: Inputs, entries: list[Entry]) -> str:
    return f" ({word_list([inputs.label(entry.effect) for entry in entries])})" if entries else ""
