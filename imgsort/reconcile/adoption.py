"""What becomes of files in the picture folders that imgsort never put there? Pure.

In a class folder a new picture is labelled by it, in rejected/ never to be used. A copy, whose
original is still where it was, gets an arrival of its own, and its class folder is a label unless
the picture lies in that class already. Other bytes in the place of a known file are no new file.
"""

from collections import defaultdict
from dataclasses import dataclass, replace

from imgsort.reconcile.compare import LIBRARY, Differences, Matches, Sight
from imgsort.records.files import Adopted, DiskFile, Edited, Layout, Place
from imgsort.records.journal import Decision
from imgsort.records.labels import NewLabel

COPY_SECONDS = 30.0
"""A copy that is to replace its original is followed by the original's removal: it gets time."""
SETTLE_SECONDS = 2.0
SAVING_SECONDS = 60.0
"""A file without its end is waited for: the program that saves it may pause."""
_DECISIONS: dict[str, Decision] = {"class": "filed", "unsure": "unsure", "rejected": "rejected"}


def decision_of(place: Place) -> Decision:
    """Of a file that somebody put there."""
    return _DECISIONS.get(place.room, "unsure")


@dataclass(frozen=True, slots=True)
class Adoption:
    """The files that become arrivals now, and those that don't."""

    adopted: tuple[Adopted, ...] = ()
    edited: tuple[Edited, ...] = ()
    waiting: tuple[str, ...] = ()
    """Too young to tell."""
    library: tuple[str, ...] = ()
    """Too many to be taken unasked."""


def adoption(sight: Sight, matches: Matches, *, unlimited: bool) -> Adoption:
    """Labels may repeat what was said before; ``unlimited`` takes a library: it was asked about."""
    edited, saving = _edited(sight, matches)
    fresh = _adoption(sight, matches, unlimited=unlimited)
    return replace(fresh, edited=edited, waiting=(*fresh.waiting, *saving))


def _edited(sight: Sight, matches: Matches) -> tuple[tuple[Edited, ...], tuple[str, ...]]:
    """Those that are saved, and those that a program may be at still."""
    edited, saving = [], []
    for known, file in matches.edited:
        sha256 = sight.hashes.get(file.path)
        young = _is_being_saved(sight, file)
        decision = _DECISIONS.get(sight.layout.place_of(file.path).room)
        if young:
            saving.append(file.path)
        elif sha256 is not None and decision is not None:
            edited.append(Edited(known, file, sha256, decision))
    return tuple(edited), tuple(saving)


def _adoption(sight: Sight, matches: Matches, *, unlimited: bool) -> Adoption:
    layout, now = sight.layout, sight.disk.taken_at
    copies = [file for file in matches.copies if layout.place_of(file.path).room in _DECISIONS]
    young = [file for file in copies if _is_young(file, now, COPY_SECONDS)]
    new = [file for file in matches.new if _is_adoptable(file, layout)]
    unsettled = [file for file in new if _is_being_saved(sight, file)]
    if unsettled:  # somebody may be copying a library in: how much it is, is seen at the end
        return Adoption(waiting=tuple(file.path for file in (*unsettled, *young)))
    waiting = tuple(file.path for file in young)
    held_back = set(waiting)
    ready = [*new, *(file for file in copies if file.path not in held_back)]
    if len(ready) > LIBRARY and not unlimited:
        return Adoption(waiting=waiting, library=tuple(file.path for file in ready))
    ready.sort(key=lambda file: file.changed_at)
    lying = _lying(sight.found, matches, layout)
    edited = {one.location for one in (*sight.found.lost, *sight.found.absent)}
    copied = {file.path for file in copies}
    adopted = []
    for file in ready:
        sha256 = sight.hashes.get(file.path)
        if sha256 is None:
            continue  # it changed while it was read: the next look sees what it has become
        place = layout.place_of(file.path)
        silent = file.path in edited or place in lying[sha256]
        lying[sha256].add(place)
        label = None if silent else _said(sha256, place, is_copy=file.path in copied)
        if label is not None and unlimited:
            # Somebody vouched for all of it, right or wrong: no biased sample.
            label = replace(label, source="import", representative=label.kind == "label")
        adopted.append(Adopted(file, sha256, _DECISIONS[place.room], label))
    return Adoption(tuple(adopted), waiting=waiting)


def _is_being_saved(sight: Sight, file: DiskFile) -> bool:
    """As far as its age and its end tell."""
    seconds = SAVING_SECONDS if file.path in sight.cut_short else SETTLE_SECONDS
    return _is_young(file, sight.disk.taken_at, seconds)


def _is_young(file: DiskFile, now: float, seconds: float) -> bool:
    """What will have changed in an hour has not: a clock was set back, or is another machine's."""
    return abs(now - file.changed_at) < seconds


def _is_adoptable(file: DiskFile, layout: Layout) -> bool:
    if not layout.has_picture(file.path) or not file.identity.size:
        return False
    return layout.place_of(file.path).room in _DECISIONS


def _said(sha256: str, place: Place, *, is_copy: bool) -> NewLabel | None:
    if place.room == "class":
        return NewLabel(sha256, "label", place.class_name, "move", False)
    if place.room == "rejected" and not is_copy:
        return NewLabel(sha256, "never_use", None, "move", False)
    return None


def _lying(found: Differences, matches: Matches, layout: Layout) -> defaultdict[str, set[Place]]:
    """Where each content lies already."""
    lying: defaultdict[str, set[Place]] = defaultdict(set)
    if matches.copies or matches.new:
        wanted = [(one, one.location) for one in found.settled]
        wanted += [(one, file.path) for one, file in (*found.same, *matches.moved)]
        for one, path in wanted:
            lying[one.sha256].add(layout.place_of(path))
    return lying
