"""Draws the table as three pictures: quality by segment, quality against cost, and the progress of the searches.

The pictures depend on the results only: they contain no date and no random name. Each model has the same colour and the
same marker in all three, so that models differ without colours too (colours: Okabe and Ito, 2008). Popularity is grey.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter
from matplotlib.transforms import Bbox

from recommendation_service.commands.evaluate_file.result_rows import Row, best_so_far
from recommendation_service.core.numeric import AnyArray

STYLES = {  # colour and mark
    "popularity": ("#808080", "s"),
    "als": ("#0072B2", "o"),
    "ease": ("#D55E00", "^"),
    "next_item": ("#009E73", "D"),
    "two_tower": ("#CC79A7", "v"),
    "similar_users": ("#56B4E9", "P"),
    "co_occurrence": ("#E69F00", "X"),
    "sasrec": ("#882255", "<"),
    "default blend": ("#8C6D31", "h"),
    "learned blend": ("#000000", "*"),
}
OTHERS = (("#44AA99", ">"), ("#332288", "p"), ("#999933", "d"))  # for models that have no style yet
LEAST_MS, LEAST_S = 0.01, 0.1  # what costs less stands at the edge
FORMATS = ("svg", "png")
LOOK: Any = {  # matplotlib's own type names each of its settings
    "font.size": 10, "axes.titlesize": 11, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True,
    "grid.color": "#E6E6E6", "axes.axisbelow": True, "legend.frameon": False, "svg.hashsalt": "tandem",
}  # fmt: skip


def draw(folder: Path, rows: Sequence[Row], of: str, *, searched_on: int) -> None:
    """Write segments, cost and curves into `folder`, each as SVG and as PNG.

    `of` names the data and the protocol for the titles. `searched_on` is the number of validation users of the
    searches.
    """
    mpl.use("Agg")
    folder.mkdir(parents=True, exist_ok=True)
    makers: dict[str, Callable[[Sequence[Row], str], Figure]] = {"segments": _segments, "cost": _cost, "curves": _curves}
    with mpl.rc_context(LOOK):
        for name, make in makers.items():
            people = searched_on if name == "curves" else rows[0].people
            figure = make(rows, f"{of}, n = {people:,}")
            for form in FORMATS:
                metadata = {"Date": None} if form == "svg" else None
                figure.savefig(folder / f"{name}.{form}", bbox_inches="tight", dpi=160, metadata=metadata)
            pyplot.close(figure)


def _segments(rows: Sequence[Row], of: str) -> Figure:
    """Draw one group per segment, with the models next to each other."""
    measure, styles = _measure(rows), _styles(rows)
    figure, axes = pyplot.subplots(figsize=(8, 4.8), layout="constrained")
    width = 0.8 / len(rows)
    for number, row in enumerate(rows):
        intervals = [entry.measures[measure] for entry in row.segments.values()]
        mean, low, high = np.array(intervals).T
        positions = np.arange(len(intervals)) + (number - (len(rows) - 1) / 2) * width
        colour, mark = styles[row.model]
        axes.errorbar(
            positions,
            mean,
            yerr=_spread(mean, low, high),
            fmt=mark,
            color=colour,
            markersize=6,
            elinewidth=1.2,
            label=row.model,
        )
    first = rows[0].segments
    axes.set_xticks(range(len(first)), [f"{name}\nn = {entry.people:,}" for name, entry in first.items()])
    axes.set_xlim(-0.5, len(first) - 0.5)
    for border in np.arange(0.5, len(first) - 1):
        axes.axvline(border, color="#CCCCCC", linewidth=0.8)
    axes.grid(visible=False, axis="x")
    axes.set(xlabel="interactions before", ylabel=f"{measure} (bars: 95 %)", title=f"{measure} by segment\n{of}")
    axes.set_ylim(bottom=0)
    figure.legend(loc="outside right center")
    return figure


def _cost(rows: Sequence[Row], of: str) -> Figure:
    """Draw quality against the time of a request and of training. The line connects models that no cheaper one exceeds."""
    measure = _measure(rows)
    figure, panels = pyplot.subplots(1, 2, figsize=(9, 4.8), sharey=True, layout="constrained")
    requests, fits = [max(row.request_ms, LEAST_MS) for row in rows], [max(row.fit_s, LEAST_S) for row in rows]
    named = (("one request, ms, one thread", requests, LEAST_MS), ("fit, s", fits, LEAST_S))
    for axes, (label, costs, least) in zip(panels, named, strict=True):
        _scattered(axes, rows, costs)
        axes.set_xscale("log")
        axes.set_xlim(min(costs) / 1.8, max(costs) * 3)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _place, least=least: _edge(value, least)))
        axes.set_xlabel(f"{label} (log)")
    panels[0].set_ylabel(f"{measure} (bars: 95 %)")
    figure.suptitle(f"{measure} against what it costs\n{of}", fontsize=11)
    figure.canvas.draw()
    for axes, costs in zip(panels, (requests, fits), strict=True):
        _labelled(axes, rows, costs)
    return figure


def _curves(rows: Sequence[Row], of: str) -> Figure:
    """Draw the best validation score so far of every search, by seconds."""
    searched, styles = [row for row in rows if row.tried], _styles(rows)
    figure, axes = pyplot.subplots(figsize=(8, 4.8), layout="constrained")
    for row in searched:
        seconds, best = best_so_far(row.tried)
        colour, mark = styles[row.model]
        axes.step(seconds, best, where="post", color=colour, linewidth=1.6)
        axes.plot(seconds, best, mark, color=colour, markersize=4, alpha=0.5)
        label = f"{row.model} ({len(row.tried)} tried)"
        axes.plot(seconds[-1], best[-1], mark, color=colour, markersize=8, label=label)
    axes.set(xlabel="seconds since the search began", ylabel=f"validation {_measure(rows)}, best so far")
    axes.set_title(f"What the searches found, and when\n{of} validation people")
    axes.set_xlim(left=0)
    if searched:
        figure.legend(loc="outside right center")
    return figure


def _scattered(axes: Axes, rows: Sequence[Row], costs: Sequence[float]) -> None:
    measure, styles = _measure(rows), _styles(rows)
    best = sorted(zip(costs, [row.measures[measure][0] for row in rows], strict=True))
    front = [(cost, mean) for cost, mean in best if not any(c <= cost and m > mean for c, m in best)]
    axes.step(*zip(*front, strict=True), where="post", color="#BBBBBB", linewidth=1.2, zorder=1)
    for row, cost in zip(rows, costs, strict=True):
        mean, low, high = row.measures[measure]
        colour, mark = styles[row.model]
        axes.errorbar(cost, mean, yerr=_spread(mean, low, high), fmt=mark, color=colour, markersize=8, elinewidth=0.8)


def _labelled(axes: Axes, rows: Sequence[Row], costs: Sequence[float]) -> None:
    """Write a name next to every marker, where it covers no marker and no other name."""
    measure, styles = _measure(rows), _styles(rows)
    points = axes.transData.transform([(cost, row.measures[measure][0]) for row, cost in zip(rows, costs, strict=True)])
    bars = [axes.transData.transform([(1, bound) for bound in row.measures[measure][1:]])[:, 1] for row in rows]
    taken = [Bbox.from_bounds(x - 9, y - 9, 18, 18) for x, y in points]
    taken += [Bbox([(x - 2, low), (x + 2, high)]) for (x, _), (low, high) in zip(points, bars, strict=True)]
    inside, scale = axes.get_window_extent(), 72 / axes.figure.dpi
    for (x, y), row, cost in zip(points, rows, costs, strict=True):
        at, colour = (cost, row.measures[measure][0]), styles[row.model][0]
        name = axes.annotate(row.model, at, (0, 0), textcoords="offset points", va="center", fontsize=9, color=colour)
        name.set_path_effects([withStroke(linewidth=2.5, foreground="white")])
        box = name.get_window_extent()
        boxes = [
            (across, up, Bbox.from_bounds(x + across, y + up - box.height / 2, box.width, box.height))
            for across, up in _offsets(box.width, box.height)
        ]
        free = [entry for entry in boxes if inside.containsx(entry[2].x0) and inside.containsx(entry[2].x1)]
        free = [entry for entry in free if not any(entry[2].overlaps(other) for other in taken)]
        across, up, corner = (free or boxes)[0]
        taken.append(corner)
        name.set_position((across * scale, up * scale))
        if abs(up) > 2 * box.height:  # too far to be seen as one
            end = ((across + (0 if across > 0 else box.width)) * scale, up * scale)
            line = {"arrowstyle": "-", "color": colour, "linewidth": 0.6, "shrinkA": 1, "shrinkB": 5}
            axes.annotate("", at, end, textcoords="offset points", arrowprops=line)


def _offsets(width: float, height: float) -> list[tuple[float, float]]:
    """Return the positions that a name may have relative to its marker, in pixels, the best position first."""
    beside = [(11.0, 0.0), (-11 - width, 0.0), (-width / 2, height + 3), (-width / 2, -height - 3)]
    steps = [sign * step * height for step in (0.8, 1.2, 2.2, 3.2, 4.4, 5.6, 7.0) for sign in (1, -1)]
    return beside + [(across, up) for up in steps for across in (11.0, -11 - width)]


def _styles(rows: Sequence[Row]) -> dict[str, tuple[str, str]]:
    unknown = [row.model for row in rows if row.model not in STYLES]
    return STYLES | {name: OTHERS[number % len(OTHERS)] for number, name in enumerate(unknown)}


def _measure(rows: Sequence[Row]) -> str:
    return list(rows[0].measures)[-1]


def _spread(mean: Any, low: Any, high: Any) -> AnyArray:
    """Return the distances from the mean down to the lower and up to the upper end of the interval, for error bars."""
    return np.asarray(np.maximum(np.array([mean - low, high - mean]).reshape(2, -1), 0))


def _edge(value: float, least: float) -> str:
    return f"≤ {value:g}" if np.isclose(value, least) else f"{value:g}"
