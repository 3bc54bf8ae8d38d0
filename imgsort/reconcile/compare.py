"""How disk and log differ, file by file: who is where, who is new, who is gone. Pure."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from imgsort.disk.identity import Identity
from imgsort.images import ALL_SUFFIXES
from imgsort.records.files import DiskFile, KnownClass, KnownFile, Layout, Snapshot, suffix_of
from imgsort.records.labels import HumanLabel

LIBRARY = 100
"""More new pictures than this at once are a library, which is asked about first."""


@dataclass(slots=True)
class Differences:
    """Disk and log, path by path; no file has been opened."""

    settled: list[KnownFile] = field(default_factory=list)
    """In their places; perhaps only those that could matter."""
    same: list[tuple[KnownFile, DiskFile]] = field(default_factory=list)
    """There as before, or again, as far as path, size and time tell."""
    lost: list[KnownFile] = field(default_factory=list)
    """No longer where they were."""
    absent: list[KnownFile] = field(default_factory=list)
    """Missing before, and not back at their place."""
    strangers: list[DiskFile] = field(default_factory=list)
    """Files that no known file explains."""

    def __bool__(self) -> bool:
        return bool(self.same or self.lost or self.strangers)


@dataclass(frozen=True, slots=True)
class Sight:
    """Disk and log, and what was found out about both."""

    disk: Snapshot
    found: Differences
    hashes: Mapping[str, str]
    """SHA-256 of the files that ``to_hash`` named, by path."""
    classes: Sequence[KnownClass]
    spoken: Mapping[str, HumanLabel]
    """The newest word on each content."""
    layout: Layout
    as_before: int = 1
    """How many files are just as the log has them, to the last number."""
    cut_short: Collection[str] = ()
    """Paths of strangers that a program seems to be saving still."""


def differences(
    disk: Snapshot,
    known: Sequence[KnownFile],
    settled: Sequence[KnownFile] = (),
) -> Differences:
    """Pair known files with what lies at their paths.

    ``settled`` are in their places, and neither among the known nor in the snapshot.
    """
    found, explained = Differences(settled=list(settled)), set[str]()
    unseen = (*disk.unseen, *_bare(disk, known))
    identities: set[Identity] | None = None
    for one in sorted(known, key=lambda one: one.missing):  # who is there has the first claim
        path = one.location
        file = disk.files.get(path)
        if file is None or path in explained:
            if not _is_below(path, unseen):
                (found.absent if one.missing else found.lost).append(one)
            continue
        if file.identity == one.identity:
            explained.add(path)
            if one.missing:
                found.same.append((one, file))
            else:
                found.settled.append(one)
            continue
        if identities is None:
            identities = {one.identity for one in (*known, *settled)}
        if _looks_the_same(one.identity, file.identity) and file.identity not in identities:
            explained.add(path)
            found.same.append((one, file))
        else:
            (found.absent if one.missing else found.lost).append(one)
    found.strangers = [file for path, file in disk.files.items() if path not in explained]
    return found


def _looks_the_same(before: Identity, now: Identity) -> bool:
    """Devices are renumbered at a restart, inodes when a workspace is copied to another disk."""
    return (before.size, before.mtime_ns) == (now.size, now.mtime_ns)


def _bare(disk: Snapshot, known: Sequence[KnownFile]) -> list[str]:
    """Picture folders that hold no file at all and are on another device than their files were:
    naked mount points."""
    suspects = []
    for base in disk.empty:
        there = (one for one in known if not one.missing and _is_below(one.location, [base]))
        devices = {one.identity.dev for one in there}
        if devices and disk.devices[base] not in devices:
            suspects.append(base)
    return suspects


def _is_below(path: str, folders: Iterable[str]) -> bool:
    return any(path.startswith(f"{folder}/") for folder in folders)


def to_hash(
    found: Differences,
    disk: Snapshot,
    trusted: Mapping[str, KnownFile],
    layout: Layout,
    *,
    unlimited: bool,
) -> list[DiskFile]:
    """The files whose content has to be known: those whose size fits a known file, and new
    pictures unless they are a library."""
    sizes = {one.size for several in (found.settled, found.lost, found.absent) for one in several}
    sizes |= {one.size for one, _ in found.same}
    places = {one.location for one in (*found.lost, *found.absent)}
    fits: list[DiskFile] = []
    new: list[DiskFile] = []
    for file in found.strangers:
        if file.path not in trusted:
            wanted = file.identity.size in sizes or file.path in places
            (fits if wanted else new).append(file)
    new = [file for file in new if layout.has_picture(file.path) and file.identity.size]
    lost = {one.size for one in found.lost}
    sent_back = [file for file in disk.inbox if file.identity.size in lost]
    return [*fits, *(new if unlimited or len(new) <= LIBRARY else ()), *sent_back]


def trusted_moves(
    found: Differences, disk: Snapshot, classes: Sequence[KnownClass], layout: Layout
) -> dict[str, KnownFile]:
    """New path -> the known file that has come with its whole class folder.

    Same folder, same way down in it, same file by every number the kernel has: that makes no
    label, so a class of 10,000 pictures needn't be read to be renamed.
    """
    if layout.reading is not None:
        return _same_files(found, layout)
    by_folder = {(one.dev, one.ino): one for one in classes if one.ino is not None}
    renamed = {
        f"{layout.sorted}/{folder.name}": f"{layout.sorted}/{owner.name}"
        for folder in disk.folders
        if (owner := by_folder.get((folder.dev, folder.ino))) and owner.name != folder.name
    }
    if not renamed:
        return {}
    lost = {one.location: one for one in found.lost}
    trusted = {}
    for file in found.strangers:
        cut = file.path.find("/", len(layout.sorted) + 1)
        before = renamed.get(file.path[:cut])
        one = lost.get(f"{before}{file.path[cut:]}") if before and cut > 0 else None
        if one is not None and one.identity == file.identity:
            trusted[file.path] = one
    return trusted


def _same_files(found: Differences, layout: Layout) -> dict[str, KnownFile]:
    """New path -> the known file that has the same name, the same class and every number of the
    kernel's: a station's folder was renamed, or moved."""
    lost = Counter(one.identity for one in found.lost)
    by_number = {one.identity: one for one in found.lost if lost[one.identity] == 1}
    here = Counter(file.identity for file in found.strangers)
    trusted = {}
    for file in found.strangers:
        one = by_number.get(file.identity) if here[file.identity] == 1 else None
        if one is None or one.name != file.path.rpartition("/")[2]:
            continue
        place = layout.place_of(file.path)
        if place.class_name is not None and place == layout.place_of(one.location):
            trusted[file.path] = one
    return trusted


@dataclass(slots=True)
class Matches:
    """Which known file each stranger is."""

    moved: list[tuple[KnownFile, DiskFile]] = field(default_factory=list)
    copies: list[DiskFile] = field(default_factory=list)
    """Of files that are still where they were."""
    new: list[DiskFile] = field(default_factory=list)
    edited: list[tuple[KnownFile, DiskFile]] = field(default_factory=list)
    """Other bytes in the place of a known file, of which nothing is left elsewhere."""
    gone: list[KnownFile] = field(default_factory=list)


def matched(
    found: Differences, hashes: Mapping[str, str], trusted: Mapping[str, KnownFile]
) -> Matches:
    """``hashes``: of the files ``to_hash`` named; ``trusted``: as ``trusted_moves`` says."""
    matches = Matches()
    taken = {one.arrival_id for one in trusted.values()}
    free: defaultdict[str, list[KnownFile]] = defaultdict(list)
    for one in (*found.lost, *found.absent):
        if one.arrival_id not in taken:
            free[one.sha256].append(one)
    there = {one.sha256 for one in (*found.settled, *(one for one, _ in found.same))}
    for file in sorted(found.strangers, key=lambda file: _likeness(free, hashes, file)):
        sha256 = hashes.get(file.path, "")
        if file.path in trusted:
            matches.moved.append((trusted[file.path], file))
        elif candidates := free.get(sha256):
            best = max(candidates, key=lambda one: _resemblance(one, file))
            candidates.remove(best)
            matches.moved.append((best, file))
            there.add(sha256)
        elif sha256 in there:
            matches.copies.append(file)
        else:
            matches.new.append(file)
    moved = {one.arrival_id for one, _ in matches.moved}
    lost = [one for one in found.lost if one.arrival_id not in moved]
    _tell_edited(matches, [*(one for one in found.absent if one.arrival_id not in moved), *lost])
    edited = {one.arrival_id for one, _ in matches.edited}
    matches.gone = [one for one in lost if one.arrival_id not in edited]
    return matches


def _tell_edited(matches: Matches, left: Sequence[KnownFile]) -> None:
    """``left``: known files that are nowhere; of several that were at a place the last counts."""
    places = {one.location: one for one in left}
    new, matches.new = matches.new, []
    for file in new:
        known = places.get(file.path)
        if known is None or suffix_of(file.path) not in ALL_SUFFIXES:
            matches.new.append(file)
        else:
            matches.edited.append((known, file))


def _likeness(
    free: Mapping[str, Sequence[KnownFile]], hashes: Mapping[str, str], file: DiskFile
) -> tuple[bool, bool, float]:
    """Files that lie where one of their content was lost come first, then those that are surely
    one of the lost, then in order of time."""
    candidates = free.get(hashes.get(file.path, ""), ())
    return (
        all(one.location != file.path for one in candidates),
        all(one.identity != file.identity for one in candidates),
        file.changed_at,
    )


def _resemblance(one: KnownFile, file: DiskFile) -> tuple[bool, bool, bool, bool, bool, int]:
    """Which of several lost files of one content is this one most probably?

    That of its path before that of its inode: in a workspace that was restored or copied every
    inode is new, and may be another file's old one.
    """
    folder, _, name = file.path.rpartition("/")
    same_file, same_folder = (
        one.identity == file.identity,
        one.location.rpartition("/")[0] == folder,
    )
    same_path = one.location == file.path
    return same_path, same_file, not one.missing, same_folder, one.name == name, -one.arrival_id
