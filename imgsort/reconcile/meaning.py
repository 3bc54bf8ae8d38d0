"""What did a human move, add, rename or delete? The difference of disk and log. Pure.

A change is a difference between the place the log has for a file and the place it is found at. The
log then learns the new place together with what that says, so nothing is inferred twice; and since
imgsort's own movers write the new place down themselves, their moves never count.

(dev, inode, size, mtime) is a hint: a move counts when the content matches too and the old path no
longer holds it. While both paths hold it, it is a copy; see ``imgsort.reconcile.adoption``.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from imgsort.reconcile.adoption import adoption
from imgsort.reconcile.compare import Differences, Matches, Sight, matched, trusted_moves
from imgsort.reconcile.moved_folders import is_outside
from imgsort.reconcile.renames import (
    Flow,
    is_remembered,
    renamed_classes,
    renamed_in_stations,
)
from imgsort.records.class_part import class_of_folder
from imgsort.records.files import (
    Adopted,
    DiskFile,
    FolderSeen,
    KnownClass,
    KnownFile,
    Layout,
    Moved,
    Place,
    RenamedClass,
    Repathed,
    Snapshot,
    TreeChanges,
    Vanished,
)
from imgsort.records.labels import HumanLabel, LabelKind, NewLabel


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What a look at the folders came to."""

    changes: TreeChanges
    waiting: tuple[str, ...]
    """Copies and new files that are too young to tell what they are."""
    library: tuple[str, ...]
    """New pictures that are too many to be taken for labels unasked."""
    astray: tuple[str, ...]
    """Pictures in sorted/ that are in no class."""
    unsaid: tuple[str, ...] = ()
    """Pictures whose places are nobody's word: the workspace was restored, or copied."""
    unclear: tuple[str, ...] = ()
    """Pictures in sorted/ of which nobody can tell which of their folders is the class."""


def reconcile(sight: Sight, *, unlimited: bool = False) -> Reconciled:
    """What the log has to learn; ``unlimited`` takes a library without asking."""
    disk, found, hashes, layout = sight.disk, sight.found, sight.hashes, sight.layout
    matches = matched(found, hashes, trusted_moves(found, disk, sight.classes, layout))
    renamed = _renamed(sight, matches)
    taken = adoption(sight, matches, unlimited=unlimited)
    words = _Words(layout, sight.spoken, {one.old: one.new for one in renamed})
    words.silent = not unlimited and _was_restored(sight, matches)
    if words.silent and taken.waiting:  # the next look must find it as restored as this one
        return Reconciled(TreeChanges(), taken.waiting, taken.library, ())
    back = {hashes[file.path] for file in disk.inbox if file.path in hashes}
    vanished = [
        Vanished(one, words.sent_back(one) if one.sha256 in back else None) for one in matches.gone
    ]
    in_time = sorted(matches.moved, key=lambda move: move[1].changed_at)
    moved = [Moved(known, file, words.moved(known, file)) for known, file in in_time]
    moved += (Moved(known, file, None) for known, file in found.same)
    again = {one.known.arrival_id for one in moved}
    gone = [one for one in (*matches.gone, *found.absent) if one.arrival_id not in again]
    changes = TreeChanges(
        renamed=renamed,
        repathed=_repathed(gone, renamed, disk, layout),
        moved=tuple(moved),
        edited=taken.edited,
        adopted=tuple(words.adopted(one) for one in taken.adopted),
        vanished=tuple(vanished),
        folders=_folders(sight, renamed, may_make=not taken.library),
        restored=_restored(sight, renamed),
    )
    astray = [file.path for file in found.strangers if _is_astray(file, layout)]
    unclear = {path for path in astray if layout.is_unclear(path)}
    return Reconciled(
        changes,
        taken.waiting,
        taken.library,
        tuple(path for path in astray if path not in unclear),
        tuple(words.unsaid),
        tuple(sorted(unclear.union(words.unclear))),
    )


def _renamed(sight: Sight, matches: Matches) -> tuple[RenamedClass, ...]:
    disk, layout = sight.disk, sight.layout
    flow = _flow(sight.found, matches, layout)
    if layout.reading is None:
        renamed = renamed_classes(sight.classes, disk.folders, flow)
        return tuple(_with_folders(one, disk, layout) for one in renamed)
    renamed = renamed_in_stations(sight.classes, disk, flow)
    return tuple(_with_stations(one, matches, layout) for one in renamed)


_MEANINGS: dict[str, LabelKind] = {
    "class": "label",
    "unsure": "withdrawn",
    "rejected": "never_use",
}
"""What it says that a picture was moved to such a place. Loose in sorted/ it says nothing."""


class _Words:
    """What places say about pictures; asked in the order in which things were done."""

    def __init__(
        self, layout: Layout, spoken: Mapping[str, HumanLabel], renamed: Mapping[str, str]
    ) -> None:
        self.layout = layout
        self.silent = False
        """Nothing that lies anywhere is a word."""
        self.unsaid: list[str] = []
        self.unclear: list[str] = []
        """Pictures that came to a class which may be no news."""
        self._renamed = renamed
        self._last: dict[str, tuple[str, str | None]] = {
            sha256: (one.kind, renamed.get(one.class_name or "", one.class_name))
            for sha256, one in spoken.items()
        }

    def moved(self, known: KnownFile, file: DiskFile) -> NewLabel | None:
        if is_outside(self.layout, known.location):
            return None  # config.toml named other folders then: who knows who moved what
        before = self.layout.place_of(known.location)
        if (name := self._renamed.get(before.class_name or "")) is not None:
            before = Place("class", name)
        now = self.layout.place_of(file.path)
        if now == before:
            return None
        kind = _MEANINGS.get(now.room)
        if kind is None:
            return None
        if now.class_name is not None and self._was_there(now.class_name, known, file):
            self.unclear.append(file.path)
            return None
        return self._new(NewLabel(known.sha256, kind, now.class_name, "move", False), file.path)

    def _was_there(self, name: str, known: KnownFile, file: DiskFile) -> bool:
        """Lay it in a folder of that name before, which is another part of its way now? In
        ``kitten/barn``, which was ``cat/barn``, nobody has called anything a barn."""
        if self.layout.reading is None:
            return False
        before = [class_of_folder(one) for one in self.layout.folders_to(known.location)]
        now = [class_of_folder(one) for one in self.layout.folders_to(file.path)]
        return name in before and now.count(name) == 1

    def sent_back(self, known: KnownFile) -> NewLabel | None:
        word = NewLabel(known.sha256, "withdrawn", None, "move", False)
        return self._new(word, known.location)

    def adopted(self, one: Adopted) -> Adopted:
        label = None if one.label is None else self._new(one.label, one.file.path)
        station = self.layout.station_of(one.file.path)
        return Adopted(one.file, one.sha256, one.decision, label, subfolder=station)

    def _new(self, label: NewLabel, path: str) -> NewLabel | None:
        """None if that is what was said last: it would only hide who said it before, and why."""
        word = (label.kind, label.class_name)
        if self._last.get(label.sha256) == word:
            return None
        if self.silent:
            self.unsaid.append(path)
            return None
        self._last[label.sha256] = word
        return label


FEW = 3
"""Fewer files than this with new inodes prove nothing."""


def _was_restored(sight: Sight, matches: Matches) -> bool:
    """Not one file is the file that the log has, and those that are alike have other inodes: the
    workspace was restored, copied or unpacked, and what lies elsewhere since may be older or newer
    than the log. (After a restart devices have other numbers, inodes have not.)"""
    if sight.as_before:
        return False
    at_home = [(one, file) for one, file in matches.moved if one.location == file.path]
    pairs = [*sight.found.same, *at_home]
    return len(pairs) >= FEW and all(one.identity.ino != file.identity.ino for one, file in pairs)


def _flow(found: Differences, matches: Matches, layout: Layout) -> Flow:
    """How many files went from which class to which."""
    moves: Counter[tuple[str, str]] = Counter()
    left: Counter[str] = Counter()
    vanished: Counter[str] = Counter()
    for known, file in matches.moved:
        before = layout.place_of(known.location).class_name
        if before is not None:
            left[before] += 1
            after = layout.place_of(file.path).class_name
            if after is not None:
                moves[before, after] += 1
    for one in matches.gone:
        vanished[layout.place_of(one.location).class_name or ""] += 1
    stayed = {layout.place_of(one.location).class_name or "" for one in found.settled}
    return Flow(moves, left, vanished, frozenset(stayed))


def _with_folders(one: RenamedClass, disk: Snapshot, layout: Layout) -> RenamedClass:
    names = (folder.name for folder in disk.folders if folder.class_name == one.new)
    now = f"{layout.sorted}/{next(names, one.new)}"
    return replace(one, folders=((f"{layout.sorted}/{one.old}", now),))


def _with_stations(one: RenamedClass, matches: Matches, layout: Layout) -> RenamedClass:
    folders = {
        before: now
        for known, file in matches.moved
        if layout.place_of(known.location).class_name == one.old
        and layout.place_of(file.path).class_name == one.new
        and (before := layout.class_folder(known.location))
        and (now := layout.class_folder(file.path))
    }
    return replace(one, folders=tuple(folders.items()))


def _repathed(
    gone: Iterable[KnownFile],
    renamed: Sequence[RenamedClass],
    disk: Snapshot,
    layout: Layout,
) -> tuple[Repathed, ...]:
    """Missing files of a renamed class: coming back into it must not look like a correction."""
    if not renamed:
        return ()
    folders = {folder.class_name: folder.name.rpartition("/")[2] for folder in disk.folders}
    new = {one.old: folders.get(one.new, one.new) for one in renamed}
    repathed = []
    for one in gone:
        path = one.location
        before = layout.place_of(path).class_name
        if before in new and (folder := layout.class_folder(path)):
            above = folder.rpartition("/")[0]
            repathed.append(Repathed(one, f"{above}/{new[before]}{path[len(folder) :]}"))
    return tuple(repathed)


def _folders(
    sight: Sight, renamed: Sequence[RenamedClass], *, may_make: bool
) -> tuple[FolderSeen, ...]:
    """A new folder is a new class, and each class's folder is remembered. Where stations come first
    a new folder says nothing before a picture lies in it: it may be a station's."""
    new = {one.class_id: one.new for one in renamed}
    live = {new.get(one.id, one.name): one for one in sight.classes}
    left = {one.old for one in renamed}
    may_make = may_make and sight.layout.reading is None
    seen: dict[str, FolderSeen] = {}
    for folder in sight.disk.folders:
        name = folder.class_name
        if name is None or name in left or (name in seen and folder.name != name):
            continue
        if name in live or may_make:
            seen[name] = FolderSeen(name, folder.dev, folder.ino)
    return tuple(
        one for one in seen.values() if not is_remembered(live.get(one.name), one, sight.layout)
    )


def _restored(sight: Sight, renamed: Sequence[RenamedClass]) -> tuple[KnownClass, ...]:
    """A retired class had no folder, and somebody made one: not imgsort, whose files would be in
    their places there."""
    new = {one.class_id: one.new for one in renamed}
    by_name = {new.get(one.id, one.name): one for one in sight.classes}
    ours = {sight.layout.place_of(one.location).class_name for one in sight.found.settled}
    there = {folder.class_name for folder in sight.disk.folders} - ours
    return tuple(
        one for name, one in by_name.items() if one.retired and one.ino is None and name in there
    )


def _is_astray(file: DiskFile, layout: Layout) -> bool:
    return layout.place_of(file.path).room == "astray" and layout.has_picture(file.path)
