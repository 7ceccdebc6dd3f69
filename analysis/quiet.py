"""Silence or record the warnings of other libraries, one thread at a time.

The filters of `warnings` belong to the whole process: two threads that change them side by side leave each other's
behind.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_LOCK = threading.RLock()


@contextmanager
def quiet(*categories: type[Warning]) -> Iterator[None]:
    """Ignore the warnings of these categories inside the block."""
    with _LOCK, warnings.catch_warnings():
        for category in categories:
            warnings.simplefilter("ignore", category)
        yield


@contextmanager
def recorded(*ignored: str) -> Iterator[list[warnings.WarningMessage]]:
    """Record all warnings inside the block but those whose message begins with one of the texts."""
    with _LOCK, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for message in ignored:
            warnings.filterwarnings("ignore", message=message)
        yield caught
