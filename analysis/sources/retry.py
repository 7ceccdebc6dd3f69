"""Ask a web server with patience and within bounds: limited attempts, known pauses, limited size and time."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import requests
import urllib3

from analysis.errors import InputError, SourceError

MAX_BYTES = 64 * 1024 * 1024
RETRIED_STATUS = frozenset({429, 500, 501, 502, 503, 504})
_CHUNK = 1 << 16
_SECRET_WORDS = ("key", "token", "secret", "password", "signature", "auth", "credential")
_TRANSIENT = (
    requests.exceptions.ConnectionError,
    requests.exceptions.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
    urllib3.exceptions.HTTPError,
)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often, how long and with which pauses a server is asked.

    Attributes
    ----------
    attempts : int
        Requests in total, the first included.
    base_delay, max_delay : float
        Seconds before the second attempt, doubled before each further one up to `max_delay`. There is no jitter, so
        the waiting time of a failure is known: see `longest_wait`.
    max_retry_after : float
        Upper bound in seconds on a pause the server asks for in ``Retry-After``.
    connect_timeout, read_timeout : float
        Seconds to connect, and seconds of silence before an attempt is given up.
    total_timeout : float
        Seconds one attempt may last, so that a server that sends a byte now and then cannot hold the program.
    sleep : callable
        Takes seconds; replaced in tests.

    Examples
    --------
    >>> [RetryPolicy(base_delay=1.0, max_delay=3.0).delay(attempt) for attempt in (1, 2, 3)]
    [1.0, 2.0, 3.0]
    """

    attempts: int = 4
    base_delay: float = 0.5
    max_delay: float = 8.0
    max_retry_after: float = 30.0
    connect_timeout: float = 10.0
    read_timeout: float = 30.0
    total_timeout: float = 120.0
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise InputError("a retry policy needs at least one attempt", given=self.attempts)
        for name in ("base_delay", "max_delay", "max_retry_after"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise InputError(f"{name} must be zero or more seconds", given=getattr(self, name))
        for name in ("connect_timeout", "read_timeout", "total_timeout"):
            if not 0 < getattr(self, name) < float("inf"):
                raise InputError(f"{name} must be a positive number of seconds", given=getattr(self, name))

    def delay(self, attempt: int, retry_after: float | None = None) -> float:
        """Return the seconds to wait after a failed attempt (counted from 1)."""
        backoff = min(self.base_delay * 2.0 ** min(attempt - 1, 60), self.max_delay)
        return backoff if retry_after is None else max(backoff, min(retry_after, self.max_retry_after))

    @property
    def longest_wait(self) -> float:
        """Return the longest sum of pauses between attempts, in seconds."""
        return (self.attempts - 1) * max(self.max_delay, self.max_retry_after)


def get(
    url: str,
    *,
    policy: RetryPolicy,
    session: requests.Session | None = None,
    params: Any = None,
    headers: Mapping[str, str] | None = None,
    max_bytes: int = MAX_BYTES,
    hints: Mapping[int, tuple[str, str]] | None = None,
) -> requests.Response:
    """Fetch a URL under a retry policy and return the answer with its whole body read.

    Parameters
    ----------
    url : str
        Address with scheme http or https.
    policy : RetryPolicy
        Attempts, pauses and time limits. Connection errors, timeouts, broken transfers and the answers 429 and 500-504
        are tried again; any other answer is final.
    session : requests.Session, optional
        Used and left open; a fresh one is made and closed otherwise.
    max_bytes : int
        Largest body accepted, counted after decompression.
    hints : mapping of status code to (cause, remedy), optional
        What a final answer means at this provider.

    Raises
    ------
    SourceError
        No usable answer; names the address, the attempts made and the last answer.
    """
    if urlsplit(url).scheme.lower() not in ("http", "https"):
        raise SourceError("only http and https addresses are read", given=public_url(url), remedy="give a web address")
    own = session is None
    session = requests.Session() if session is None else session
    try:
        return _attempts(session, url, policy, {"params": params, "headers": headers}, max_bytes, hints or {})
    finally:
        if own:
            session.close()


def _attempts(
    session: requests.Session,
    url: str,
    policy: RetryPolicy,
    request: dict[str, Any],
    max_bytes: int,
    hints: Mapping[int, tuple[str, str]],
) -> requests.Response:
    last = ""
    for attempt in range(1, policy.attempts + 1):
        wished = None
        try:
            response = _once(session, url, policy, request, max_bytes)
        except _TRANSIENT as error:
            last = _describe(error)
        except (requests.exceptions.RequestException, ValueError) as error:
            raise SourceError(
                f"the address {public_url(url)} cannot be read (attempt {attempt})",
                cause=_describe(error),
                remedy="check the address",
            ) from error
        else:
            if response.status_code == requests.codes.ok:
                return response
            last = f"HTTP {response.status_code} {response.reason or ''}".strip()
            if response.status_code not in RETRIED_STATUS:
                cause, remedy = hints.get(response.status_code, ("the server refuses this address", "check it"))
                raise SourceError(f"{public_url(url)} answered {last} (attempt {attempt})", cause=cause, remedy=remedy)
            wished = retry_after(response.headers)
        if attempt < policy.attempts:
            policy.sleep(policy.delay(attempt, wished))
    raise SourceError(
        f"{public_url(url)} gave no usable answer in {policy.attempts} attempts; the last was: {last}",
        cause="the server is down, slow or limits requests, or there is no network",
        remedy="try again later, raise the attempts or the timeouts, or use a CSV file or a stored snapshot",
    )


def _once(
    session: requests.Session, url: str, policy: RetryPolicy, request: dict[str, Any], max_bytes: int
) -> requests.Response:
    """Make one request, read the body within the limits of size and time, and hand it on as a finished answer."""
    deadline = time.monotonic() + policy.total_timeout
    timeout = (policy.connect_timeout, policy.read_timeout)
    body = io.BytesIO()
    with session.get(url, timeout=timeout, stream=True, **request) as response:
        # read1 returns what has arrived, so that a trickle cannot hold the loop below the limits.
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            body.write(chunk)
            if body.tell() > max_bytes:
                raise SourceError(
                    f"{public_url(url)} sends more than the allowed size",
                    limit=f"{max_bytes} bytes",
                    cause="this is not a file with one series",
                    remedy="check the address, or cut the file down",
                )
            if time.monotonic() > deadline:
                raise requests.exceptions.ReadTimeout(f"the answer took more than {policy.total_timeout:g} s")
    body.seek(0)
    response.raw = body
    return response


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the pause in seconds that a server asks for, or None; a date is counted from the server's own clock."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        until = parsedate_to_datetime(text)
        now = parsedate_to_datetime(headers.get("Date", ""))
        return max(0.0, (until - now).total_seconds())
    except (ValueError, TypeError):
        return None


def public_url(url: str) -> str:
    """Return an address fit for messages and manifests: without user, password, fragment and secret query values.

    Examples
    --------
    >>> public_url("https://me:pw@example.org/a.csv?id=RUT&api_key=123")
    'https://example.org/a.csv?id=RUT&api_key=hidden'
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    pairs = [
        (name, "hidden" if any(word in name.lower() for word in _SECRET_WORDS) else value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    ]
    return urlunsplit((parts.scheme, host, parts.path, urlencode(pairs), ""))


def _describe(error: Exception) -> str:
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return "no connection within the time limit"
    if isinstance(error, requests.exceptions.Timeout | urllib3.exceptions.ReadTimeoutError):
        return "no complete answer within the time limit"
    if isinstance(error, requests.exceptions.ConnectionError):
        return "the connection failed"
    if isinstance(error, urllib3.exceptions.ProtocolError | requests.exceptions.ChunkedEncodingError):
        return "the answer broke off before its end"
    return type(error).__name__


class PatientSession(requests.Session):
    """A session whose `get` follows a retry policy, for readers that insist on asking by themselves.

    Parameters
    ----------
    policy : RetryPolicy
        Attempts, pauses and time limits; the timeout a reader asks for is replaced by those of the policy.
    session : requests.Session, optional
        Does the asking; it stays open when the reader closes this one.
    max_bytes, hints
        As in `get`.

    Notes
    -----
    The reader must be made with ``retry_count=0`` so that the policy alone decides how often the server is asked.
    """

    def __init__(
        self,
        policy: RetryPolicy,
        session: requests.Session | None = None,
        *,
        max_bytes: int = MAX_BYTES,
        hints: Mapping[int, tuple[str, str]] | None = None,
    ) -> None:
        super().__init__()
        self._policy = policy
        self._inner = session
        self._max_bytes = max_bytes
        self._hints = dict(hints or {})

    def get(self, url: Any, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        """Fetch a URL under the policy; see `analysis.sources.retry.get`."""
        return get(
            str(url),
            policy=self._policy,
            session=self._inner,
            params=kwargs.get("params"),
            headers=kwargs.get("headers"),
            max_bytes=self._max_bytes,
            hints=self._hints,
        )
