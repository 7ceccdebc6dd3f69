"""The look of every figure, and its deterministic rendering to SVG with the data behind it."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec

import font_source_sans_pro
import matplotlib as mpl
import pandas as pd
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

NAVY = "#14375e"
RUST = "#b4501e"
GREY = "#6b6f76"
LIGHT = "#c9ccd1"
PALE = "#eef0f3"
INK = "#22262b"

FULL_WIDTH_INCHES = 6.6

Arguments = ParamSpec("Arguments")

_RC: dict[str, Any] = {
    "font.family": "Source Sans Pro",
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.titleweight": "semibold",
    "axes.titlelocation": "left",
    "axes.edgecolor": LIGHT,
    "axes.labelcolor": GREY,
    "axes.labelsize": 8.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "text.color": INK,
    "lines.linewidth": 1.2,
    "svg.fonttype": "path",
    "svg.hashsalt": "bellwether",
    "figure.constrained_layout.use": True,
    "axes.unicode_minus": True,
    "path.simplify_threshold": 0.4,
}


@dataclass(frozen=True, slots=True)
class FigureSpec:
    """A finished figure: its name, picture, data, caption and a text that says what is seen."""

    name: str
    svg: bytes
    data: pd.DataFrame
    caption: str
    alt: str

    def write(self, folder: Path) -> None:
        """Write the picture and the data behind it."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.name}.svg").write_bytes(self.svg)
        self.data.to_csv(folder / f"{self.name}.csv", index=False, lineterminator="\n", float_format="%.10g")

    def markdown(self, folder: str = "figures", width: str = "100%") -> str:
        """Return the figure as the document dialect writes it."""
        alt = self.alt.replace('"', "'")
        return f'![{self.caption}]({folder}/{self.name}.svg){{#fig-{self.name} fig-alt="{alt}" width={width}}}\n'


@functools.cache
def _register_fonts() -> None:
    # The fonts come with a pinned package, so that a figure has the same bytes on every machine.
    folder = Path(font_source_sans_pro.font_directory)
    for weight in ("Regular", "Semibold", "It"):
        font_manager.fontManager.addfont(str(folder / f"SourceSansPro-{weight}.ttf"))


def canvas(rows: int = 1, columns: int = 1, *, height_inches: float, **kwargs: Any) -> tuple[Figure, Any]:
    """Return an empty figure of full text width with its axes (an array when there are several)."""
    figure = Figure(figsize=(FULL_WIDTH_INCHES, height_inches))
    FigureCanvasSVG(figure)
    return figure, figure.subplots(rows, columns, **kwargs)


def to_svg(figure: Figure) -> bytes:
    """Render without a date and with a fixed salt for ids, so that equal input gives equal bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def styled(draw: Callable[Arguments, FigureSpec]) -> Callable[Arguments, FigureSpec]:
    """Draw a figure in the house style and leave the settings of matplotlib as they were."""

    @functools.wraps(draw)
    def drawn(*args: Arguments.args, **kwargs: Arguments.kwargs) -> FigureSpec:
        _register_fonts()
        with mpl.rc_context(_RC):
            return draw(*args, **kwargs)

    return drawn


def zero_line(axis: Axes, *, vertical: bool) -> None:
    """Mark zero where the sign matters."""
    draw = axis.axvline if vertical else axis.axhline
    draw(0.0, color=GREY, linewidth=0.8, zorder=1)


def direct_label(axis: Axes, x: float, y: float, text: str, color: str, **kwargs: Any) -> None:
    """Write a label beside what it names, so that no legend is needed."""
    axis.annotate(text, (x, y), color=color, fontsize=8.5, **{"va": "center", **kwargs})


def word_list(items: Sequence[str]) -> str:
    """Join names as prose does."""
    if len(items) < 2:
        return "".join(items)
    return ", ".join(items[:-1]) + " and " + items[-1]
