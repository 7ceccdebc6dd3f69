"""A real web server on the loopback address that answers as it is told and counts what it is asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass
class Answer:
    """One scripted answer: `drip` sends the body byte by byte, `cut` promises more bytes than it sends."""

    body: bytes | str = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    wait: float = 0.0
    drip: float = 0.0
    cut: int = 0


class Site:
    """Answers in the order of the script; the last one repeats."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/"
        self.script: list[Answer] = []
        self.asked: list[str] = []

    def answers(self, *script: Answer) -> str:
        self.script = list(script)
        return self.url

    def next(self, path: str) -> Answer:
        self.asked.append(path)
        return self.script[min(len(self.asked), len(self.script)) - 1]


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        answer = self.server.site.next(self.path)
        body = answer.body.encode() if isinstance(answer.body, str) else answer.body
        time.sleep(answer.wait)
        try:
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body) + answer.cut))
            self.end_headers()
            if answer.drip:
                for position in range(len(body)):
                    self.wfile.write(body[position : position + 1])
                    self.wfile.flush()
                    time.sleep(answer.drip)
            else:
                self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            return  # the client gave up, as some tests intend

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def site() -> Iterator[Site]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        server.site = Site(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.site
        server.shutdown()
        thread.join()


@pytest.fixture
def answer() -> type[Answer]:
    return Answer


@pytest.fixture
def pauses() -> list[float]:
    """Collects the pauses a policy asked for instead of taking them."""
    return []
