"""What a human should know, or decide, about the picture folders: one sentence each."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from imgsort.disk.display import display
from imgsort.reconcile.meaning import Reconciled
from imgsort.records.files import Layout, Snapshot
from imgsort.store import Store

_NAMED = 3


def notices(seen: Reconciled, disk: Snapshot, store: Store, layout: Layout) -> tuple[str, ...]:
    """All of them, the most pressing first."""
    contested = _contested(store, layout)
    return (
        *_naked(disk, layout),
        *_library(seen, layout),
        *_unsaid(seen, layout),
        *_folders(disk),
        *_astray(seen, layout),
        *_unclear(seen, layout),
        *_conflicts(contested, store, layout),
        *_copies(contested, store, layout),
    )


def _naked(disk: Snapshot, layout: Layout) -> Iterator[str]:
    if disk.naked:
        yield (
            f"{len(disk.naked):,} folders are empty because their disk isn't mounted "
            f"({_examples(disk.naked, layout)}); mount it: nothing is put there until then."
        )


def _library(seen: Reconciled, layout: Layout) -> Iterator[str]:
    if seen.library:
        folder = PurePosixPath(layout.sorted).name
        yield (
            f"{len(seen.library):,} pictures that imgsort never filed lie in {folder}/ "
            f"({_examples(seen.library, layout)}); if they are in the right folders, run "
            f"`imgsort import {folder}` to take them as labelled."
        )


def _unsaid(seen: Reconciled, layout: Layout) -> Iterator[str]:
    if seen.unsaid:
        yield (
            f"This workspace was restored or copied, and {len(seen.unsaid):,} pictures lie "
            f"elsewhere than in its log ({_examples(seen.unsaid, layout)}); that made no labels: "
            f"if they lie right, run `imgsort confirm` on them."
        )


def _folders(disk: Snapshot) -> Iterator[str]:
    bad = [folder.name for folder in disk.folders if folder.class_name is None]
    if bad:
        yield (
            f"{len(bad):,} folders can't be classes by their name "
            f"({', '.join(display(name) for name in bad[:_NAMED])}); rename them."
        )


def _astray(seen: Reconciled, layout: Layout) -> Iterator[str]:
    if seen.astray:
        yield (
            f"{len(seen.astray):,} pictures lie in no class folder "
            f"({_examples(seen.astray, layout)}); move them into one."
        )


def _unclear(seen: Reconciled, layout: Layout) -> Iterator[str]:
    if seen.unclear:
        yield (
            f"{len(seen.unclear):,} pictures lie where it can't be told which of their folders is "
            f"the class ({_examples(seen.unclear, layout)}); that made no labels: move them into a "
            f"class folder of their station, or say what they are with `imgsort label`."
        )


def _contested(store: Store, layout: Layout) -> dict[str, dict[str, str]]:
    """Contents that humans put into different classes, and that still lie there -> class, path."""
    contested = store.labels.contested()
    lying: dict[str, dict[str, str]] = {}
    for one in store.files.whereabouts(list(contested)) if contested else ():
        name = layout.place_of(str(one.path)).class_name
        if one.missing_at is None and name in contested[one.sha256]:
            lying.setdefault(one.sha256, {})[name] = str(one.path)
    return {sha256: places for sha256, places in lying.items() if len(places) > 1}


def _conflicts(
    contested: Mapping[str, Mapping[str, str]], store: Store, layout: Layout
) -> Iterator[str]:
    for sha256, places in contested.items():
        newest = store.labels.current([sha256])[sha256].class_name
        yield (
            f"copies of one picture lie in {' and '.join(sorted(places))} "
            f"({_examples(list(places.values()), layout)}); the newest word counts"
            f"{f' ({newest})' if newest else ''}: remove the wrong copy."
        )


def _copies(
    contested: Mapping[str, Mapping[str, str]], store: Store, layout: Layout
) -> Iterator[str]:
    """Files that stayed where they were when another file of their picture was called otherwise."""
    told = {path for places in contested.values() for path in places.values()}
    astray = [
        one
        for one in store.labels.copies_called()
        if (place := layout.place_of(one.path)).room in {"class", "unsure"}
        and place.class_name != one.class_name
        and one.path not in told
    ]
    if astray:
        first, where = astray[0], _examples([one.path for one in astray], layout)
        words = f"{shlex.quote(_way(first.path, layout))} {shlex.quote(display(first.class_name))}"
        if len(astray) == 1:
            yield (
                f"a copy of a picture that you have called something else lies where it was "
                f"({where}); `imgsort label {words}` brings it after its picture."
            )
        else:
            yield (
                f"{len(astray):,} copies of pictures that you have called something else lie where "
                f"they were ({where}); `imgsort label {words}` brings the first after its picture."
            )


def _examples(paths: Sequence[str], layout: Layout) -> str:
    named = [_way(path, layout) for path in paths[:_NAMED]]
    return ", ".join(named) + (", …" if len(paths) > _NAMED else "")


def _way(path: str, layout: Layout) -> str:
    return display(path.removeprefix(f"{PurePosixPath(layout.sorted).parent}/"))
