"""The result protocol: frozen results, results that say why they do not exist, and lossless canonical JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, NoReturn

import numpy as np
import pandas as pd

from analysis.errors import InputError

_KINDS: dict[str, type[Result]] = {}


class Options(dict[str, Any]):
    """The settings a result was computed with: a mapping that cannot be changed after it was made."""

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("the options of a result are frozen")

    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = __ior__ = _refuse

    def __reduce__(self) -> tuple[object, ...]:
        return (Options, (dict(self),))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Result:
    """Base of every result: frozen, comparable, and lossless through JSON.

    Notes
    -----
    Array fields are copied and made read-only. Two results are equal when their canonical JSON is. A subclass is
    registered under its class name, so `from_dict` rebuilds the right kind.
    """

    plottable: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: object) -> None:
        # Plain super() would look up a cell that slots=True has replaced by then.
        super(Result, cls).__init_subclass__(**kwargs)
        _KINDS[cls.__name__] = cls

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, np.ndarray):
                frozen = np.array(value, copy=True)
                frozen.flags.writeable = False
                object.__setattr__(self, item.name, frozen)
            elif isinstance(value, list):
                object.__setattr__(self, item.name, tuple(value))
            elif isinstance(value, Mapping) and not isinstance(value, Options):
                object.__setattr__(self, item.name, Options(value))
            elif isinstance(value, np.generic):
                object.__setattr__(self, item.name, value.item())

    def summary(self) -> str:
        """Return the result as plain text: no clock, no object ids."""
        raise NotImplementedError

    def to_frame(self) -> pd.DataFrame:
        """Return a tidy frame: one row an estimate."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Return a dictionary of plain JSON types that `from_dict` turns back into an equal result."""
        return {"kind": type(self).__name__} | {item.name: encode(getattr(self, item.name)) for item in fields(self)}

    def to_json(self) -> str:
        """Return canonical JSON: sorted keys, no spaces, no bare NaN."""
        return json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False)

    def plot(self, ax: Any = None) -> Any:
        """Draw the result where a picture makes sense; otherwise say that there is none."""
        raise NotImplementedError(f"{type(self).__name__} has no picture; read summary() or to_frame()")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Result) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash(self.to_json())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TestResult(Result):
    """The parts every hypothesis test names in full.

    Attributes
    ----------
    method, null, alternative, reference : str
        What was done, what is tested against what, and the paper with equation or table.
    statistic, pvalue : float
        Always finite: a test that cannot be computed is an `Inapplicable` or `Failed` instead.
    distribution : str
        Name of the reference distribution, such as ``"F"``, ``"chi2"``, ``"normal"`` or ``"bootstrap"``.
    df : tuple of float
        Degrees of freedom of the reference distribution; empty where it has none.
    estimate, estimate_name, interval, interval_level
        The effect, what it is in words with its unit, its confidence interval and the level of that interval.
    nobs, nobs_lost : int
        Rows used, and rows given but lost to lags, gaps or missing values.
    lags : int or None
        Lag order, where the test has one.
    options : Mapping
        Every setting that changes the numbers.
    warnings : tuple of str
        What a careful reader must know before relying on the numbers.
    """

    __test__: ClassVar[bool] = False

    method: str
    null: str
    alternative: str
    statistic: float
    pvalue: float
    distribution: str
    df: tuple[float, ...] = ()
    estimate: float | None = None
    estimate_name: str = ""
    interval: tuple[float, float] | None = None
    interval_level: float = 0.95
    nobs: int
    nobs_lost: int = 0
    lags: int | None = None
    options: Mapping[str, Any] = field(default_factory=Options)
    warnings: tuple[str, ...] = ()
    reference: str

    def __post_init__(self) -> None:
        # Explicit base call: zero-argument super() does not survive slots=True.
        Result.__post_init__(self)
        for name in ("statistic", "pvalue"):
            if not math.isfinite(getattr(self, name)):
                raise InputError(
                    f"{type(self).__name__}.{name} must be finite",
                    given=getattr(self, name),
                    remedy="return Inapplicable or Failed with a reason instead of a number that does not exist",
                )
        if not 0.0 <= self.pvalue <= 1.0:
            raise InputError("a p-value must lie between 0 and 1", given=self.pvalue)

    def summary(self) -> str:
        """Return hypotheses, statistic, effect, sample and caveats as plain text."""
        lines = [self.method, f"  H0: {self.null}", f"  H1: {self.alternative}"]
        degrees = ", ".join(f"{value:g}" for value in self.df)
        label = f"{self.distribution}({degrees})" if degrees else self.distribution
        lines.append(f"  {label} = {self.statistic:.6g}, p = {self.pvalue:.4g}")
        if self.estimate is not None:
            text = f"  {self.estimate_name or 'estimate'} = {self.estimate:.6g}"
            if self.interval is not None:
                text += f", {self.interval_level:.0%} interval [{self.interval[0]:.6g}, {self.interval[1]:.6g}]"
            lines.append(text)
        lags = "" if self.lags is None else f", lags = {self.lags}"
        lines.append(f"  n = {self.nobs} ({self.nobs_lost} lost){lags}")
        lines.extend(f"  Warning: {warning}" for warning in self.warnings)
        lines.append(f"  Reference: {self.reference}")
        return "\n".join(lines)

    def to_frame(self) -> pd.DataFrame:
        """Return one row: statistic, p-value, effect with interval, and the sample it rests on."""
        low, high = self.interval if self.interval is not None else (None, None)
        return pd.DataFrame(
            {
                "method": [self.method],
                "statistic": [self.statistic],
                "pvalue": [self.pvalue],
                "distribution": [self.distribution],
                "df": [", ".join(f"{value:g}" for value in self.df)],
                "estimate_name": [self.estimate_name],
                "estimate": [self.estimate],
                "lower": [low],
                "upper": [high],
                "nobs": [self.nobs],
                "nobs_lost": [self.nobs_lost],
                "lags": [self.lags],
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Absent(Result):
    """Base of results that do not exist; they stay in the tables and count in the family's denominator."""

    method: str
    reason: str

    def summary(self) -> str:
        """Return the method and the reason there is no number."""
        return f"{self.method}\n  {type(self).__name__.lower()}: {self.reason}"

    def to_frame(self) -> pd.DataFrame:
        """Return one row that holds the reason instead of a number."""
        return pd.DataFrame({"method": [self.method], "status": [type(self).__name__.lower()], "reason": [self.reason]})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Inapplicable(Absent):
    """The test does not apply to this data, for the reason given."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Failed(Absent):
    """The test applies but its computation broke down, for the reason given."""


def encode(value: Any) -> Any:
    """Turn a field into plain JSON types; arrays and non-finite floats are tagged so that nothing is lost."""
    if isinstance(value, Result):
        return value.to_dict()
    if isinstance(value, np.ndarray):
        flat = [encode(item) for item in value.ravel().tolist()]
        return {"array": value.dtype.str, "shape": list(value.shape), "data": flat}
    if isinstance(value, np.generic):
        return encode(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": repr(value)}
    if isinstance(value, Mapping):
        return {"map": {str(key): encode(item) for key, item in value.items()}}
    if isinstance(value, tuple | list):
        return [encode(item) for item in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise InputError("a result field has a type that JSON cannot hold", given=type(value).__name__)


def decode(value: Any) -> Any:
    """Invert `encode`."""
    if isinstance(value, list):
        return tuple(decode(item) for item in value)
    if not isinstance(value, dict):
        return value
    if "kind" in value:
        return from_dict(value)
    if "array" in value:
        flat = [decode(item) for item in value["data"]]
        return np.array(flat, dtype=np.dtype(value["array"])).reshape(value["shape"])
    if "float" in value:
        return float(value["float"])
    return Options({key: decode(item) for key, item in value["map"].items()})


def known_kinds() -> frozenset[str]:
    """Return the kinds `from_dict` can rebuild: those whose modules have been imported."""
    return frozenset(_KINDS)


def from_dict(data: Mapping[str, Any]) -> Result:
    """Rebuild a result from `Result.to_dict`; raises InputError for an unknown kind."""
    kind = _KINDS.get(str(data.get("kind")))
    if kind is None:
        raise InputError("unknown kind of result", given=data.get("kind"), limit=", ".join(sorted(_KINDS)))
    return kind(**{key: decode(value) for key, value in data.items() if key != "kind"})
