"""imgsort: a folder-watching image classifier that learns from its user.

>>> import imgsort
>>> with imgsort.open("photos") as photos:  # doctest: +SKIP
...     [best] = photos.classify("mystery.jpg")
"""

TYPE_CHECKING = False
"""As ``typing`` has it, whose import alone would take longer than all of this."""

if TYPE_CHECKING:
    from os import PathLike

    from imgsort.api import Session

__version__ = "0.1.0"
__all__ = ["__version__", "open"]


def open(workspace: "str | PathLike[str]" = ".") -> "Session":  # noqa: A001 - as gzip.open
    """The workspace at this path, for scripts: classify, ask the log, label (``imgsort.api``).

    Raises ``imgsort.errors.ImgsortError`` where there is none. What it needs is loaded now, and
    not by ``import imgsort``.
    """
    from imgsort.api import open_session

    return open_session(workspace)
