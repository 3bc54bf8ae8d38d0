"""The browser, opened without telling other users of the machine the link.

What a program is started with can be read by everybody: the link goes through a file of its owner.
"""

import html
import webbrowser
from pathlib import Path

from imgsort.errors import ImgsortError
from imgsort.review.running import write_private

_PAGE = '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url={}">\n'


class NoBrowser(ImgsortError):
    """No browser could be opened; open the link by hand."""

    exit_code = 0  # the page is served all the same


def open_browser(link: str, folder: Path) -> None:
    """Open it by a file in ``folder``. Raises NoBrowser."""
    path = folder / "review.html"
    write_private(path, _PAGE.format(html.escape(link)).encode())
    if not webbrowser.open(path.as_uri()):
        raise NoBrowser
