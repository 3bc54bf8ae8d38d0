"""The page's own files: a fixed table, so that no URL is ever joined to a folder."""

from collections.abc import Mapping
from importlib.resources import files

KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


def page_files() -> Mapping[str, tuple[bytes, str]]:
    """Each file's content and kind, by its name: read once, when the server starts."""
    folder = files("imgsort.review") / "page"
    return {
        entry.name: (entry.read_bytes(), kind)
        for entry in folder.iterdir()
        for suffix, kind in KINDS.items()
        if entry.name.endswith(suffix)
    }
