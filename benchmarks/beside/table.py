"""What came of it: as a table for people, as JSON, and as a chart."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.beside.contest import Row, cores

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TELLING = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", "amx_bf16")
BLUE, GREY, PALE = "#2f6db5", "#8a8f98", "#c9ced6"
FLOATING = "imgsort, float32"
ROOM = 70
"""Letters of a reason that the chart has room for."""


def as_dict(rows: Sequence[Row], **run: Any) -> dict[str, Any]:
    """``run``: the command, pictures and rounds."""
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="minutes"),
        "machine": machine(),
        **run,
        "rows": [_row(row, _imgsorts(rows, row)) for row in rows],
    }


def machine() -> dict[str, Any]:
    """As far as it matters for speed."""
    told = Path("/proc/cpuinfo").read_text()
    memory = re.search(r"MemTotal:\s*(\d+) kB", Path("/proc/meminfo").read_text())
    flags = set((re.search(r"^flags\s*:(.*)$", told, re.MULTILINE) or [""])[0].split())
    model = re.search(r"^model name\s*:\s*(.*)$", told, re.MULTILINE)
    return {
        "cpu": model[1] if model else "unknown",
        "cores": cores(),
        "memory_gb": round(int(memory[1]) / 1e6) if memory else None,
        "instructions": [flag for flag in TELLING if flag in flags],
    }


def _imgsorts(rows: Sequence[Row], beside: Row) -> Row | None:
    """imgsort's own float32 with the same network."""
    named = (row for row in rows if row.contender.name == FLOATING)
    return next((row for row in named if row.contender.network == beside.contender.network), None)


def _row(row: Row, imgsorts: Row | None) -> dict[str, Any]:
    contender, rates = row.contender, row.rates
    told: dict[str, Any] = {
        "name": contender.name,
        "network": contender.network,
        "precision": contender.precision,
        "versions": row.what,
        "leaves_out": contender.leaves_out,
        "skipped": row.skipped,
        "images_per_second": rates,
    }
    if rates:
        told |= {"median": median(rates), "least": min(rates), "most": max(rates)}
    if rates and imgsorts is not None and imgsorts.rates:
        both = zip(imgsorts.rates, rates, strict=True)
        told["imgsort_is_times_as_fast"] = median(ours / theirs for ours, theirs in both)
    return told


def lines(table: dict[str, Any]) -> Iterator[str]:
    """In Markdown; a row for every contender, also for those of which there is no figure."""
    yield "| | network | images/s | least to most | imgsort float32 is | leaves out |"
    yield "|---|---|---|---|---|---|"
    for row in table["rows"]:
        yield "| " + " | ".join((row["name"], row["network"], *_figures(row))) + " |"


def _figures(row: dict[str, Any]) -> tuple[str, str, str, str]:
    if row["skipped"] is not None:
        return "skipped", "", "", row["skipped"].replace("|", "\\|")
    times = row.get("imgsort_is_times_as_fast")
    return (
        f"{row['median']:.1f}",
        f"{row['least']:.1f} to {row['most']:.1f}",
        "" if times is None else f"{times:.2f} x as fast",
        row["leaves_out"],
    )


def draw(table: dict[str, Any], path: Path) -> None:
    """A bar for every contender, by network; a line from its slowest round to its fastest."""
    from matplotlib.figure import Figure

    networks = list(dict.fromkeys(row["network"] for row in table["rows"]))
    groups = [[row for row in table["rows"] if row["network"] == one] for one in networks]
    figure = Figure((7.6, 0.8 + 0.36 * len(table["rows"])), layout="constrained")
    axes = figure.subplots(len(groups), 1, squeeze=False, height_ratios=[len(g) for g in groups])
    for place, (network, group) in enumerate(zip(networks, groups, strict=True)):
        _draw(axes[place, 0], network, group)
    said = "images per second, end to end; the line is from the slowest round to the fastest"
    axes[-1, 0].set_xlabel(said, fontsize=8)
    figure.savefig(path, dpi=100)


def _draw(axes: "Axes", network: str, rows: Sequence[dict[str, Any]]) -> None:
    from matplotlib.ticker import MaxNLocator

    widest = max((row.get("most", 0.0) for row in rows), default=0.0) or 1.0
    for place, row in enumerate(rows):
        if row["skipped"] is not None:
            axes.text(0, place, f" skipped: {_short(row['skipped'])}", va="center", fontsize=7.5)
            continue
        colour = BLUE if row["name"].startswith("imgsort") else GREY
        colour = PALE if row["name"].startswith("the bare") else colour
        axes.barh(place, row["median"], color=colour, height=0.66)
        axes.plot((row["least"], row["most"]), (place, place), color="black", linewidth=1)
        axes.text(row["most"] + widest / 90, place, f"{row['median']:.1f}", va="center", fontsize=8)
    axes.set_yticks(range(len(rows)), [row["name"] for row in rows], fontsize=8)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(0, widest * 1.1)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.tick_params(axis="x", labelsize=8)
    axes.set_title(network, loc="left", fontsize=9, fontweight="bold")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _short(reason: str) -> str:
    return reason if len(reason) <= ROOM else f"{reason[:ROOM]}…"
