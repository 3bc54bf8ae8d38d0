"""Archives behind an address: objects are fetched into a scratch folder, one file each."""

import re
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from imgsort.disk.closing import Closing
from imgsort.errors import BackfillProblem

T = TypeVar("T")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
READERS = 16
"""Objects fetched at once: an object store answers late, and many at a time."""
_BLOCK = 4 << 20


def is_address(source: str) -> bool:
    """Has it a scheme, as ``s3://bucket/prefix``?"""
    return _SCHEME.match(source) is not None


def file_system(address: str) -> Any:
    """fsspec's file system for an address. Raises BackfillProblem where none is known."""
    import fsspec

    scheme = address.partition("://")[0]
    try:
        return fsspec.filesystem(scheme, use_listings_cache=False)
    except (ImportError, ValueError) as problem:
        said = str(problem).rstrip(".")
        raise BackfillProblem(
            f"Addresses of {scheme}:// can't be read ({said}); install what that says, for s3:// "
            f"with `pip install s3fs`."
        ) from None


@dataclass(frozen=True, slots=True)
class Fetched:
    """An object's bytes in a file of ours; whoever asked for it removes it."""

    path: Path | None
    """None where it has more bytes than were asked for."""
    size: int
    etag: str | None


class Objects(Closing):
    """Fetches objects of one scheme, several at once."""

    def __init__(self, scheme: str) -> None:
        self._system = file_system(f"{scheme}://")
        self._numbers = count()
        self._scratch = tempfile.TemporaryDirectory(prefix="imgsort-backfill-")
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="fetch")

    def submit(self, work: "Callable[[Objects], T]") -> "Future[T]":
        """Have one of the readers do it."""
        return self._readers.submit(work, self)

    def close(self) -> None:
        self._readers.shutdown(wait=True, cancel_futures=True)
        self._scratch.cleanup()

    def fetch(self, address: str, most: int) -> Fetched:
        """Raises what the provider raises."""
        name = address.partition("://")[2]
        suffix = PurePosixPath(name).suffix
        plain = suffix if suffix[1:].isalnum() and suffix.isascii() else ""
        target = Path(self._scratch.name, f"{next(self._numbers)}{plain[:12]}")
        with self._system.open(name, "rb", block_size=_BLOCK) as source:
            told = getattr(source, "details", None) or {}
            etag = etag_of(told)
            size = int(told.get("size") or 0)
            if size > most:
                return Fetched(None, size, etag)
            size = _copied(source, target, most)
        if size > most:
            target.unlink()
            return Fetched(None, size, etag)
        return Fetched(target, size, etag)


def etag_of(told: Mapping[str, Any]) -> str | None:
    """As the store has it, without its quotes."""
    etag = told.get("ETag") or told.get("etag")
    return str(etag).strip('"') if etag else None


def _copied(source: Any, target: Path, most: int) -> int:
    """How many bytes; it stops where there are more than ``most``."""
    size = 0
    try:
        with target.open("wb") as file:
            while size <= most and (block := source.read(_BLOCK)):
                size += len(block)
                file.write(block)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return size
