"""Small pictures for the report; what can't be opened, or is another picture now, is grey."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from imgsort.images.outcome import Picture
from imgsort.images.thumbnails import views
from imgsort.trainer.evaluation.results import Findings, Pictured
from imgsort.trainer.report.charts import BLUE, DPI, RED, short
from imgsort.workspace.config import DecodeSettings

SIDE = 150
"""Longest side, pixels."""
MOST_SUSPECTS = 24
_QUALITY = 80
_COLUMNS = 6

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Thumbnails:
    """RGB [h, w, 3] by content hash, for the pictures that are still there."""

    pixels: Mapping[str, Pixels]

    @classmethod
    def of(
        cls,
        findings: Findings,
        config: DecodeSettings,
        bases: tuple[Path, ...],
        progress: Callable[[int, int], None],
    ) -> Self:
        """All that the page shows. Below ``bases`` no link is followed."""
        shown = {each.sha256: each.path for each in pictured(findings)}
        wanted = {sha256: path for sha256, path in shown.items() if path is not None}
        found = {}
        for done, seen in enumerate(views(list(wanted.values()), SIDE, config, bases), 1):
            if isinstance(seen, Picture) and wanted.get(seen.sha256) == seen.path:
                found[seen.sha256] = seen.pixels
            progress(done, len(wanted))
        return cls(found)

    def jpeg(self, sha256: str) -> bytes | None:
        """For the page."""
        import cv2

        if sha256 not in self.pixels:
            return None
        turned = cv2.cvtColor(self.pixels[sha256], cv2.COLOR_RGB2BGR)
        _, encoded = cv2.imencode(".jpg", turned, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        return bytes(encoded)


def pictured(findings: Findings) -> list[Pictured]:
    """Every picture that is shown; some more than once."""
    behind = [picture for cell in findings.cells for picture in cell.pictures]
    return [*findings.mistakes, *behind, *findings.suspects[:MOST_SUSPECTS]]


def contact_sheet(pictures: Sequence[Pictured], thumbnails: Thumbnails) -> bytes:
    """PNG of the pictures with what you say and what the model says."""
    import io
    import warnings

    import matplotlib
    from matplotlib.figure import Figure

    columns = min(_COLUMNS, len(pictures))
    rows = ceil(len(pictures) / columns)
    with matplotlib.rc_context({"text.parse_math": False}), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        figure = Figure(figsize=(1.9 * columns, 2.25 * rows), layout="constrained")
        for at in range(rows * columns):
            axes = figure.add_subplot(rows, columns, at + 1)
            axes.axis("off")
            if at >= len(pictures):
                continue
            each = pictures[at]
            tile = thumbnails.pixels.get(each.sha256, np.full((SIDE, SIDE, 3), 200, np.uint8))
            axes.imshow(tile)
            axes.set_title(
                f"{short(each.said)} {each.confidence:.0%}", fontsize=9, color=RED, pad=3
            )
            axes.text(
                0.5, -0.03, f"you: {short(each.truth)}", fontsize=8.5, color=BLUE,
                ha="center", va="top", transform=axes.transAxes,
            )  # fmt: skip
        target = io.BytesIO()
        figure.savefig(target, format="png", dpi=DPI, facecolor="white")
    return target.getvalue()
