"""The figures: drawn with matplotlib and seaborn, without a screen, to PNG."""

import io
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from imgsort.trainer.evaluation.learning_curve import Curve
from imgsort.trainer.evaluation.metrics import Evaluation
from imgsort.trainer.evaluation.results import ClassFinding, Findings

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, RED, GREEN, GREY = "#2f6db5", "#c0392b", "#2e8b57", "#8a8f98"
DPI = 110
NUMBERED = 32
"""Classes up to which the confusion matrix fits the page; a larger one is named on all sides."""
_HEAD, _TAIL = 13, 10
MOST_LINES = 30
"""Classes that the chart of changes has room for."""
_STYLE: Any = {
    "text.parse_math": False,  # a class may be called $5
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "font.size": 9.5,
    "grid.color": "#e7e9ee",
    "axes.axisbelow": True,
}


def charts(findings: Findings) -> dict[str, bytes]:
    """PNG by file name."""
    drawings: dict[str, Callable[[], Figure]] = {
        "confusion.png": lambda: _confusion(findings.evaluation),
        "classes.png": lambda: _classes(findings),
        "reliability.png": lambda: _reliability(findings.evaluation),
        "coverage.png": lambda: _coverage(findings),
    }
    if (curve := findings.curve) is not None:
        drawings["learning_curve.png"] = lambda: _learning_curve(curve)
    import matplotlib

    # Drawn straight onto figures of their own: no window system, no state shared with others.
    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a class name in a script that the font doesn't have
        return {name: _png(draw()) for name, draw in drawings.items()}


def _png(figure: "Figure") -> bytes:
    target = io.BytesIO()
    figure.savefig(target, format="png", dpi=DPI, bbox_inches="tight", facecolor="white")
    return target.getvalue()


def _figure(
    width: float, height: float, x: str = "", y: str = "", title: str = ""
) -> "tuple[Figure, Axes]":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot(xlabel=x, ylabel=y, title=title)


def _confusion(evaluation: Evaluation) -> "Figure":
    """Rows are what a human says. Right is blue, wrong is red; the shade is the row's share."""
    import seaborn

    order = _neighbouring(np.array(evaluation.confusion.counts, np.float64))
    counts = np.array(evaluation.confusion.counts)[np.ix_(order, order)]
    labels = [short(evaluation.confusion.labels[at]) for at in order]
    size = len(labels)
    side = min(max(3.2, 0.42 * size), 7 + 0.11 * size)
    around = size > NUMBERED
    figure, axes = _figure(side + 1.6 + 1.4 * around, side + 1.0 + 1.4 * around)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    every = size <= NUMBERED // 4
    written = [[str(n) if n or every else "" for n in row] for row in counts]
    right = np.eye(size, dtype=bool)
    font = float(np.clip(side * 72 / size * 0.4, 3.5, 11))
    common: dict[str, Any] = {
        "annot": np.array(written),
        "fmt": "",
        "annot_kws": {"fontsize": font},
        "vmin": 0,
        "cbar": False,
        "square": True,
        "linewidths": 0.6 if size <= NUMBERED else 0.2,
        "linecolor": "#e7e9ee",
        "xticklabels": labels,
        "yticklabels": labels,
        "ax": axes,
    }
    seaborn.heatmap(shares, mask=~right, cmap=_from_white(BLUE), vmax=1.15, **common)
    # A tenth of a class gone astray is a lot: red is stronger than blue for the same share.
    seaborn.heatmap(np.sqrt(shares), mask=right, cmap=_from_white(RED), vmax=1.0, **common)
    ticks = float(np.clip(side * 72 / size * 0.62, 4, 10))
    axes.tick_params(labelsize=ticks, length=0, labeltop=around, labelright=around)
    axes.tick_params(axis="x", labelrotation=90 if size > 4 else 0)  # noqa: PLR2004
    axes.tick_params(axis="y", labelrotation=0)
    axes.set(xlabel="the model says", ylabel="you say")
    return figure


def _from_white(colour: str) -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list(colour, ["white", colour])


def _neighbouring(counts: NDArray[np.float64]) -> NDArray[np.intp]:
    """An order in which classes that are taken for each other stand side by side."""
    size = len(counts)
    if size <= NUMBERED // 4:
        return np.arange(size)
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    distance = 1 - np.clip(shares + shares.T, 0, 1)
    np.fill_diagonal(distance, 0)
    return np.asarray(leaves_list(linkage(squareform(distance), "average")), np.intp)


def charted(findings: Findings) -> list[ClassFinding]:
    """The classes to show, the best first: all, or of many those that lost and the weakest."""
    judged = [each for each in findings.classes if each.held_out]

    def urgency(each: ClassFinding) -> tuple[bool, float, int]:
        return each.right >= each.champion_right, each.right / each.held_out, -each.held_out

    judged.sort(key=urgency)
    return sorted(judged[:MOST_LINES], key=lambda each: -each.right / each.held_out)


def _classes(findings: Findings) -> "Figure":
    """Classes before and after; the worst at the top."""
    shown = charted(findings)
    figure, axes = _figure(
        *(7, max(1.6, 0.8 + 0.24 * len(shown))),
        *("of its test pictures, right", ""),
        "Hollow: the model before. Filled: the new one. In brackets: test pictures",
    )
    for at, each in enumerate(shown):
        before, after = each.champion_right / each.held_out, each.right / each.held_out
        colour = GREEN if after > before else RED if after < before else GREY
        axes.plot([before, after], [at, at], color=colour, linewidth=2, zorder=1)
        axes.scatter([before], [at], s=34, facecolor="white", edgecolor=GREY, zorder=2)
        axes.scatter([after], [at], s=38, color=colour, zorder=3)
    axes.set_yticks(range(len(shown)), [f"{short(e.label)} ({e.held_out})" for e in shown])
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.7, len(shown) - 0.3)
    _percent_across(axes)
    axes.grid(axis="x")
    return figure


def _reliability(evaluation: Evaluation) -> "Figure":
    """Of the pictures a model is so sure about, how many are right?"""
    figure, axes = _figure(
        *(4.6, 4.2, "how sure the model is", "how often it is right"),
        "On the line is honest",
    )
    bins = [each for each in evaluation.reliability if each.images]
    sure, right = [each.confidence for each in bins], [each.accuracy for each in bins]
    most = max(each.images for each in bins)
    sizes = [40 + 260 * each.images / most for each in bins]
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, zorder=1)
    axes.scatter(sure, right, s=sizes, color=BLUE, alpha=0.75, linewidth=0, zorder=2)
    _annotate(axes, sure, right, [str(each.images) for each in bins])
    axes.set_xlim(-0.03, 1.06)
    axes.set_ylim(-0.03, 1.12)
    _percent(axes)
    return figure


def _coverage(findings: Findings) -> "Figure":
    """Filing more means being wrong more often."""
    figure, axes = _figure(
        *(4.6, 4.2, "share of the pictures that is filed", "of them rightly"),
        "Dots: what is really filed",
    )
    new, before = findings.evaluation, findings.champion_evaluation
    for evaluation, colour, name in ((before, GREY, "before"), (new, BLUE, "new model")):
        points = evaluation.coverage
        shares = [0, *(point.coverage for point in points)]
        right = [points[0].precision, *(point.precision for point in points)]
        axes.plot(shares, right, color=colour, drawstyle="steps-post", label=name)
        if evaluation.filed:
            share = evaluation.filed / evaluation.images
            axes.scatter(
                [share], [evaluation.filed_right / evaluation.filed], s=60, color=colour, zorder=3
            )
    goal = findings.target_precision
    axes.axhline(goal, color=GREEN, linewidth=1, linestyle="--", label=f"goal: {goal:.0%} right")
    lowest = min(goal, *(point.precision for point in new.coverage + before.coverage))
    axes.set_ylim(max(0.0, lowest - 0.06), 1.009)  # no tick above 100 %
    axes.set_xlim(0, 1.02)
    _percent(axes)
    axes.legend(frameon=False, loc="lower left", fontsize=8.5)
    return figure


def _learning_curve(curve: Curve) -> "Figure":
    figure, axes = _figure(
        *(4.6, 3.4, "labels it was trained on", "right answers on test pictures"),
        "Would more labels help?",
    )
    labels = [point.labels for point in curve.points]
    right = [point.accuracy for point in curve.points]
    axes.plot(labels, right, color=BLUE, marker="o")
    _annotate(axes, labels, right, [f"{share:.0%}" for share in right])
    axes.set_xlim(0, labels[-1] * 1.12)
    axes.set_xticks(labels, [f"{count:,}" for count in labels])
    axes.set_ylim(max(0.0, min(right) - 0.12), min(1.009, max(right) + 0.12))  # as above
    _percent(axes, x=False)
    return figure


def _annotate(axes: "Axes", x: Sequence[float], y: Sequence[float], texts: Sequence[str]) -> None:
    """A word above each point."""
    for across, up, text in zip(x, y, texts, strict=True):
        axes.annotate(
            text, (across, up), (0, 10), textcoords="offset points", ha="center", fontsize=8.5
        )


def _percent_across(axes: "Axes") -> None:
    from matplotlib.ticker import PercentFormatter

    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))


def _percent(axes: "Axes", *, x: bool = True) -> None:
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    axes.grid()
    axes.yaxis.set_major_locator(MaxNLocator(steps=[1, 2, 5, 10], min_n_ticks=3))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    if x:
        _percent_across(axes)


def short(label: str) -> str:
    """A class name that leaves room for the figure: names of a kind often differ at their end."""
    return label if len(label) <= _HEAD + _TAIL + 1 else f"{label[:_HEAD]}…{label[-_TAIL:]}"
