"""How all pictures are drawn: one palette, paper and ink, cells, and how a figure becomes PNG bytes or markdown.

Every picture brings its own paper, because the same one is looked at on white pages and on dark ones. matplotlib is imported where
it draws, without pyplot's global state.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from sentiment_platform.errors import PermanentError
from sentiment_platform.statistics.arrays import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Colours carry lines and cells, ink carries text; each stands out from paper, and the difference is never in hue alone.
PALETTE = MappingProxyType(
    {
        "paper": "#fafaf8",
        "ink": "#2b2f36",
        "grey": "#767b84",
        "blue": "#2f6fc0",
        "orange": "#c05f14",
        "green": "#23794a",
        "red": "#c8372b",
    }
)
DPI = 144


def as_markdown(png: bytes, alt: str) -> str:
    """A markdown image with the picture inside, for `dg.MetadataValue.md`.

    Raises:
        PermanentError: bytes that are not a PNG.
    """
    if not png.startswith(b"\x89PNG\r\n\x1a\n"):
        raise PermanentError("These bytes are not a PNG.", remedy="Pass what a *_png function returned.")
    safe = alt.replace("\n", " ").replace("[", "(").replace("]", ")")
    return f"![{safe}](data:image/png;base64,{base64.b64encode(png).decode('ascii')})"


def new_figure(width_in: float, height_in: float, title: str) -> tuple[Figure, Axes]:
    """An empty figure of that size in inches, with its one plot."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_in, height_in), dpi=DPI, layout="constrained", facecolor=PALETTE["paper"])
    return figure, dressed(figure.add_subplot(), title)


def dressed(axes: Any, title: str) -> Axes:
    """The same axes on paper, in ink, without a frame above and at the right."""
    axes.set_title(title, color=PALETTE["ink"], fontsize=11)
    axes.set_facecolor(PALETTE["paper"])
    axes.tick_params(colors=PALETTE["ink"], labelsize=9)
    axes.xaxis.label.set_color(PALETTE["ink"])
    axes.yaxis.label.set_color(PALETTE["ink"])
    for side, spine in axes.spines.items():
        spine.set_color(PALETTE["ink"])
        spine.set_visible(side in ("left", "bottom"))
    return axes


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two #rrggbb colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    light = sorted(_luminance(_rgb(colour)) for colour in (one, other))
    return (light[1] + 0.05) / (light[0] + 0.05)


def blend(colour: str, strength: float) -> str:
    """`colour` laid on paper with a strength from 0 (paper) to 1."""
    mixed = strength * _rgb(colour) + (1.0 - strength) * _rgb(PALETTE["paper"])
    return "#" + "".join(f"{round(255 * float(channel)):02x}" for channel in mixed)


def _rgb(colour: str) -> Floats:
    return np.asarray([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])


def _luminance(rgb: Floats) -> float:
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ np.asarray([0.2126, 0.7152, 0.0722]))


def cell(axes: Axes, x: float, y: float, text: str, colour: str, strength: float) -> None:
    """A square of `colour` with a strength from 0 to 1, and its text in the ink that is read best on it."""
    from matplotlib.patches import Rectangle

    fill = blend(colour, 0.08 + 0.92 * min(1.0, strength))
    ink = max(("#ffffff", PALETTE["ink"]), key=lambda candidate: contrast(candidate, fill))
    axes.add_patch(Rectangle((x - 0.48, y - 0.46), 0.96, 0.92, facecolor=fill))
    axes.text(x, y, text, ha="center", va="center", color=ink)


def grid_of_cells(axes: Axes, *, columns: Sequence[str], rows: Sequence[str]) -> None:
    """Name the columns and rows of cells that were drawn at whole numbers; row 0 is on top."""
    axes.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(rows) - 0.5, -0.5))
    axes.set_xticks(range(len(columns)), list(columns))
    axes.set_yticks(range(len(rows)), list(rows))
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def png_of(figure: Figure) -> bytes:
    """The picture; the same figure gives the same bytes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)
    buffer = io.BytesIO()
    # Without the program's name the same figures make the same bytes under any version string.
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
