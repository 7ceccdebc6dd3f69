"""Results of responses over time: local projections, impulse responses and shares of forecast error."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from analysis.results import Options, Result

INK, BAND = "#14375e", "#c9d3e0"


def draw_path(
    ax: Any, horizons: Any, estimate: Any, limits: tuple[Any, Any] | None, xlabel: str, ylabel: str, title: str
) -> Any:
    """Draw one path with its band and a zero line, on new axes where none are given."""
    if ax is None:
        from matplotlib.figure import Figure

        ax = Figure(figsize=(5.0, 2.6)).add_subplot()
    if limits is not None:
        ax.fill_between(horizons, *limits, color=BAND, linewidth=0)
    ax.plot(horizons, estimate, color=INK, marker="o", markersize=3)
    ax.axhline(0.0, color="0.2", linewidth=0.8)
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    ax.set_title(title)
    return ax


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VarFit(Result):
    """A vector autoregression fitted by least squares.

    Attributes
    ----------
    names : tuple of str
        Of the k series, in the order of the columns.
    coefs : ndarray of shape (p, k, k)
        ``coefs[j - 1, a, b]`` is the effect of series b at lag j on series a.
    terms : ndarray of shape (k, d)
        Deterministic coefficients of each equation: nothing, the constant, or constant and trend.
    sigma : ndarray of shape (k, k)
        Covariance of the errors, dividing by rows less coefficients an equation.
    residuals : ndarray of shape (rows, k)
    lagged : ndarray of shape (rows, p k)
        Regressors beside the deterministic terms: lag 1 of all series, lag 2 of all series, ...
    rows : ndarray of shape (rows,)
        Position in the data of every row used.
    radius : float
        Largest modulus of the roots; below 1 for a stable autoregression.
    """

    method: str
    names: tuple[str, ...]
    coefs: np.ndarray
    terms: np.ndarray
    sigma: np.ndarray
    residuals: np.ndarray
    lagged: np.ndarray
    rows: np.ndarray
    radius: float
    lags: int
    trend: str
    nobs: int
    nobs_lost: int
    options: Options = field(default_factory=Options)
    warnings: tuple[str, ...] = ()
    reference: str

    def summary(self) -> str:
        """Return the fit as text: size, stability and error correlations."""
        spread = np.sqrt(np.diag(self.sigma))
        lines = [
            f"{self.method} of {', '.join(self.names)}",
            f"  n = {self.nobs} ({self.nobs_lost} lost), lags = {self.lags}, trend = {self.trend}",
            f"  largest root {self.radius:.6g}",
            "  error standard deviations " + ", ".join(f"{value:.6g}" for value in spread),
        ]
        lines.extend(f"  Warning: {warning}" for warning in self.warnings)
        return "\n".join([*lines, f"  Reference: {self.reference}"])

    def to_frame(self) -> pd.DataFrame:
        """Return one row a lag coefficient."""
        p, k, _ = self.coefs.shape
        lag, effect, cause = (axis.ravel() for axis in np.indices((p, k, k)))
        return pd.DataFrame(
            {
                "lag": lag + 1,
                "effect": [self.names[i] for i in effect],
                "cause": [self.names[i] for i in cause],
                "estimate": self.coefs.ravel(),
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ImpulseResponse(Result):
    """Responses of every series to a shock of one standard deviation in every series.

    Attributes
    ----------
    estimate : ndarray of shape (H + 1, k, k)
        ``estimate[h, i, j]`` is the response of series i, h steps after a shock in series j.
    lower, upper : ndarray of shape (H + 1, k, k) or None
        Pointwise limits.
    joint_lower, joint_upper : ndarray of shape (H + 1, k, k) or None
        Bands that hold the whole path of one response to one shock at once.
    """

    plottable: ClassVar[bool] = True

    method: str
    names: tuple[str, ...]
    horizons: tuple[int, ...]
    estimate: np.ndarray
    lower: np.ndarray | None = None
    upper: np.ndarray | None = None
    joint_lower: np.ndarray | None = None
    joint_upper: np.ndarray | None = None
    interval_level: float
    lags: int
    nobs: int
    nobs_lost: int
    options: Options = field(default_factory=Options)
    warnings: tuple[str, ...] = ()
    reference: str

    def summary(self) -> str:
        """Return the response of every series to every shock at the first and the last horizon."""
        lines = [f"{self.method}, horizons {self.horizons[0]} to {self.horizons[-1]}"]
        for j, shock in enumerate(self.names):
            for i, name in enumerate(self.names):
                path = self.estimate[:, i, j]
                lines.append(f"  {shock} to {name}: {path[0]:.6g} at first, {path[-1]:.6g} at last")
        lines.append(f"  n = {self.nobs} ({self.nobs_lost} lost), lags = {self.lags}")
        lines.extend(f"  Warning: {warning}" for warning in self.warnings)
        return "\n".join([*lines, f"  Reference: {self.reference}"])

    def to_frame(self) -> pd.DataFrame:
        """Return one row a horizon, response and shock."""
        h, i, j = (axis.ravel() for axis in np.indices(self.estimate.shape))
        frame = pd.DataFrame(
            {
                "horizon": [self.horizons[step] for step in h],
                "response": [self.names[row] for row in i],
                "shock": [self.names[column] for column in j],
                "estimate": self.estimate.ravel(),
            }
        )
        for name in ("lower", "upper", "joint_lower", "joint_upper"):
            values = getattr(self, name)
            frame[name] = None if values is None else values.ravel()
        return frame

    def plot(self, ax: Any = None, *, response: int = -1, shock: int = 0) -> Any:
        """Draw the response of one series (the last) to one shock (the first) with its pointwise limits."""
        limits = None
        if self.lower is not None and self.upper is not None:
            limits = self.lower[:, response, shock], self.upper[:, response, shock]
        title = f"{self.names[shock]} to {self.names[response]}"
        path = self.estimate[:, response, shock]
        return draw_path(ax, self.horizons, path, limits, "Steps after the shock", "Response", title)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VarianceDecomposition(Result):
    """Share of each series' forecast error variance that each shock explains.

    Attributes
    ----------
    estimate : ndarray of shape (H, k, k)
        ``estimate[h - 1, i, j]`` is the share of the error of a forecast of series i, h steps ahead, that shocks in
        series j explain. Rows sum to one.
    lower, upper : ndarray of shape (H, k, k) or None
    """

    method: str
    names: tuple[str, ...]
    estimate: np.ndarray
    lower: np.ndarray | None = None
    upper: np.ndarray | None = None
    interval_level: float
    lags: int
    nobs: int
    nobs_lost: int
    options: Options = field(default_factory=Options)
    warnings: tuple[str, ...] = ()
    reference: str

    def summary(self) -> str:
        """Return the shares at the longest horizon."""
        lines = [f"{self.method}, {len(self.estimate)} steps ahead"]
        for i, name in enumerate(self.names):
            shares = ", ".join(f"{shock} {self.estimate[-1, i, j]:.6g}" for j, shock in enumerate(self.names))
            lines.append(f"  {name}: {shares}")
        lines.append(f"  n = {self.nobs} ({self.nobs_lost} lost), lags = {self.lags}")
        lines.extend(f"  Warning: {warning}" for warning in self.warnings)
        return "\n".join([*lines, f"  Reference: {self.reference}"])

    def to_frame(self) -> pd.DataFrame:
        """Return one row a horizon, series and shock."""
        h, i, j = (axis.ravel() for axis in np.indices(self.estimate.shape))
        frame = pd.DataFrame(
            {
                "horizon": h + 1,
                "series": [self.names[row] for row in i],
                "shock": [self.names[column] for column in j],
                "estimate": self.estimate.ravel(),
            }
        )
        for name in ("lower", "upper"):
            values = getattr(self, name)
            frame[name] = None if values is None else values.ravel()
        return frame
