"""Figures for print: the plotted panels of the report, translated from Plotly into vectors of matplotlib.

Nothing is defined twice. A panel is built once as a Plotly figure; here its traces, axes and shapes are read and drawn at
the places that they have on the page, 180 mm wide, in the colours for paper. What is no plot (bodies, chains, tissues) is
painted from the same drawings as on the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paget.errors import ResultError
from paget.report.plate import Plate, Row, panel_letter
from paget.report.theme import palettes, wrapped
from paget.report.translated_values import DASHES, SYMBOLS, WORDS_IN, Axes, solid
from paget.report.translation import faces, paint

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from paget.report.material import Material, ResultLike
    from paget.report.plotting import Panel
    from paget.report.tissue import TissueFigure

__all__ = ["FORMATS", "publish", "publish_panels"]

FORMATS = ("svg", "pdf", "png")
_WIDE = 875.0  # pixels of the page for 180 mm, at which words of 12 pixels have 7 points
_POINTS = 7.0 / 12.0  # of one pixel
_COLUMNS = {"one": 1, "few": 2, "many": 3, "four": 4}
_COMPACT = 4  # pictures in a row where every arm has one
_HEAD, _LINE, _GAP_X, _GAP_Y, _LEGEND = 24.0, 15.0, 22.0, 16.0, 20.0
_DPI = 300


def publish(result: ResultLike, folder: str | Path, formats: Sequence[str] = ("svg",)) -> list[Path]:
    """Write every figure of the report of a result as files for print; the files, in the order of the figures.

    Words stay words, so that they can be edited. The same result gives the same files.

    Parameters
    ----------
    folder : made if it is not there; files are named by number and content, such as ``figure-2-animals.pdf``.
    formats : any of svg, pdf and png (300 dots per inch).

    Raises
    ------
    ResultError
        For another format.
    """
    from matplotlib import rc_context

    from paget.report.focus import focused
    from paget.report.material import collect
    from paget.report.page import sections

    unknown = [name for name in formats if name not in FORMATS]
    if unknown or not formats:
        raise ResultError(f"There is no format '{', '.join(unknown)}' for figures; there are {', '.join(FORMATS)}.")
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    whole = collect(result)
    material = focused(whole)
    written: list[Path] = []
    plates = [plate for _, group in sections(whole, material, result) for plate in group]
    with rc_context(_style()):
        for number, plate in enumerate(plates, start=1):
            names = [target / f"figure-{number}-{plate.name}.{ending}" for ending in formats]
            if plate.drawings:
                _save_drawn(plate, names)
                written += names
            elif plate.rows or plate.tissue is not None:
                figure = _plotted(plate, material) if plate.rows else _pictured(plate.tissue, material)
                written += [_saved(figure, name) for name in names]
    return written


def publish_panels(panels: Sequence[Panel], files: Sequence[str | Path]) -> None:
    """Write panels that are no part of a report into files for print, by their endings, two in a row."""
    from matplotlib import rc_context

    plate = Plate("panels", "", [Row(panels, "few")], "")
    with rc_context(_style()):
        figure = _plotted(plate, None)
        for file in files:
            _saved(figure, Path(file))


def _style() -> Any:
    words = {"svg.hashsalt": "paget", "svg.fonttype": "none", "pdf.fonttype": 42}
    return {"font.family": faces(), **words, "axes.unicode_minus": True}


def _saved(figure: Figure, path: Path) -> Path:
    facts = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix)
    figure.savefig(path, dpi=_DPI, facecolor="white", metadata=facts)
    return path


def _save_drawn(plate: Plate, names: Sequence[Path]) -> None:
    from paget.report.drawing import save_drawings

    most = 1 if max(d.width for d in plate.drawings) > 600.0 else 2 if plate.name == "migration" else 3
    for name in names:
        save_drawings(plate.drawings, name, most=most, key=plate.key)


def _empty(wide: float, high: float) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(wide * _POINTS / 72.0, high * _POINTS / 72.0))
    FigureCanvasAgg(figure)
    return figure


# ---- plotted panels -------------------------------------------------------------------------------------------------


def _plotted(plate: Plate, material: Material | None) -> Figure:
    """Lay the panels out as on the page and translate each."""
    places: list[tuple[Panel, float, float, float, float]] = []  # left, top, width and height of the heading in pixels
    heads: list[tuple[str, float]] = []
    top = _legend_height(plate)
    for row in plate.rows:
        if row.heading:
            heads.append((row.heading, top))
            top += _HEAD
        columns = min(_COLUMNS[row.grid], len(row.panels)) if row.grid != "one" else 1
        wide = (_WIDE - _GAP_X * (columns - 1)) / columns if len(row.panels) >= columns else _WIDE / columns
        for first in range(0, len(row.panels), columns):
            line = row.panels[first : first + columns]
            head = max(len(_title(panel, wide)) for panel in line) * _LINE + 8.0
            places += [(panel, i * (wide + _GAP_X), top, wide, head) for i, panel in enumerate(line)]
            top += head + max(panel.height for panel in line) + _GAP_Y
    high = top
    figure = _empty(_WIDE, high)
    words = Words(figure, _WIDE, high)
    _legend(figure, words, plate, material)
    for text, at in heads:
        words.write(0.0, at + 14.0, text, 13.0, colour="--muted", bold=True)
    for place, (panel, left, at, wide, head) in enumerate(places):
        words.write(left, at + _LINE, panel_letter(place), 16.0, bold=True)
        for nth, text in enumerate(_title(panel, wide), start=1):
            words.write(left + 22.0, at + nth * _LINE, text, 12.5, bold=True)
        drawn = panel.figure.to_plotly_json()
        paint(figure, Axes(drawn, left, at + head, wide, float(panel.height), _WIDE, high, _POINTS))
    return figure


def _title(panel: Panel, wide: float) -> list[str]:
    """The heading of a panel, in lines."""
    return wrapped(f"{panel.title} ({panel.unit})" if panel.unit else panel.title, max(20, int((wide - 22.0) / 7.2)))


class Words:
    """Writes into a figure at places in pixels from its upper left corner."""

    def __init__(self, figure: Figure, wide: float, high: float) -> None:
        self.figure, self.wide, self.high = figure, wide, high

    def write(self, x: float, y: float, text: str, size: float, *, colour: str = "--ink", bold: bool = False) -> None:
        self.figure.text(
            x / self.wide,
            1.0 - y / self.high,
            text.replace("$", r"\$"),
            fontsize=size * _POINTS,
            fontweight="bold" if bold else "normal",
            color=palettes()["light"][colour],
            va="baseline",
            ha="left",
        )


def _legend_places(plate: Plate) -> list[tuple[str, float, float]]:
    """Arm, left and line of every entry of the legend."""
    if plate.name == "cascade" and len(plate.rows) < 2:
        return []
    places, across, line = [], 0.0, 0
    for arm in plate.arms:
        wide = 50.0 + WORDS_IN * 12.0 * len(arm)
        if across and across + wide > _WIDE:
            across, line = 0.0, line + 1
        places.append((arm, across, float(line)))
        across += wide
    return places


def _legend_height(plate: Plate) -> float:
    places = _legend_places(plate)
    return (places[-1][2] + 1.0) * _LEGEND + 6.0 if places else 0.0


def _legend(figure: Figure, words: Words, plate: Plate, material: Material | None) -> None:
    from matplotlib.lines import Line2D

    for arm, left, line in _legend_places(plate):
        assert material is not None
        style = material.styles[arm]
        y = (line + 0.5) * _LEGEND
        colour, _ = solid(style.colour)
        figure.add_artist(
            Line2D(
                [left / words.wide, (left + 28.0) / words.wide],
                [1.0 - y / words.high] * 2,
                color=colour,
                linewidth=2.2 * _POINTS,
                linestyle=DASHES[style.dash],
                marker=SYMBOLS[style.symbol.removesuffix("-open")][0],
                markevery=[],
            )
        )
        words.write(left + 34.0, y + 4.0, arm, 12.0)


# ---- pictures of cells ----------------------------------------------------------------------------------------------


def _pictured(pictures: TissueFigure | None, material: Material) -> Figure:
    """Draw every picture with its cells as circles, one row for an arm and one column for a day."""
    from matplotlib.patches import Circle, Rectangle

    from paget.report.theme import moment_text
    from paget.report.tissue import paint_tile

    assert pictures is not None
    arms = list(dict.fromkeys(arm for arm, _ in pictures.tiles))
    across, down = pictures.size_um
    gap, head = 5.0, 22.0
    # beside or above a picture stands the name of its arm
    name_wide, name_high, columns = (0.0, 54.0, _COMPACT) if pictures.compact else (120.0, 0.0, len(pictures.days))
    wide = min(340.0, (_WIDE - name_wide) / columns - gap)
    tall = wide * down / across
    entries = [(colour, label, 1.0) for _, label, colour in pictures.cell_types]
    entries += [(layer.colour, f"{layer.title}, 0 to {layer.top:.2g} {layer.unit}", 0.62) for layer in pictures.layers]
    keys: list[tuple[float, float, str, str, float]] = []
    x, y = 0.0, 0.0
    for colour, label, alpha in entries:
        length = 34.0 + WORDS_IN * 12.0 * len(label)
        if x and x + length > _WIDE:
            x, y = 0.0, y + _LEGEND
        keys.append((x, y, colour, label, alpha))
        x += length
    top = y + _LEGEND + 6.0
    rows = -(-len(arms) // columns) if pictures.compact else len(arms)
    high = top + head + rows * (tall + gap + name_high)
    figure = _empty(_WIDE, high)
    words = Words(figure, _WIDE, high)
    over = figure.add_axes((0.0, 0.0, 1.0, 1.0), xlim=(0.0, _WIDE), ylim=(high, 0.0))
    over.set_axis_off()
    for left, line, colour, label, alpha in keys:
        if alpha == 1.0:
            over.add_patch(Circle((left + 7.0, line + 10.0), 5.5, facecolor=colour, edgecolor="#17191c", linewidth=0.3))
        else:
            over.add_patch(Rectangle((left, line + 4.0), 16.0, 11.0, facecolor=colour, alpha=alpha, linewidth=0.0))
        words.write(left + 21.0, line + 14.0, label, 12.0)
    places = {
        (arm, day): divmod(place, columns) if pictures.compact else (place, column)
        for place, arm in enumerate(arms)
        for column, day in enumerate(pictures.days)
    }
    for column, day in enumerate(pictures.days):
        words.write(
            name_wide + column * (wide + gap),
            top + 14.0,
            moment_text(day, material.days).capitalize(),
            12.0,
            bold=True,
        )
    for (arm, day), (row, column) in places.items():
        tile = pictures.tiles[arm, day]
        left, at = name_wide + column * (wide + gap), top + head + row * (tall + gap + name_high)
        if column == 0 or pictures.compact:
            below = at + (14.0 if pictures.compact else tall / 2)
            for nth, text in enumerate(wrapped(arm, 17 if name_wide else 22, 4 if name_wide else 3)):
                words.write(0.0 if name_wide else left, below + 15.0 * nth, text, 12.0, bold=True)
        if tile.cells is None:
            words.write(left + 6.0, at + name_high + tall / 2, "no frame is stored", 11.0, colour="--muted")
            continue
        axes = figure.add_axes((left / _WIDE, 1.0 - (at + name_high + tall) / high, wide / _WIDE, tall / high))
        paint_tile(axes, pictures, tile)
    return figure
