"""The pictures of a unit, opened: as they lie, or from an object store by way of scratch."""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from imgsort.backfill.listing import ArchiveEntry
from imgsort.backfill.remote import Fetched, Objects, is_address
from imgsort.disk.closing import Closing
from imgsort.disk.display import display
from imgsort.disk.identity import Identity
from imgsort.images import ImageLimits
from imgsort.images.outcome import Deferred, NoAttempts, Outcome, Refused
from imgsort.images.pool import open_decoder
from imgsort.images.reasons import too_big
from imgsort.images.worker_messages import DecoderBug
from imgsort.images.worker_task import CHANGED
from imgsort.workspace.config import DecodeSettings

_CHANGED_SINCE = "it is not the one that was listed: its size, time or etag is another"


@dataclass(frozen=True, slots=True)
class Sighting:
    """What was found where a picture was listed."""

    entry: ArchiveEntry
    """With what was not known of it before."""
    outcome: Outcome
    left: Literal["changed", "unread"] | None
    """Why it is left for `backfill retry`; None for a picture, and for one that is refused."""


class Reader(Closing):
    """Opens pictures in the decoder's processes, ``ahead`` of them at once."""

    def __init__(
        self, config: DecodeSettings, size: int, ahead: int, bases: tuple[Path, ...] = ()
    ) -> None:
        """Below ``bases`` no link is followed."""
        most = int(config.max_file_mb * 1e6)
        self._limits = ImageLimits(int(config.max_megapixels * 1e6), most)
        self._pool = open_decoder(config, size, NoAttempts(), bases)
        self._ahead = ahead
        self._objects: dict[str, Objects] = {}

    def close(self) -> None:
        for objects in self._objects.values():
            objects.close()
        self._pool.close()

    def sightings(self, entries: Sequence[ArchiveEntry]) -> Iterator[Sighting]:
        """One for each entry, in their order."""
        waiting: deque[tuple[ArchiveEntry, Future[Outcome] | Future[Sighting]]] = deque()
        for entry in entries:
            waiting.append((entry, self._submitted(entry)))
            if len(waiting) >= self._ahead:
                yield _seen(*waiting.popleft())
        while waiting:
            yield _seen(*waiting.popleft())

    def _submitted(self, entry: ArchiveEntry) -> "Future[Outcome] | Future[Sighting]":
        name = os.fsdecode(entry.path)
        if not is_address(name):
            return self._pool.submit(Path(name))
        scheme = name.partition("://")[0]
        if scheme not in self._objects:
            self._objects[scheme] = Objects(scheme)
        return self._objects[scheme].submit(lambda objects: self._fetched(objects, entry, name))

    def _fetched(self, objects: Objects, entry: ArchiveEntry, name: str) -> Sighting:
        """Runs in one of the threads that fetch."""
        most = self._limits.max_bytes
        path = Path(name)
        try:
            file = objects.fetch(name, most)
        except FileNotFoundError:
            return _left(entry, path, "it vanished before it could be read")
        except Exception as problem:  # noqa: BLE001 - providers raise what they like
            return _left(entry, path, display(" ".join(str(problem).split())) or "it can't be read")
        if file.path is None:
            identity = Identity(0, 0, file.size, 0)
            reason = too_big(file.size, self._limits)
            return Sighting(_completed(entry, file), Refused(path, identity, "", reason), None)
        try:
            if _is_another(entry, file):
                return Sighting(entry, Deferred(path, _CHANGED_SINCE), "changed")
            outcome = self._pool.submit(file.path).result()
        finally:
            file.path.unlink(missing_ok=True)
        if isinstance(outcome, Deferred):
            return _left(entry, path, outcome.reason)
        return Sighting(_completed(entry, file), outcome, None)


def _seen(entry: ArchiveEntry, future: "Future[Outcome] | Future[Sighting]") -> Sighting:
    try:
        outcome = future.result()
    except DecoderBug as problem:  # ours, at this picture: it shall not cost its whole unit
        last = str(problem).strip().rpartition("\n")[2]
        reason = f"imgsort has a bug that shows at it ({display(last)})"
        return _left(entry, Path(os.fsdecode(entry.path)), reason)
    if isinstance(outcome, Sighting):
        return outcome
    if isinstance(outcome, Deferred):
        left: Literal["changed", "unread"] = "changed" if outcome.reason == CHANGED else "unread"
        return Sighting(entry, outcome, left)
    identity = outcome.identity
    size, mtime_ns = entry.size, entry.mtime_ns
    if size not in {None, identity.size} or mtime_ns not in {None, identity.mtime_ns}:
        return Sighting(entry, Deferred(outcome.path, _CHANGED_SINCE), "changed")
    return Sighting(replace(entry, size=identity.size, mtime_ns=identity.mtime_ns), outcome, None)


def _left(entry: ArchiveEntry, path: Path, reason: str) -> Sighting:
    return Sighting(entry, Deferred(path, reason), "unread")


def _completed(entry: ArchiveEntry, file: Fetched) -> ArchiveEntry:
    return replace(entry, size=file.size, etag=entry.etag or file.etag)


def _is_another(entry: ArchiveEntry, file: Fetched) -> bool:
    etag = entry.etag is not None and file.etag is not None and entry.etag != file.etag
    return etag or entry.size not in {None, file.size}
