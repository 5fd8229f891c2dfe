"""A row of a dashboard as a picture: what its panels' own queries find, placed as Grafana does.

Not by Grafana, which can't be had from package registries; colours and shapes are Matplotlib's.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan, nan
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, MultipleLocator

from cluster.prometheus import Prometheus, Series
from dashboards.board import Board, Kind, Panel, Row, Unit
from dashboards.queries import asked

INCHES = 0.52
"""Of a column of Grafana's 24."""
TALL, LOW = 2.5, 1.0
"""Inches, of a panel and of a number."""
POINTS = 55
"""Of a line."""
WINDOW = "20s"
COLOURS = ("#3274d9", "#e0803c", "#56a64b", "#b877d9", "#e5b23a", "#d44a4a", "#37a6a6", "#8a8d92")
GOOD, WARNS, BAD = "#37872d", "#d9730d", "#c4162a"
STYLE = {
    "font.size": 7.5,
    "font.family": "sans-serif",
    "svg.fonttype": "none",
    "svg.hashsalt": "cirahub",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#9fa7b3",
    "axes.grid": True,
    "grid.color": "#e4e7eb",
    "path.simplify_threshold": 0.4,
}
LINES_OF_TABLE = 7

Axes = Any
"""Matplotlib's, whose types are not read: see pyproject.toml."""


@dataclass(frozen=True)
class Look:
    """What is looked at, and when."""

    prometheus: Prometheus
    values: Mapping[str, str]
    start: float
    """POSIX seconds."""
    end: float

    @property
    def step(self) -> float:
        return (self.end - self.start) / POINTS


def draw(board: Board, row: Row, look: Look, path: Path) -> None:
    with mpl.rc_context(STYLE):
        lines = list(_lines(row.panels))
        heights = [LOW if line[0].kind is Kind.NUMBER else TALL for line in lines]
        figure = Figure(figsize=(24 * INCHES, sum(heights)), layout="constrained")
        grid = figure.add_gridspec(len(lines), 24, height_ratios=heights)
        for number, line in enumerate(lines):
            column = 0
            for panel in line:
                axes = figure.add_subplot(grid[number, column : column + panel.width])
                axes.set_title(panel.title, loc="left", fontsize=8.5, fontweight="bold")
                _DRAWN[panel.kind](axes, board, panel, look)
                column += panel.width
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None})
        path.write_text(_small(drawn.getvalue()))


def _small(svg: str) -> str:
    """Without blanks between elements, and with places to a tenth of a point: a third of the size.
    What is written there stays as it is."""

    def attribute(found: re.Match[str]) -> str:
        tight = re.sub(r" \n([A-Z]) ", r"\1", found[0])
        return re.sub(r"\d+\.\d{2,}", lambda number: f"{float(number[0]):.1f}", tight)

    rounded = re.sub(r' (?:d|x|y|transform|points)="[^"]*"', attribute, svg)
    return re.sub(r">\s+<", ">\n<", rounded)


def _lines(panels: Sequence[Panel]) -> list[list[Panel]]:
    lines: list[list[Panel]] = [[]]
    for panel in panels:
        if sum(one.width for one in lines[-1]) + panel.width > 24:
            lines.append([])
        lines[-1].append(panel)
    return lines


def _now(board: Board, panel: Panel, look: Look) -> Sequence[Series]:
    """As of the end. A table is of one query."""
    expression = asked(board.expression(panel.queries[0]), look.values, window=WINDOW)
    return look.prometheus.query(expression)


def _over(board: Board, panel: Panel, look: Look) -> list[tuple[str, Series]]:
    """With the names of the legend."""
    return [
        (_named(query.legend, one), one)
        for query in panel.queries
        for one in look.prometheus.over(
            asked(board.expression(query), look.values, window=WINDOW),
            start=look.start,
            end=look.end,
            step=look.step,
        )
    ]


def _named(legend: str, one: Series) -> str:
    return re.sub(r"{{(\w+)}}", lambda found: one.labels.get(found[1], ""), legend)


def _number(axes: Axes, board: Board, panel: Panel, look: Look) -> None:
    axes.set_axis_off()
    found = _now(board, panel, look)
    value = found[0].points[0][1] if found else None
    text = "no data" if value is None else _told(value, panel.unit)
    axes.text(0.5, 0.4, text, ha="center", va="center", fontsize=17, color=_colour(panel, value))


def _colour(panel: Panel, value: float | None) -> str:
    if value is None:
        return COLOURS[-1]
    if panel.bad_below is not None and value < panel.bad_below:
        return BAD
    return WARNS if panel.warns_at is not None and value >= panel.warns_at else GOOD


def _series(axes: Axes, board: Board, panel: Panel, look: Look) -> None:
    found = sorted(_over(board, panel, look), key=lambda one: one[0])
    if not found:
        _nothing(axes)
        return
    minutes = [number * look.step / 60 for number in range(POINTS + 1)]
    lines = [(name, _steps(one, look)) for name, one in found]
    if panel.stacked:
        told = [one for one in lines if any(value > 0 for value in one[1])] or lines
        heights = [[0.0 if isnan(value) else value for value in line] for _, line in told]
        colours = [COLOURS[number % len(COLOURS)] for number in range(len(told))]
        names = [name for name, _ in told]
        axes.stackplot(minutes, heights, labels=names, colors=colours, alpha=0.75, linewidth=0)
    else:
        for number, (name, line) in enumerate(lines):
            colour = COLOURS[number % len(COLOURS)]
            axes.plot(minutes, line, label=name, color=colour, linewidth=1.1)
    if panel.warns_at is not None and axes.get_ylim()[1] >= panel.warns_at:
        axes.axhline(panel.warns_at, color=WARNS, linestyle="--", linewidth=0.8)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.set_major_formatter(lambda value, _: _told(value, panel.unit))
    _minutes(axes, look)
    axes.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, -0.13),
        fontsize=6,
        frameon=False,
        ncols=5,
        handlelength=1.2,
        columnspacing=1.0,
        labelspacing=0.2,
    )


def _minutes(axes: Axes, look: Look) -> None:
    axes.set_xlim(0, (look.end - look.start) / 60)
    axes.xaxis.set_major_locator(MultipleLocator(1))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0f} min")


def _steps(one: Series, look: Look) -> list[float]:
    """A value for each step, NaN where there is none."""
    line = [nan] * (POINTS + 1)
    for at, value in one.points:
        line[round((at - look.start) / look.step)] = value
    return line


def _states(axes: Axes, board: Board, panel: Panel, look: Look) -> None:
    found = sorted(_over(board, panel, look), key=lambda one: one[0], reverse=True)
    step = look.step / 60
    for number, (_, one) in enumerate(found):
        for value, colour in ((1.0, COLOURS[0]), (0.0, "#d5d9df")):
            spans = [((at - look.start) / 60, step) for at, held in one.points if held == value]
            axes.broken_barh(_joined(spans), (number - 0.35, 0.7), color=colour, linewidth=0)
    axes.set_yticks(range(len(found)), [name for name, _ in found])
    _minutes(axes, look)
    axes.grid(visible=False)


def _joined(spans: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Neighbours as one."""
    joined: list[tuple[float, float]] = []
    for at, width in spans:
        if joined and abs(sum(joined[-1]) - at) < width / 2:
            joined[-1] = (joined[-1][0], at + width - joined[-1][0])
        else:
            joined.append((at, width))
    return joined


def _table(axes: Axes, board: Board, panel: Panel, look: Look) -> None:
    found = _now(board, panel, look)
    if not found:
        _nothing(axes)
        return
    axes.set_axis_off()
    columns = list(dict.fromkeys(name for one in found for name in one.labels))
    rows = [
        [*(one.labels.get(name, "") for name in columns), _told(one.points[0][1], panel.unit)]
        for one in found
    ]
    height = 1 / (LINES_OF_TABLE + 1)
    for number, cells in enumerate([[*columns, "Value"], *rows[:LINES_OF_TABLE]]):
        for column, cell in enumerate(cells):
            axes.text(
                column / len(cells),
                1 - (number + 0.5) * height,
                cell,
                fontsize=6.5,
                va="center",
                fontweight="bold" if number == 0 else "normal",
            )
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)


def _nothing(axes: Axes) -> None:
    axes.set_axis_off()
    axes.text(0.5, 0.5, "no data", ha="center", va="center", color=COLOURS[-1])


def _told(value: float, unit: Unit) -> str:
    if isnan(value):
        return "no data"
    if unit is Unit.FLAG:
        return "Yes" if value else "No"
    if unit is Unit.BYTES:
        return f"{value / 2**20:.0f} MiB"
    if unit is Unit.SHARE:
        return f"{value:.0%}"
    if unit in (Unit.SECONDS, Unit.AGE):
        return f"{value:.3g} s" if value < 120 else f"{value / 60:.0f} min"
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


_DRAWN = {
    Kind.NUMBER: _number,
    Kind.LINES: _series,
    Kind.TABLE: _table,
    Kind.STATES: _states,
}
