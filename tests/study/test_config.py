"""Study files: what is accepted, and what a bad one is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.errors import ConfigError
from analysis.study import config


@pytest.fixture
def text(repository: Path) -> str:
    return (repository / "data" / "studies" / "default.toml").read_text(encoding="utf-8")


def _load(tmp_path: Path, text: str) -> config.StudyConfig:
    path = tmp_path / "study.toml"
    path.write_text(text, encoding="utf-8")
    return config.load(path)


def test_the_default_study_loads(repository: Path) -> None:
    study = config.load(repository / "data" / "studies" / "default.toml")
    assert study.small_cap == "RUT"
    assert study.crypto[0] == "BTC"
    assert study.bootstrap == 999
    assert len(study.series) == 1 + len(study.crypto) + len(study.controls)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("lags = 5", "lags = 0", "lags: .*greater than or equal to 1.*given 0"),
        ("lags = 5", "lags = 5\nlagz = 7", "lagz: unknown key"),
        ('"BTC", "ETH"', '"BTC", "BTC"', "unique"),
        ('"BTC", "ETH"', '"SPX", "ETH"', "one role only"),
        ("start = 2014-09-17", "start = 2014-09-17\nend = 2013-01-01", "later than start"),
        ('covariance = "HC3"', 'covariance = "magic"', "covariance"),
        ("lags = 5", "lags = 2", "too few for the chapter"),
        ("quantiles = [0.05,", "quantiles = [1.5,", "quantiles must increase"),
        ('weekend = "compound"', 'weekend = "calendar"', "weekend"),
        ("lags = 5", "lags = [", "not valid TOML"),
    ],
)
def test_a_bad_study_names_the_key(tmp_path: Path, text: str, old: str, new: str, message: str) -> None:
    assert old in text
    with pytest.raises(ConfigError, match=message):
        _load(tmp_path, text.replace(old, new, 1))


def test_a_missing_or_huge_or_binary_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        config.load(tmp_path / "none.toml")
    big = tmp_path / "big.toml"
    big.write_bytes(b"#" * 1_000_001)
    with pytest.raises(ConfigError, match="too large"):
        config.load(big)
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not UTF-8"):
        config.load(binary)
