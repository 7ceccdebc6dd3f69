"""Exhibits of the response paths: what a small hand-made ledger must show, and what stands where a result is absent."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.figures import dynamics as drawn
from analysis.publish.chapters import dynamics as exhibits
from analysis.publish.dialect import lint
from analysis.results import Inapplicable, Result
from analysis.stats.dynamics import equal_responses, local_projection, state_local_projection
from analysis.study.areas.dynamics import GROUPS, NULLS, TWINS
from analysis.study.entry import Entry
from analysis.study.ledger import Ledger
from analysis.study.settings import DynamicsSettings

ASSETS = ("BTC", "ETH", "SOL")
RNG = np.random.default_rng(1)
X = RNG.standard_normal(400)
Y = X[:, None] * [0.5, 1.0, 2.0] + RNG.standard_normal((400, 3))
STATE = (np.arange(400) // 25 % 2).astype(float)


def rng() -> np.random.Generator:
    return np.random.default_rng(2)


def inputs() -> Any:
    names = {"BTC": "Bitcoin", "ETH": "Ether", "SOL": "Solana"}
    settings = DynamicsSettings(older=("BTC", "ETH"), horizon=6, sum_horizon=3)
    return SimpleNamespace(
        plan=SimpleNamespace(small_cap="RUT", crypto=ASSETS),
        config=SimpleNamespace(dynamics=settings, level=0.05),
        label=names.__getitem__,
    )


def entry(result: Result | None, name: str, family: str, asset: str = "", **changes: Any) -> Entry:
    context = {"id": name, "family": family, "effect": asset, "cause": "RUT", "clock": "after"}
    if isinstance(result, Inapplicable):
        return Entry.from_result(result, **context)
    numbers = {"nobs": 390, "pvalue": 0.2, "pvalue_adjusted": 0.4, "adjustment": "BH", "level": 0.95} | changes
    text = "" if result is None else result.to_json()
    return Entry(**context, method="m", summary="s", result=text, **numbers)


def responses(asset: str, column: int, absent: bool) -> list[Entry]:
    out = []
    for part, first in (("path", 0), ("later", 1)):
        for twin in TWINS:
            result: Result = local_projection(
                np.column_stack([X, Y[:, column]]), shock=0, responses=1, lags=1, horizons=range(first, 7),
                cumulative=True, bootstrap=99, rng=rng(),
            )  # fmt: skip
            numbers = {"estimate": 1.5, "lower": 1.0, "upper": 2.0, "pvalue_adjusted": 0.001 if part == "path" else 0.6}
            if absent:
                result = Inapplicable(method="m", reason="too few rows")
            name = f"response.rut.{asset.lower()}.after.{part}.{twin}"
            out.append(entry(result, name, f"response-{part}-{twin}", asset, **numbers))
    return out


def make(absent: str = "", small: frozenset[str] = frozenset()) -> Ledger:
    """Return a ledger in which the tests of equality named in `small` stand."""
    entries = []
    for column, asset in enumerate(ASSETS):
        entries += responses(asset, column, asset == absent)
        name, key = f"response-share.rut.{asset.lower()}", "response-share"
        share = {"pvalue": None, "pvalue_adjusted": None, "adjustment": "", "estimate": 0.1 * (column + 1)}
        entries.append(entry(None, name, key, asset, lower=0.05, upper=0.4, **share))
        entries.append(entry(None, f"{name}.first", f"{key}.first", asset, lower=0.05, upper=0.4, **share))
        state = state_local_projection(Y[:, column], X, STATE, lags=1, horizons=3, bootstrap=99, rng=rng())
        for label in ("high_volatility", "liquidity_growing"):
            name = f"response-state.{label}.rut.{asset.lower()}"
            entries.append(entry(state, name, f"response-state.{label}", asset, estimate=0.3, lower=-0.1, upper=0.7))
    equal = equal_responses(Y, X, lags=1, horizons=3, bootstrap=99, rng=rng())
    for null in NULLS:
        for group in GROUPS:
            for twin in TWINS:
                p = 0.01 if f"{null}.{twin}" in small else 0.5
                numbers = {"estimate": 0.8, "lower": 0.2, "upper": 1.4, "pvalue_adjusted": p}
                name = f"response-equality.{null}.rut.{group}.{twin}"
                entries.append(entry(equal, name, "response-equality", **numbers))
    return Ledger(tuple(sorted(entries, key=lambda item: item.id)))


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return make()


def test_every_table_shows_every_asset_with_intervals(ledger: Ledger) -> None:
    made = exhibits.tables(ledger, inputs())
    assert set(made) == {"dynamics-size", "dynamics-timing", "dynamics-equality", "dynamics-states"}
    for name in ("dynamics-size", "dynamics-timing", "dynamics-states"):
        assert [row[0] for row in made[name].rows] == ["Bitcoin", "Ether", "Solana"]
    row = made["dynamics-size"].rows[1]
    path = ledger.entry("response.rut.eth.after.path.bivariate").loaded()
    assert row[1].startswith(f"{path.estimate[0, 0]:.2f} [{path.lower[0, 0]:.2f}, ")
    assert "1.50 [1.00, 2.00]" in row[2] or "1.5 [1.0, 2.0]" in row[2]
    assert row[-1] == "390"
    assert "20.0% [5.0%, 40.0%]" in made["dynamics-timing"].rows[1][5]
    assert [row[1] for row in made["dynamics-equality"].rows] == ["3", "2"] * 4
    assert made["dynamics-states"].rows[0][3] == str(int(STATE[1:].sum()))


def test_an_anchor_stands_once(ledger: Ledger) -> None:
    text = "".join(table.markdown() for table in exhibits.tables(ledger, inputs()).values())
    anchors = [part.split("}")[0] for part in text.split("]{#")[1:]]
    assert len(anchors) == len(set(anchors)) == len(ledger.entries)


def test_the_figure_holds_every_path_and_repeats(ledger: Ledger) -> None:
    made = exhibits.figures(ledger, inputs())
    assert tuple(made) == exhibits.FIGURES
    figure = made["dynamics-paths"]
    assert figure.svg == exhibits.figures(ledger, inputs())["dynamics-paths"].svg
    assert len(figure.data) == 3 * 2 * 7
    first = figure.data[(figure.data["label"] == "Solana") & (figure.data["horizon"] == 0)]
    assert (first["lower"] > 1.5).all()
    assert "alone, at first, 3 of 3 bands lie above zero" in figure.alt


def test_a_twin_without_data_is_named_in_the_figure() -> None:
    frame = pd.DataFrame(
        {"label": "A", "twin": "bivariate", "horizon": [0, 1], "estimate": 1.0, "lower": [0.5, -1], "upper": 2.0}
    )
    figure = drawn.paths(frame, name="x", caption="c")
    assert "no path exists beside the common drivers" in figure.alt
    assert "at last, 0 of 1 bands lie above zero and 1 hold it" in figure.alt


@pytest.mark.parametrize(
    ("small", "words"),
    [
        (frozenset(), "No difference between the responses of the assets is found"),
        (
            frozenset({"path.bivariate"}),
            "but no difference in timing is found; beside the common drivers no difference",
        ),
        (frozenset({"timing.bivariate"}), "at different times, but no difference between their whole paths"),
        (
            frozenset({"path.bivariate", "timing.bivariate", "path.conditional"}),
            "by different amounts and at different times; beside the common drivers the difference remains",
        ),
    ],
)
def test_the_answer_follows_the_ledger(small: frozenset[str], words: str) -> None:
    said = exhibits.sentences(make(small=small), inputs())
    assert words in said["answer"]
    assert "3 of 3 assets" in said["answer"]
    assert "(Bitcoin) and" in said["answer"]
    assert "(Solana)" in said["answer"]
    assert said["later"].count("none of 3") == 2
    assert "10.0% (Bitcoin) and 30.0% (Solana)" in said["shares"]
    verb = "differ" if "path.bivariate" in small else "show no difference"
    assert said["equality"].startswith(f"In the whole path the assets {verb} (p adj. = ")


def test_an_absent_asset_says_why() -> None:
    made = make(absent="ETH")
    row = exhibits.tables(made, inputs())["dynamics-size"].rows[1]
    assert row[1] == "not applicable: too few rows"
    assert "n/a" in row[2]
    assert set(exhibits.figures(made, inputs())["dynamics-paths"].data["label"]) == {"Bitcoin", "Solana"}
    assert "2 of 3 assets" in exhibits.sentences(made, inputs())["answer"]


def test_nothing_at_all_is_said_in_words(ledger: Ledger) -> None:
    gone = Ledger(
        tuple(
            Entry(id=e.id, family=e.family, effect=e.effect, cause=e.cause, status="inapplicable", reason="no data")
            for e in ledger.entries
            if not e.id.endswith(".first")
        )
    )
    said = exhibits.sentences(gone, inputs())
    assert said["answer"] == "No response path could be estimated: no data."
    assert "cannot be tested (no data)" in said["later"]
    assert "cannot be tested: no data" in said["states"]
    assert said["shares"] == "No share of variance could be computed."
    assert exhibits.figures(gone, inputs()) == {}
    for table in exhibits.tables(gone, inputs()).values():
        assert "nan" not in table.markdown().lower()


def test_the_chapter_types_no_result(repository: Path, tmp_path: Path) -> None:
    text = (repository / "reports" / "_dynamics.qmd").read_text(encoding="utf-8")

    def digits(words: str) -> list[str]:
        copy = tmp_path / "chapter.qmd"
        copy.write_text(words, encoding="utf-8")
        return [item.rule for item in lint(copy) if "digit" in item.rule or "number" in item.rule]

    assert digits(text) == []
    assert digits(text + "\nThe response is 0.7 percent.\n") != []
