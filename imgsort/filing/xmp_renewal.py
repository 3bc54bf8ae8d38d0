"""Words that move no file, and classes that get other names, are told in the XMP sidecars too.

Only sidecars that imgsort wrote, and that are there, are renewed; see ``filing.xmp_sidecars``.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from imgsort.errors import ImgsortError
from imgsort.filing.batch import AT_ONCE
from imgsort.filing.xmp_sidecars import describe
from imgsort.store import Store
from imgsort.store.layouts import layout_of
from imgsort.workspace.workspace import Workspace


@contextmanager
def renewing(workspace: Workspace, store: Store) -> Iterator[None]:
    """What is said inside, by whomever, is in the sidecars afterwards, as far as they can be
    written."""
    if not workspace.config.filing.write_xmp:
        yield
        return
    word, names = store.labels.last(), store.classes.names()
    try:
        yield
    finally:
        with suppress(ImgsortError, OSError):  # the pictures lie right without
            _renew(workspace, store, store.labels.spoken_since(word))
            now = store.classes.names()
            _renew_classes(
                workspace, store, {now[one] for one in now if names.get(one, now[one]) != now[one]}
            )


def _renew_classes(workspace: Workspace, store: Store, names: set[str]) -> None:
    if not names:
        return
    layout = layout_of(workspace, store)
    lying = {
        one.arrival_id: one.path
        for one in store.files.known()
        if not one.missing and layout.place_of(one.location).class_name in names
    }
    _renew(workspace, store, lying)


def _renew(workspace: Workspace, store: Store, pictures: dict[int, Path]) -> None:
    every = list(pictures.items())
    for start in range(0, len(every), AT_ONCE):
        with workspace.filing_lock():
            describe(workspace, store, dict(every[start : start + AT_ONCE]), anew=False)
