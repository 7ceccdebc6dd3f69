"""Warnings of other libraries: silent or recorded, and the filters of the process are the same afterwards."""

from __future__ import annotations

import threading
import warnings

import pytest

from analysis.quiet import quiet, recorded


def test_only_the_named_categories_are_silent() -> None:
    with quiet(DeprecationWarning):
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        with pytest.raises(UserWarning, match="loud"):
            warnings.warn("loud", UserWarning, stacklevel=1)


def test_warnings_are_recorded_but_those_left_out() -> None:
    with recorded("not this") as caught:
        warnings.warn("not this one", UserWarning, stacklevel=1)
        warnings.warn("but this", UserWarning, stacklevel=1)
    assert [str(item.message) for item in caught] == ["but this"]


def test_many_threads_leave_the_filters_as_they_were() -> None:
    before = list(warnings.filters)
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(300):
                with quiet(DeprecationWarning):
                    warnings.warn("old", DeprecationWarning, stacklevel=1)
                with recorded() as caught:
                    warnings.warn("mine", UserWarning, stacklevel=1)
                assert len(caught) == 1
        except BaseException as error:  # noqa: BLE001 -- handed to the main thread
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert list(warnings.filters) == before
