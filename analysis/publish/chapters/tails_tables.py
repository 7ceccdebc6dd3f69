"""Tables on falling together: joint extremes, size of tail moves, betas, and all of it by state."""

from __future__ import annotations

from analysis.publish.anchors import marked
from analysis.publish.chapters.cells import DASH, state_label
from analysis.publish.values import field_text, format_value
from analysis.study.calls import key
from analysis.study.entry import Entry
from analysis.study.inputs import Inputs
from analysis.study.ledger import Ledger
from analysis.tables.table import Column, TableSpec

_ASSET = Column("Asset", weight=11)


def tables(ledger: Ledger, inputs: Inputs) -> dict[str, TableSpec]:
    """Return the tables: joint extremes, size of tail moves, betas, the main state, the other states."""
    made = (
        _extremes(ledger, inputs),
        _moves(ledger, inputs),
        _betas(ledger, inputs),
        _main(ledger, inputs),
        _others(ledger, inputs),
    )
    return {table.name: table for table in made}


def main_state(inputs: Inputs) -> str:
    """Return the state the claim is about: the first of the settings."""
    return inputs.config.tails.states[0]


def share(inputs: Inputs) -> str:
    """Return the share of sessions that count as a tail, as text."""
    return format_value(inputs.config.tails.share, "percent")


def find(ledger: Ledger, name: str) -> Entry | None:
    """Return an entry that exists only where its test could be run."""
    return next((entry for entry in ledger.entries if entry.id == name), None)


def _extremes(ledger: Ledger, inputs: Inputs) -> TableSpec:
    columns = (
        _ASSET,
        Column("Falls, 95% interval", weight=16),
        Column("Rises, 95% interval", weight=16),
        Column("Gaussian", "right", weight=7),
        Column("Falls less rises, 95% interval", weight=18),
        Column("p adj.", "right", weight=6),
        Column("Other clock, p adj.", "right", weight=8),
        Column("N", "right", weight=6),
    )
    rows = []
    for asset in inputs.plan.crypto:
        base = f"tail-asymmetry.{key(inputs.plan.small_cap)}.{key(asset)}"
        entry, twin = ledger.entry(f"{base}.after"), ledger.entry(f"{base}.before")
        parts = [_part(ledger, f"{base}.after.{name}") for name in ("falls", "rises", "gaussian")]
        rows.append((_label(entry, inputs, asset), *parts, _effect(entry), *_end(entry, marked(twin, _p(twin)))))
    caption = (
        f"Share of the sessions in the worst (falls) and best (rises) {share(inputs)} of small caps in which the "
        "asset is in its own; what a Gaussian copula of the same correlation gives in either; p: stationary bootstrap "
        "of sessions, false discovery rate over the assets. Other clock: the crypto day that ended before the close."
    )
    return TableSpec("tails", columns, tuple(rows), caption)


def _moves(ledger: Ledger, inputs: Inputs) -> TableSpec:
    columns = (
        _ASSET,
        Column("Falls, 95% interval", weight=22),
        Column("Rises, 95% interval", weight=19),
        Column("Falls less rises in size, 95% interval", weight=19),
        Column("p adj.", "right", weight=6),
        Column("Other way, p adj.", "right", weight=6),
        Column("Joint correlation, falls less rises", weight=16),
        Column("p adj.", "right", weight=6),
    )
    rows = []
    for asset in inputs.plan.crypto:
        small, other = key(inputs.plan.small_cap), key(asset)
        entry, back = ledger.entry(f"covar.{small}.{other}"), ledger.entry(f"covar.{other}.{small}")
        joint = ledger.entry(f"exceedance.{small}.{other}")
        moves = [_percent(find(ledger, f"{entry.id}.{name}")) for name in ("falls", "rises")]
        size = _percent(entry) if entry.status == "ok" else f"{entry.status}: {entry.reason}"
        rows.append(
            (
                _label(entry, inputs, asset),
                *moves,
                size,
                _p(entry),
                marked(back, _p(back)),
                marked(joint, _effect(joint)),
                _p(joint),
            )
        )
    tail = format_value(inputs.config.tails.quantile, "percent")
    caption = (
        f"How far the lower {tail} quantile of the asset's return moves when small caps go from their median to their "
        "own (falls), and the upper one when they go to theirs (rises), in log return (ΔCoVaR). Other way: the same "
        "for small caps given crypto. Joint correlation: that of joint falls less that of joint rises. p: stationary "
        "bootstrap, false discovery rate over the assets."
    )
    return TableSpec("tails-moves", columns, tuple(rows), caption)


def _betas(ledger: Ledger, inputs: Inputs) -> TableSpec:
    columns = (
        _ASSET,
        Column("Downside, 95% interval", weight=16),
        Column("Upside, 95% interval", weight=16),
        Column("Difference, 95% interval", weight=17),
        Column("p adj.", "right", weight=6),
        Column("Difference beside drivers", weight=17),
        Column("p adj.", "right", weight=6),
        Column("N", "right", weight=6),
    )
    rows = []
    for asset in inputs.plan.crypto:
        base = f"downside-beta.{key(inputs.plan.small_cap)}.{key(asset)}.after"
        entry, twin = ledger.entry(f"{base}.bivariate"), ledger.entry(f"{base}.conditional")
        sides = [_part(ledger, f"{entry.id}.{name}") for name in ("falls", "rises")]
        beside = (marked(twin, _effect(twin)), _p(twin))
        rows.append((_label(entry, inputs, asset), *sides, _effect(entry), *_end(entry, *beside)))
    caption = (
        "Percent change of the asset per percent fall and per percent rise of small caps in the same session, their "
        "difference alone, and beside the common drivers of the session. p: wild bootstrap, false discovery rate over "
        "the assets."
    )
    return TableSpec("tails-beta", columns, tuple(rows), caption)


def _main(ledger: Ledger, inputs: Inputs) -> TableSpec:
    columns = (
        _ASSET,
        Column("Downside beta in state, 95% interval", weight=16),
        Column("otherwise, 95% interval", weight=16),
        Column("Difference, 95% interval", weight=17),
        Column("p adj.", "right", weight=6),
        Column("In state, downside less upside", weight=17),
        Column("p adj.", "right", weight=6),
        Column("N in state", "right", weight=6),
    )
    state, rows = main_state(inputs), []
    for asset in inputs.plan.crypto:
        pair = f"{state}.{key(inputs.plan.small_cap)}.{key(asset)}"
        entry, within = ledger.entry(f"downside-state.{pair}"), ledger.entry(f"downside-within.{pair}")
        sides = [_part(ledger, f"{entry.id}.{name}") for name in ("inside-falls", "outside-falls")]
        count = field_text(within, "n") if within.status == "ok" else DASH
        numbers = (_effect(entry), _p(entry), marked(within, _effect(within)), _p(within), count)
        rows.append((_label(entry, inputs, asset), *sides, *numbers))
    caption = (
        f"Falls of small caps while the state “{state_label(state).lower()}” holds, known the session before, and "
        "otherwise; and falls against rises while it holds. p of the difference: the larger of a wild bootstrap and a "
        "rotation of the state's history; false discovery rate over the assets."
    )
    return TableSpec("tails-state", columns, tuple(rows), caption)


def _others(ledger: Ledger, inputs: Inputs) -> TableSpec:
    """Return one cell an asset, state and question: estimate and corrected p-value."""
    states = inputs.config.tails.states
    cells = [("downside-correlation", states[0], "correlation")]
    for state in states[1:]:
        cells += [
            ("downside-state", state, "beta"),
            ("downside-within", state, "falls less rises"),
            ("downside-correlation", state, "correlation"),
        ]
    columns = (_ASSET, *(Column(f"{state_label(state)}: {words}", "right", weight=12) for _, state, words in cells))
    rows = []
    for asset in inputs.plan.crypto:
        texts = []
        for kind, state, _ in cells:
            entry = ledger.entry(f"{kind}.{state}.{key(inputs.plan.small_cap)}.{key(asset)}")
            text = f"{field_text(entry, 'estimate')} ({_p(entry)})" if entry.status == "ok" else "n/a"
            texts.append(marked(entry, text))
        rows.append((inputs.label(asset), *texts))
    caption = (
        "The same in the other states, and the correlation among falls of small caps in each: difference between the "
        "state and its opposite (beta; correlation, corrected for the volatility of small caps) or between falls and "
        "rises in the state (in brackets: p adj.); n/a: cannot be tested, the ledger says why."
    )
    return TableSpec("tails-states", columns, tuple(rows), caption)


def _label(entry: Entry, inputs: Inputs, asset: str) -> str:
    return marked(entry, inputs.label(asset))


def _part(ledger: Ledger, name: str) -> str:
    """Return estimate and interval of an entry that exists only where its test could be run."""
    entry = find(ledger, name)
    return DASH if entry is None else marked(entry, field_text(entry, "effect"))


def _effect(entry: Entry) -> str:
    return field_text(entry, "effect") if entry.status == "ok" else f"{entry.status}: {entry.reason}"


def _p(entry: Entry) -> str:
    return field_text(entry, "p_adj") if entry.status == "ok" else "n/a"


def _end(entry: Entry, *between: str) -> tuple[str, ...]:
    return (_p(entry), *between, field_text(entry, "n") if entry.status == "ok" else DASH)


def _percent(entry: Entry | None) -> str:
    """Return a move in percent with its interval."""
    if entry is None or entry.estimate is None:
        return DASH
    low, high = (format_value(end, "percent") for end in (entry.lower, entry.upper))
    return f"{format_value(entry.estimate, 'percent')} [{low}, {high}]"
