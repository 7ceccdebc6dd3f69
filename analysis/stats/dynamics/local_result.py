"""The result of a local projection."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from analysis.results import Options, Result
from analysis.stats.dynamics.result import draw_path

REFERENCE = (
    "Jordà (2005), American Economic Review 95; Montiel Olea and Plagborg-Møller (2021), Econometrica 89; "
    "Montiel Olea and Plagborg-Møller (2019), Journal of Applied Econometrics 34 (joint bands)"
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LocalProjection(Result):
    """Responses to one unit of the shock's innovation, by horizon and responding series.

    Attributes
    ----------
    names : tuple of str
        The R responding series.
    horizons : tuple of int
        The H horizons in steps; 0 is the step of the shock itself.
    estimate, standard_error, lower, upper : ndarray of shape (H, R)
        Response with its pointwise limits.
    joint_lower, joint_upper : ndarray of shape (H, R) or None
        Band that holds the whole path of a series at once with the stated coverage.
    critical : ndarray of shape (R,) or None
        Half width of that band in standard errors.
    pvalue : ndarray of shape (R,) or None
        Test that a series responds at no horizon: largest t with the null imposed.
    peak, half : tuple of int, or None
        Horizon of the largest absolute response, and first horizon with at least half of it.
    peak_interval, half_interval : tuple of (int, int), or None
    nobs : ndarray of shape (H, R)
        Rows used.
    """

    plottable: ClassVar[bool] = True

    method: str
    shock: str
    names: tuple[str, ...]
    horizons: tuple[int, ...]
    estimate: np.ndarray
    standard_error: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    joint_lower: np.ndarray | None = None
    joint_upper: np.ndarray | None = None
    critical: np.ndarray | None = None
    pvalue: np.ndarray | None = None
    peak: tuple[int, ...] | None = None
    peak_interval: tuple[tuple[int, int], ...] | None = None
    half: tuple[int, ...] | None = None
    half_interval: tuple[tuple[int, int], ...] | None = None
    interval_level: float
    lags: int
    nobs: np.ndarray
    nobs_lost: int
    options: Options = field(default_factory=Options)
    warnings: tuple[str, ...] = ()
    reference: str = REFERENCE

    def summary(self) -> str:
        """Return each response at its first and last horizon, with limits."""
        kind = "cumulative response" if self.options["cumulative"] else "response"
        lines = [f"{self.method} ({self.options['cov']}): {kind} to one unit of {self.shock}"]
        for r, name in enumerate(self.names):
            for h in dict.fromkeys((0, len(self.horizons) - 1)):
                lines.append(
                    f"  {name}, horizon {self.horizons[h]}: {self.estimate[h, r]:.6g} "
                    f"[{self.lower[h, r]:.6g}, {self.upper[h, r]:.6g}]"
                )
            if self.pvalue is not None:
                lines.append(f"  {name}: no response at any horizon, p = {self.pvalue[r]:.4g}")
        lines.append(f"  n = {self.nobs.max()} at most ({self.nobs_lost} lost), lags = {self.lags}")
        lines.extend(f"  Warning: {warning}" for warning in self.warnings)
        return "\n".join([*lines, f"  Reference: {self.reference}"])

    def to_frame(self) -> pd.DataFrame:
        """Return one row a response and horizon."""
        shape = self.estimate.T.shape
        r, h = (axis.ravel() for axis in np.indices(shape))
        frame = pd.DataFrame({"response": [self.names[i] for i in r], "horizon": [self.horizons[i] for i in h]})
        for name in ("estimate", "standard_error", "lower", "upper", "joint_lower", "joint_upper", "nobs"):
            values = getattr(self, name)
            frame[name] = None if values is None else values.T.ravel()
        return frame

    def plot(self, ax: Any = None, *, response: int = 0) -> Any:
        """Draw one response with its joint band, or its pointwise limits where there is none."""
        low = self.lower if self.joint_lower is None else self.joint_lower
        high = self.upper if self.joint_upper is None else self.joint_upper
        limits = low[:, response], high[:, response]
        title = f"{self.shock} to {self.names[response]}"
        path = self.estimate[:, response]
        return draw_path(ax, self.horizons, path, limits, "Steps after the shock", "Response", title)
