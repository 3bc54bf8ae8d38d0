"""A picture with its verdict drawn below it, for people to look at."""

import functools
import importlib.util
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from imgsort.errors import ImgsortError
from imgsort.records.verdict import Verdict

Pixels = NDArray[np.uint8]

MIN_WIDTH = 360
_MARGIN = 12
_TITLE = 34
_ROW = 24
_PAPER = (250, 250, 250)
_TEXT = (20, 20, 20)
_RAIL = (225, 225, 225)
_BEST = (46, 125, 50)
_UNSURE = (230, 130, 20)
_OTHER = (140, 150, 160)
_MISSING = "\ufffe"  # a noncharacter: whatever a font draws for it stands for "no such glyph"


@dataclass(frozen=True, slots=True)
class _ScoreRow:
    """One class: the text left of its bar and the bar's colour."""

    text: str
    confidence: float
    colour: tuple[int, int, int]


def annotated(pixels: Pixels, verdict: Verdict) -> Pixels:
    """A copy of uint8 RGB [H, W, 3] with a panel below it: label, decision, a bar for each score.

    Narrow pictures are set on paper ``MIN_WIDTH`` wide; no pixel of the picture is covered.
    """
    best = _BEST if verdict.decision == "filed" else _UNSURE
    rows = [
        _ScoreRow(score.label, score.confidence, _OTHER if place else best)
        for place, score in enumerate(verdict.top_k)
    ]
    framed = _widened(pixels)
    return np.vstack([framed, _panel(_title(verdict), rows, framed.shape[1])])


def write_png(path: Path, pixels: Pixels) -> None:
    """Write uint8 RGB as PNG, whole or not at all; a file of that name is replaced.

    Raises ImgsortError where ``path`` can't be written.
    """
    # OpenCV only encodes: given the path, it crashes on names that aren't UTF-8.
    _, encoded = cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    draft = path.with_name(f".imgsort-{os.getpid()}.png.part")
    try:
        draft.write_bytes(encoded.tobytes())
        draft.replace(path)
    except OSError as problem:
        with suppress(OSError):
            draft.unlink()
        raise ImgsortError(
            f"{str(path)!a} can't be written ({problem.strerror}); name another file."
        ) from None


def _title(verdict: Verdict) -> str:
    if verdict.decision == "filed":
        return f"{verdict.label}  {_percent(verdict.confidence)}"
    return f"unsure: {verdict.reason}" if verdict.reason else "unsure"


def _percent(confidence: float) -> str:
    return f"{100 * confidence:.0f} %"


def _widened(pixels: Pixels) -> Pixels:
    missing = max(0, MIN_WIDTH - pixels.shape[1])
    left = missing // 2
    sides = ((0, 0), (left, missing - left), (0, 0))
    return np.pad(pixels, sides, constant_values=_PAPER[0])


def _panel(title: str, rows: list[_ScoreRow], width: int) -> Pixels:
    """The title and one line a row: text, bar, percent."""
    height = _TITLE + _ROW * len(rows) + _MARGIN
    panel = np.full((height, width, 3), _PAPER, np.uint8)
    start, end = width * 2 // 5, width - 60
    for place, row in enumerate(rows):
        top = _TITLE + _ROW * place + 5
        length = round((end - start) * min(max(row.confidence, 0.0), 1.0))
        cv2.rectangle(panel, (start, top), (end, top + _ROW - 10), _RAIL, cv2.FILLED)
        if length:
            cv2.rectangle(
                panel, (start, top), (start + length, top + _ROW - 10), row.colour, cv2.FILLED
            )
    sheet = Image.fromarray(panel)
    draw = ImageDraw.Draw(sheet)
    _write(draw, (_MARGIN, 7), title, 17, width - 2 * _MARGIN)
    for place, row in enumerate(rows):
        top = _TITLE + _ROW * place + 3
        _write(draw, (_MARGIN, top), row.text, 14, start - 2 * _MARGIN)
        _write(draw, (end + 8, top), _percent(row.confidence), 14, width - end - 8)
    return np.asarray(sheet)


def _write(
    draw: ImageDraw.ImageDraw, place: tuple[int, int], text: str, size: int, width: int
) -> None:
    """One line, cut with an ellipsis where it is wider than ``width`` pixels."""
    font = _font(size)
    text = readable(text)
    if font.getlength(text) > width:
        while text and font.getlength(text + "…") > width:
            text = text[:-1]
        text += "…"
    draw.text(place, text, fill=_TEXT, font=font)


def readable(text: str) -> str:
    """The text with each character that the font can't draw as its code point: 猫 is U+732B."""
    return "".join(each if _drawable(each) else f"[U+{ord(each):04X}]" for each in text)


@functools.lru_cache(maxsize=4096)
def _drawable(character: str) -> bool:
    if character == " ":
        return True
    font = _font(14)
    shape = bytes(font.getmask(character))
    return character.isprintable() and shape != bytes(font.getmask(_MISSING))


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which Matplotlib carries: Latin, Greek, Cyrillic, Hebrew and Arabic letters.

    Finding the package doesn't import it. Pillow's own font knows ASCII alone.
    """
    spec = importlib.util.find_spec("matplotlib")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        file = Path(folder, "mpl-data", "fonts", "ttf", "DejaVuSans.ttf")
        if file.is_file():
            return ImageFont.truetype(str(file), size, layout_engine=ImageFont.Layout.BASIC)
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)  # noqa: S101 - Pillow's wheels have FreeType
    return font
