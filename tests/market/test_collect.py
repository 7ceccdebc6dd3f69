"""Gathering series: from a folder, from a local server that answers as the public sources do, from the simulator."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest

from analysis.errors import DataError, SourceError
from analysis.market import catalog as catalogs
from analysis.market import collect
from analysis.market.catalog import Catalog


@pytest.fixture(scope="module")
def book(repository: Path) -> Catalog:
    return catalogs.load(repository / "data" / "catalog.toml")


class _Answers(BaseHTTPRequestHandler):
    """Serve two FRED series and refuse every other request."""

    def do_GET(self) -> None:
        name = parse_qs(urlparse(self.path).query).get("id", [""])[0]
        known = name in ("CBBTCUSD", "VIXCLS")
        rows = "".join(f"2020-{1 + day // 28:02d}-{1 + day % 28:02d},{100 + day}\n" for day in range(60))
        body = f"observation_date,{name}\n{rows}".encode() if known else b"no such series"
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", "text/csv")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def server() -> Iterator[str]:
    running = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}/"
    running.shutdown()
    running.server_close()
    thread.join()


def test_live_series_arrive_and_the_others_have_a_reason(book: Catalog, server: str) -> None:
    collected = collect.from_live(book, base_urls={"fred": server, "famafrench": server})
    assert "CBBTCUSD" in collected.series
    assert set(collected.series) | set(collected.missing) == set(book.ids)
    assert "404" in collected.missing["CBETHUSD"]
    assert "supply it as a CSV file" in collected.missing["RUT"]


def test_no_answer_at_all_is_one_clear_error(book: Catalog, server: str) -> None:
    with pytest.raises(SourceError, match=r"none of the public sources.*make report DATA=folder"):
        collect.from_live(book, base_urls={"fred": f"{server}nothing?x=", "famafrench": server})


def test_online_answers_by_connecting(server: str) -> None:
    assert collect.online(server, environment=())
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    assert not collect.online(f"http://127.0.0.1:{port}/", environment=())
    assert collect.online(f"http://127.0.0.1:{port}/", environment=("HTTPS_PROXY",))


def test_a_folder_digest_follows_content_and_not_names_or_extras(book: Catalog, tmp_path: Path) -> None:
    (tmp_path / "RUT.csv").write_text("date,value\n", encoding="utf-8")
    first = collect.folder_digest(tmp_path, book)
    (tmp_path / "README.txt").write_text("x", encoding="utf-8")
    assert collect.folder_digest(tmp_path, book) == first
    (tmp_path / "RUT.csv").rename(tmp_path / "rut.csv")
    assert collect.folder_digest(tmp_path, book) == first
    (tmp_path / "rut.csv").write_text("date,value\n2020-01-01,1\n", encoding="utf-8")
    assert collect.folder_digest(tmp_path, book) != first


def test_prices_must_be_positive_and_rates_need_not(book: Catalog, tmp_path: Path) -> None:
    rows = "".join(f"2020-{1 + day // 28:02d}-{1 + day % 28:02d},{1 - day}\n" for day in range(60))
    (tmp_path / "DGS10.csv").write_text("date,value\n" + rows, encoding="utf-8")
    assert "DGS10" in collect.from_folder(tmp_path, book).series
    (tmp_path / "RUT.csv").write_text("date,value\n" + rows, encoding="utf-8")
    with pytest.raises(DataError, match=r"RUT\.csv"):
        collect.from_folder(tmp_path, book)
