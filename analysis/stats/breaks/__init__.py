"""Breaks: is there one, when, and is a declared date special.

`sup_f` and `cusum` ask whether there is any, `bai_perron` and `sequential_breaks` date several, `chow_test` and
`before_after` judge declared dates, `placebo_dates` asks whether these are special, `robust_sup_f` and `score_cusum`
withstand changing variance, `correlation_break` looks at a correlation and `rolling_link` at its path.
"""

from __future__ import annotations

from analysis.stats.breaks.around_dates import before_after
from analysis.stats.breaks.chow import ChowResult, chow_test
from analysis.stats.breaks.correlation import BreakTestResult, correlation_break
from analysis.stats.breaks.dates import BreakDates, bai_perron
from analysis.stats.breaks.placebo import PlaceboDatesResult, placebo_dates
from analysis.stats.breaks.robust import robust_sup_f, score_cusum
from analysis.stats.breaks.sequential import SequentialBreaks, sequential_breaks
from analysis.stats.breaks.unknown_date import cusum, sup_f
from analysis.stats.breaks.windows import RollingLink, rolling_link

__all__ = [
    "BreakDates",
    "BreakTestResult",
    "ChowResult",
    "PlaceboDatesResult",
    "RollingLink",
    "SequentialBreaks",
    "bai_perron",
    "before_after",
    "chow_test",
    "correlation_break",
    "cusum",
    "placebo_dates",
    "robust_sup_f",
    "rolling_link",
    "score_cusum",
    "sequential_breaks",
    "sup_f",
]
