from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from analysis.errors import ConfigError
from analysis.market import catalog

REQUIRED = [
    "RUT",
    "NASDAQNQUSS",
    "IWM",
    "FF_ME_LO30",
    "IWM_ADJ",
    "SPX",
    "NASDAQNQUSL",
    "SP500",
    "SPY",
    "IXIC",
    "NASDAQCOM",
    "QQQ",
    "BTC",
    "ETH",
    "LTC",
    "XRP",
    "ADA",
    "BCH",
    "BNB",
    "DOGE",
    "LINK",
    "XLM",
    "SOL",
    "AVAX",
    "CBBTCUSD",
    "CBETHUSD",
    "CBLTCUSD",
    "CBBCHUSD",
    "BTCUSDT_BINANCE",
    "VIX",
    "VIXCLS",
    "DTWEXBGS",
    "DXY",
    "DGS2",
    "DGS10",
    "DFII10",
    "T10YIE",
    "DFF",
    "FEDFUNDS",
    "BAMLH0A0HYM2",
    "BAMLC0A0CM",
    "BAA10Y",
    "NFCI",
    "ANFCI",
    "STLFSI4",
    "WALCL",
    "WTREGEN",
    "RRPONTSYD",
    "M2SL",
    "CPIAUCSL",
    "UNRATE",
    "FF_MKTRF",
    "FF_SMB",
    "FF_HML",
    "FF_RF",
    "FF_ME_HI30",
    "BTC_COINMETRICS_2019",
]

SMALL = """
schema = 1
[licences]
free = "free for all"
[clocks]
close = { time = "16:00", zone = "America/New_York", session_close = true }
[series.AAA]
title = "An index"
short = "A"
role = "small_cap"
sources = [{ provider = "csvfile", id = "AAA" }]
alternatives = ["BBB"]
unit = "points"
observed = "close"
calendar = "XNYS"
transform = "log_return"
licence = "free"
[series.BBB]
title = "Another"
short = "B"
role = "small_cap"
sources = [{ provider = "fred", id = "BBB1" }]
unit = "points"
observed = { time = "16:00", zone = "America/New_York" }
calendar = "weekly"
publication = { lag_days = 3, time = "08:30", zone = "America/New_York" }
enters = "published"
transform = "log_return"
total_return = true
licence = "free"
"""


def load_text(folder: Path, text: str) -> catalog.Catalog:
    (folder / "catalog.toml").write_text(text, encoding="utf-8")
    return catalog.load(folder / "catalog.toml")


def test_every_required_id_is_declared(book: catalog.Catalog) -> None:
    assert [name for name in REQUIRED if name not in book] == []


def test_every_market_file_has_an_entry(book: catalog.Catalog, shared: Path) -> None:
    files = {path.stem for path in (shared / "data" / "market").glob("*.csv")}
    assert len(files) > 80
    assert sorted(files - set(book.ids)) == []


def test_declared_facts(book: catalog.Catalog) -> None:
    assert book.entry("BTC").observed.day_offset == 1
    assert book.entry("BTC_COINMETRICS_2019").observed.day_offset == 0
    assert book.entry("CBBTCUSD").asset == book.entry("BTC").asset == "BTC"
    assert (book.entry("WALCL").scale, book.entry("RRPONTSYD").scale) == (0.001, 1.0)
    assert {book.entry(name).unit for name in ("WALCL", "WTREGEN", "RRPONTSYD")} == {"billions of US dollars"}
    assert all(entry.sources[0].provider == "csvfile" and entry.sources[0].id == entry.id for entry in book)
    assert book.entry("IWM_ADJ").total_return
    assert not book.entry("RUT").total_return
    assert book.entry("VIX").observed.time == "16:15"
    assert {entry.id for entry in book.by_role("conditions")} == {"NFCI", "ANFCI", "STLFSI4"}
    assert all(entry.revised for entry in book.by_role("conditions"))


def test_alternatives_serve_the_same_role_or_asset(book: catalog.Catalog) -> None:
    for entry in book:
        for other in entry.alternatives:
            assert book.entry(other).role in {entry.role, "rate"}, entry.id
            if entry.role == "crypto":
                assert book.entry(other).asset == entry.asset, entry.id


def test_entries_are_frozen(book: catalog.Catalog) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        book.entry("RUT").scale = 2.0


def test_unknown_id_names_the_nearest(book: catalog.Catalog) -> None:
    with pytest.raises(ConfigError, match=r"no such series. Given: VXI. Allowed: nearest names: .*VIX"):
        book.entry("VXI")
    with pytest.raises(ConfigError, match="nearest names: RUT"):
        book.resolve("rut", ["RUT"])


def test_resolve_follows_the_order_and_says_so(book: catalog.Catalog) -> None:
    same = book.resolve("RUT", ["RUT", "IWM"])
    assert (same.used, same.substituted) == ("RUT", False)
    second = book.resolve("RUT", ["FF_ME_LO30", "NASDAQNQUSS"])
    assert (second.used, second.substituted) == ("NASDAQNQUSS", True)
    assert "NASDAQNQUSS (Nasdaq US Small Cap index) stands in" in second.note
    assert "not available either: IWM" in second.note
    total = book.resolve("RUT", {"IWM_ADJ"})
    assert "which includes dividends" in total.note
    none = book.resolve("WALCL", {"RUT"})
    assert (none.used, none.substituted) == (None, False)
    assert "it has no alternatives" in none.note


def test_small_file_and_fingerprint(tmp_path: Path) -> None:
    first = load_text(tmp_path, SMALL)
    assert first.ids == ("AAA", "BBB")
    assert len(first) == 2
    assert first.entry("AAA").observed.session_close
    assert load_text(tmp_path, "# a comment\n" + SMALL).fingerprint == first.fingerprint
    assert load_text(tmp_path, SMALL.replace("lag_days = 3", "lag_days = 4")).fingerprint != first.fingerprint


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('short = "A"', 'short = "A"\ncolour = "red"', r"unknown key 'colour' in table \[series.AAA\].*transform"),
        ("lag_days = 3", "lag_day = 3", r"unknown key 'publication.lag_day' in table \[series.BBB\].*lag_days"),
        ('[{ provider = "csvfile", id = "AAA" }]', '[{ provider = "csvfile", id = "AAA", x = 1 }]', "'sources.0.x'"),
        ("schema = 1", 'schema = 1\nauthor = "me"', r"unknown key 'author' in table \[top level\]"),
        ("schema = 1", "schema = 2", r"table \[top level\], key 'schema'"),
        ('unit = "points"\nobserved = "close"', 'observed = "close"', r"\[series.AAA\], key 'unit': Field required"),
        ('observed = "close"', 'observed = "dawn"', r"key 'observed'.*Given: dawn. Allowed: close"),
        ('zone = "America/New_York", session', 'zone = "America/Gotham", session', "not a time zone of the IANA"),
        ('zone = "America/New_York", session', 'zone = "../etc/passwd", session', "not a time zone of the IANA"),
        ('time = "08:30"', 'time = "24:30"', "publication.time"),
        ('role = "small_cap"', 'role = "smallcap"', r"key 'role'.*'small_cap'"),
        ('provider = "fred"', 'provider = "yahoo"', "sources.0.provider"),
        ('alternatives = ["BBB"]', 'alternatives = ["BBC"]', "no such series. Given: BBC. Allowed: BBB"),
        ('alternatives = ["BBB"]', 'alternatives = ["AAA"]', "its own alternative"),
        ("lag_days = 3", "lag_days = 3, lag_sessions = 1", "exactly one of lag_days and lag_sessions"),
        ('enters = "published"', 'enters = "observed"', "must enter when it is published"),
        ('publication = { lag_days = 3, time = "08:30", zone = "America/New_York" }\n', "", "needs a publication"),
        ('observed = { time = "16:00"', 'observed = { day_offset = 5, time = "16:00"', "published before observed"),
        ('calendar = "XNYS"', 'calendar = "daily"', "session_close is for series of the XNYS calendar"),
        ("[series.BBB]", "[series.bbb]", "bbb"),
        ("total_return = true", "total_return = 1", "total_return"),
        ("total_return = true", "scale = 0.0", "scale"),
        ("total_return = true", "scale = inf", "scale"),
        ("total_return = true", 'id = "CCC"', "the id is the table's name"),
        ("schema = 1", "schema = ", "not valid TOML"),
        ("[series.BBB]", "[series.AAA]", "not valid TOML"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in SMALL
    with pytest.raises(ConfigError, match=words):
        load_text(tmp_path, SMALL.replace(old, new))


def test_unreadable_empty_and_oversized_files(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        catalog.load(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="declares no series"):
        load_text(tmp_path, "schema = 1\n")
    with pytest.raises(ConfigError, match="too large"):
        load_text(tmp_path, SMALL + "#" * catalog.SIZE_LIMIT_BYTES)
