"""The one schema every stored series keeps, index included."""

from __future__ import annotations

from typing import cast

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaError, SchemaErrors

from analysis.errors import DataError
from analysis.market.calendars import DAY_NS

COLUMNS = ("value", "open", "high", "low", "volume")


def _increasing(dates: pd.Series) -> bool:
    return bool(np.all(np.diff(dates.to_numpy()).astype(np.int64) > 0))


def _midnight(dates: pd.Series) -> bool:
    return bool(np.all(dates.to_numpy().astype(np.int64) % DAY_NS == 0))


def _finite(values: pd.Series) -> bool:
    return not bool(np.isinf(values.to_numpy()).any())


_FINITE = pa.Check(_finite, error="numbers are finite")
_SCHEMA = pa.DataFrameSchema(
    {
        name: pa.Column("float64", checks=[_FINITE], nullable=name != "value", required=name == "value")
        for name in COLUMNS
    },
    index=pa.Index(
        "datetime64[ns]",
        name="date",
        nullable=False,
        checks=[
            pa.Check(_increasing, error="dates increase strictly"),
            pa.Check(_midnight, error="dates are midnights without a time of day"),
        ],
    ),
    strict=True,
)


def _first_complaint(error: SchemaError | SchemaErrors) -> str:
    first = error.schema_errors[0] if isinstance(error, SchemaErrors) else error
    return str(first).splitlines()[0]


def validate(frame: pd.DataFrame, series_id: str) -> pd.DataFrame:
    """Check a frame against the schema of a stored series.

    Parameters
    ----------
    frame : DataFrame
        DatetimeIndex `date` of unit ns; float64 columns, `value` always.
    series_id : str
        Named in the error.

    Raises
    ------
    DataError
        The frame breaks the schema.
    """
    if len(frame) == 0:
        raise DataError(f"{series_id} holds no observation", remedy="leave the series out and name it as missing")
    try:
        return cast(pd.DataFrame, _SCHEMA.validate(frame))
    except (SchemaError, SchemaErrors) as error:
        raise DataError(
            f"{series_id} breaks the schema of a series",
            cause=_first_complaint(error),
            limit="strictly increasing midnights named 'date'; float64 columns value, open, high, low, volume; "
            "no gap in 'value'",
            remedy="read the file through one of the sources, which put a series into this shape",
        ) from None
