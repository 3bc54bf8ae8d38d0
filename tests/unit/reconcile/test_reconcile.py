"""What people do with files in the folders, and what the log learns from it."""

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from imgsort.daemon.corrections import Timetable
from imgsort.disk.identity import Identity
from imgsort.errors import FilingPaused
from imgsort.filing import recover
from imgsort.images import ImageLimits
from imgsort.images.pool import DecoderPool
from imgsort.reconcile import adoption, scan
from imgsort.reconcile.compare import differences
from imgsort.reconcile.examine import examine_adopted
from imgsort.reconcile.renames import Flow, renamed_classes
from imgsort.reconcile.scan import look_through
from imgsort.records.files import ClassFolder, KnownClass, KnownFile, Layout
from imgsort.records.journal import Arrival, Plan
from imgsort.records.labels import NewLabel
from imgsort.records.log import LogFilter
from tests.album import LONG_AGO, Album, made, new_album, sha256
from tests.logbook import FACTS, NOON, verdict


@pytest.fixture
def album(tmp_path: Path) -> Iterator[Album]:
    with new_album(tmp_path / "photos") as album:
        yield album


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies and new files needn't get old first."""
    monkeypatch.setattr(adoption, "COPY_SECONDS", 0.0)
    monkeypatch.setattr(adoption, "SETTLE_SECONDS", 0.0)


def copied_and_deleted(path: Path, target: Path) -> None:
    shutil.copy(path, target)
    path.unlink()


def copied_with_its_times_and_deleted(path: Path, target: Path) -> None:
    shutil.copy2(path, target)
    path.unlink()


def linked_and_unlinked(path: Path, target: Path) -> None:
    target.hardlink_to(path)
    path.unlink()


def by_way_of_outside(path: Path, target: Path) -> None:
    outside = path.parents[3] / "outside"
    path.rename(outside)
    shutil.move(outside, target)


WAYS: list[Callable[[Path, Path], object]] = [
    Path.rename,
    copied_and_deleted,
    copied_with_its_times_and_deleted,
    linked_and_unlinked,
    by_way_of_outside,
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("new_name", ["a.jpg", "renamed.jpg"])
def test_another_class_folder_is_a_correction_once(
    album: Album, way: Callable[[Path, Path], object], new_name: str
) -> None:
    """However the file got there, and only the first time it is seen there."""
    picture, other = album.filed("a.jpg"), album.filed("b.jpg")
    (album.sorted / "dog").mkdir()
    album.look()
    way(picture, album.sorted / "dog" / new_name)
    assert album.look().labelled == 1
    assert album.words() == {f"sorted/dog/{new_name}": "dog"}
    assert album.paths() == album.tree()
    again = album.look()
    assert (again.labelled, again.learned, again.moved) == (0, False, 0)
    history = album.store.labels.history(sha256(album.sorted / "dog" / new_name))
    assert [(one.source, one.representative) for one in history] == [("move", False)]
    assert other.exists()


def test_a_correction_shows_in_the_log(album: Album) -> None:
    """human_label, is_correct, and the path the file has now."""
    album.filed("a.jpg").rename(made(album.sorted / "dog") / "b.jpg")
    album.look()
    (row,) = album.store.log.rows(LogFilter(corrected=True))
    assert (row.label, row.human_label, row.is_correct) == ("cat", "dog", 0)
    assert (row.path, row.name) == ("sorted/dog/b.jpg", "a.jpg")


def test_a_file_seen_outside_meanwhile_is_corrected_when_it_is_back(album: Album) -> None:
    """Gone at one look, in another class at a later one: still one correction."""
    picture, outside = album.filed("a.jpg"), album.workspace.root / "outside.jpg"
    picture.rename(outside)
    assert (album.look().missing, album.paths()) == (1, set())
    assert album.store.labels.current() == {}
    assert album.look().missing == 0
    shutil.move(outside, made(album.sorted / "dog") / "a.jpg")
    assert (album.look().labelled, album.words()) == (1, {"sorted/dog/a.jpg": "dog"})


def test_a_missing_file_that_is_back_where_it_was_says_nothing(album: Album) -> None:
    """Vanished is reversible."""
    picture, outside = album.filed("a.jpg"), album.workspace.root / "outside.jpg"
    picture.rename(outside)
    album.look()
    outside.rename(picture)
    assert (album.look().labelled, album.paths()) == (0, {"sorted/cat/a.jpg"})


def test_a_rename_within_the_class_and_nested_folders_say_nothing(album: Album) -> None:
    """Folders nested in a class belong to it."""
    picture = album.filed("a.jpg")
    picture.rename(made(album.sorted / "cat" / "2026" / "11") / "nice.jpg")
    summary = album.look()
    assert (summary.moved, summary.labelled) == (1, 0)
    assert album.paths() == {"sorted/cat/2026/11/nice.jpg"}


def test_a_correction_into_a_nested_folder(album: Album) -> None:
    """The class is the first folder below sorted/."""
    album.filed("a.jpg").rename(made(album.sorted / "dog" / "2026") / "a.jpg")
    album.look()
    assert album.words() == {"sorted/dog/2026/a.jpg": "dog"}


@pytest.mark.parametrize(
    ("said", "folder", "word"),
    [
        ("unsure", "sorted/dog", "dog"),
        ("rejected", "sorted/dog", "dog"),
        ("cat", "unsure", "withdrawn"),
        ("cat", "rejected", "never_use"),
        ("unsure", "rejected", "never_use"),
        ("rejected", "unsure", "withdrawn"),
    ],
)
def test_each_folder_has_its_meaning(album: Album, said: str, folder: str, word: str) -> None:
    """Into unsure/ takes the word back, into rejected/ means never use."""
    album.filed("a.jpg", said).rename(made(album.workspace.root / folder) / "a.jpg")
    album.look()
    assert album.words() == {f"{folder}/a.jpg": word}
    assert not album.look().learned


def test_a_withdrawal_takes_back_what_was_said(album: Album) -> None:
    """Labels are appended; the newest holds."""
    picture = album.filed("a.jpg")
    target = made(album.sorted / "dog") / "a.jpg"
    picture.rename(target)
    album.look()
    target.rename(album.workspace.unsure / "a.jpg")
    album.look()
    history = album.store.labels.history(sha256(album.workspace.unsure / "a.jpg"))
    assert [one.kind for one in history] == ["label", "withdrawn"]


def test_a_word_said_better_is_not_repeated(album: Album) -> None:
    """A representative label isn't hidden by a move to the class it names."""
    picture = album.filed("a.jpg")
    album.store.labels.add(None, [NewLabel(sha256(picture), "label", "dog", "audit", True)])
    picture.rename(made(album.sorted / "dog") / "a.jpg")
    assert album.look().labelled == 0
    assert album.store.labels.current()[sha256(album.sorted / "dog" / "a.jpg")].representative


# Class folders


def test_a_renamed_class_folder_renames_the_class(album: Album) -> None:
    """No labels; the class keeps its id, so models need no change. A missing file follows."""
    album.filed("gone.jpg").rename(album.workspace.root / "outside.jpg")
    for number in range(3):
        album.filed(f"{number}.jpg")
    album.look()
    before = {name: number for number, name in album.store.classes.names().items()}
    (album.sorted / "cat").rename(album.sorted / "kitten")
    summary = album.look()
    assert summary.renamed == ("cat -> kitten",)
    assert (summary.labelled, album.store.labels.current()) == (0, {})
    assert album.store.classes.names()[before["cat"]] == "kitten"
    assert album.paths() == album.tree()
    (album.workspace.root / "outside.jpg").rename(album.sorted / "kitten" / "gone.jpg")
    assert (album.look().labelled, album.paths()) == (0, album.tree())


def test_files_put_elsewhere_during_a_rename_are_corrections_still(album: Album) -> None:
    """One out of the renamed folder, one into it."""
    for number in range(4):
        album.filed(f"{number}.jpg")
    dog = album.filed("dog.jpg", "dog")
    album.look()
    (album.sorted / "cat").rename(album.sorted / "kitten")
    (album.sorted / "kitten" / "0.jpg").rename(album.sorted / "dog" / "0.jpg")
    dog.rename(album.sorted / "kitten" / "dog.jpg")
    summary = album.look()
    assert (summary.renamed, summary.labelled) == (("cat -> kitten",), 2)
    assert album.words() == {"sorted/dog/0.jpg": "dog", "sorted/kitten/dog.jpg": "kitten"}


def test_a_class_folder_that_was_copied_under_another_name(album: Album) -> None:
    """Another folder by every number, but mostly the same files, and the old one is gone."""
    for number in range(5):
        album.filed(f"{number}.jpg")
    album.look()
    shutil.copytree(album.sorted / "cat", album.sorted / "kitten")
    shutil.rmtree(album.sorted / "cat")
    (album.sorted / "kitten" / "4.jpg").unlink()
    summary = album.look()
    assert (summary.renamed, summary.labelled) == (("cat -> kitten",), 0)


def test_moving_the_only_pictures_of_a_class_renames_nothing(album: Album) -> None:
    """Two files that moved together prove nothing about their folder."""
    pictures = [album.filed("a.jpg"), album.filed("b.jpg")]
    album.look()
    for picture in pictures:
        picture.rename(made(album.sorted / "lion") / picture.name)
    (album.sorted / "cat").rmdir()
    summary = album.look()
    assert (summary.renamed, summary.labelled) == ((), 2)


def test_a_merge_into_an_existing_class_is_corrections(album: Album) -> None:
    """All files of one class moved into another, the folder removed."""
    for number in range(4):
        album.filed(f"{number}.jpg")
    album.filed("dog.jpg", "dog")
    album.look()
    for number in range(4):
        (album.sorted / "cat" / f"{number}.jpg").rename(album.sorted / "dog" / f"{number}.jpg")
    (album.sorted / "cat").rmdir()
    summary = album.look()
    assert (summary.renamed, summary.labelled) == ((), 4)
    assert set(album.words().values()) == {"dog"}


def test_a_folder_that_takes_the_name_of_a_class_without_one_is_a_merge(album: Album) -> None:
    """Two classes can't be one: the model knows both."""
    album.store.classes.ensure(["dog"])
    for number in range(4):
        album.filed(f"{number}.jpg")
    album.look()
    (album.sorted / "cat").rename(album.sorted / "dog")
    summary = album.look()
    assert (summary.renamed, summary.labelled) == ((), 4)


def test_an_empty_class_folder_may_be_renamed(album: Album) -> None:
    """As people do right after `init`."""
    made(album.sorted / "snake")
    album.look()
    time.sleep(0.05)  # the folder was made a while before
    (album.sorted / "snake").rename(album.sorted / "serpent")
    assert album.look().renamed == ("snake -> serpent",)


def test_a_new_folder_with_the_number_of_a_removed_one_is_a_new_class(album: Album) -> None:
    """Inode numbers are given anew at once."""
    fresh = ClassFolder("horse", 1, 7, renamed=False)
    known = [KnownClass(1, "snake", 1, 7)]
    assert renamed_classes(known, [fresh], Flow({}, {}, {}, frozenset())) == ()
    moved_away = Flow({("snake", "cat"): 4}, {"snake": 4}, {}, frozenset())
    assert renamed_classes(known, [replace(fresh, renamed=True)], moved_away) == ()
    made(album.sorted / "snake")
    album.look()
    (album.sorted / "snake").rmdir()
    (album.sorted / "horse").mkdir()
    assert album.look().renamed == ()
    assert {"snake", "horse"} <= set(album.store.classes.names().values())


def test_a_renamed_class_whose_old_folder_the_daemon_made_again(album: Album) -> None:
    """It files under the old name for a moment, until it has looked."""
    for number in range(3):
        album.filed(f"{number}.jpg")
    album.look()
    (album.sorted / "cat").rename(album.sorted / "kitten")
    album.filed("late.jpg")
    summary = album.look()
    assert (summary.renamed, summary.labelled) == (("cat -> kitten",), 0)


def test_two_classes_exchange_their_names(album: Album) -> None:
    """Neither name is new, so every file is corrected: as the folders say."""
    for number in range(3):
        album.filed(f"c{number}.jpg", "cat")
        album.filed(f"d{number}.jpg", "dog")
    album.look()
    (album.sorted / "cat").rename(album.sorted / "x")
    (album.sorted / "dog").rename(album.sorted / "cat")
    (album.sorted / "x").rename(album.sorted / "dog")
    album.look()
    assert {path: word for path, word in album.words().items() if word not in path} == {}
    assert album.paths() == album.tree()


@pytest.mark.parametrize("walked", ["sorted", "unsure"])
def test_a_folder_renamed_while_somebody_looks_is_a_renamed_class(
    album: Album, monkeypatch: pytest.MonkeyPatch, walked: str
) -> None:
    """Before or after the walk has come through it, but before it ends: no new class, no label."""
    for name in ("a.jpg", "bb.jpg", "ccc.jpg"):
        album.filed(name)
    album.look()
    device_of = scan._device

    def renamed_meanwhile(base: str) -> int:
        if base.endswith(walked) and (album.sorted / "cat").exists():
            (album.sorted / "cat").rename(album.sorted / "kitten")
        return device_of(base)

    monkeypatch.setattr(scan, "_device", renamed_meanwhile)
    seen = album.look()
    assert (seen.renamed, seen.labelled) == (("cat -> kitten",), 0)
    assert album.words() == {}


def test_a_new_folder_is_a_new_class(album: Album) -> None:
    """Even while it is empty; a name that can't be one is told, not taken."""
    made(album.sorted / "zebra")
    made(album.sorted / "-x")
    made(album.sorted / ".hidden")
    (notice,) = album.look().notices
    assert "1 folders can't be classes by their name (-x); rename them" in notice
    assert list(album.store.classes.names().values()) == ["zebra"]


# Files that a human brought


def test_a_file_put_into_a_class_folder_is_labelled(album: Album, at_once: None) -> None:
    """It becomes an arrival without a prediction. Its sidecar is no picture."""
    path = made(album.sorted / "zebra") / "z.jpg"
    path.write_bytes(b"stripes")
    path.with_suffix(".xmp").write_text("sidecar")
    (album.sorted / "zebra" / "empty.jpg").touch()
    summary = album.look()
    assert (summary.adopted, summary.labelled) == (1, 1)
    (row,) = album.store.log.rows(LogFilter())
    assert (row.path, row.human_label, row.label) == ("sorted/zebra/z.jpg", "zebra", None)
    assert (row.decision, row.reason, row.is_correct) == ("filed", "put here by hand", None)
    assert not album.look().learned


def test_adopted_pictures_are_opened_afterwards(
    album: Album, at_once: None, test_data: Path
) -> None:
    """Their facts are as if imgsort had filed them; what is no picture is told, once."""
    real = sorted((test_data / "ants_bees").rglob("*.jpg"))[0]
    shutil.copy(real, made(album.sorted / "ant") / "real.jpg")
    (album.sorted / "ant" / "fake.jpg").write_bytes(b"no picture")
    album.look()
    assert len(album.store.files.unexamined()) == 2
    limits = ImageLimits(max_pixels=64_000_000, max_bytes=256_000_000)
    with DecoderPool(
        size=224,
        limits=limits,
        workers=1,
        timeout_seconds=20,
        memory_mb=1024,
        attempts=album.store.attempts,
    ) as pool:
        assert examine_adopted(album.workspace, album.store, pool) == 1
    assert album.store.files.unexamined() == {}
    readable = {
        str(one.path.name): one.readable for one in album.store.pictures.below(album.sorted)
    }
    assert readable == {"real.jpg": True, "fake.jpg": False}
    reasons = {row.name: row.reason for row in album.store.log.rows(LogFilter())}
    assert reasons["real.jpg"] == "put here by hand"
    assert (reasons["fake.jpg"] or "").startswith("put here by hand, but it can't be read: ")


def test_files_put_into_the_other_folders(album: Album, at_once: None) -> None:
    """unsure/ says nothing, rejected/ says never."""
    (album.workspace.unsure / "u.jpg").write_bytes(b"u")
    (album.workspace.rejected / "r.jpg").write_bytes(b"r")
    assert (album.look().adopted, album.words()) == (2, {"rejected/r.jpg": "never_use"})


def test_a_file_still_being_written_waits(album: Album) -> None:
    """Nothing is read by half."""
    (made(album.sorted / "zebra") / "z.jpg").write_bytes(b"str")
    summary = album.look()
    assert (summary.adopted, summary.waiting) == (0, 1)


def test_a_whole_library_is_asked_about_first(album: Album, at_once: None) -> None:
    """More than a hundred new files: named with the command; no folder becomes a class unasked."""
    for number in range(101):
        (made(album.sorted / "mine") / f"{number}.jpg").write_bytes(f"{number}".encode())
    summary = album.look()
    (notice,) = summary.notices
    assert notice.startswith("101 pictures that imgsort never filed lie in sorted/ (sorted/mine/")
    assert "run `imgsort import sorted`" in notice
    assert (summary.adopted, album.store.classes.names()) == (0, {})
    assert album.look(adopt_library=True).labelled == 101
    words = album.store.labels.current().values()
    assert {(one.source, one.representative) for one in words} == {("import", True)}


def test_a_picture_edited_in_place_says_nothing(album: Album, at_once: None) -> None:
    """It is the same file still: nothing is missing or new, and nobody spoke about its class."""
    path = album.filed("a.jpg")
    path.write_bytes(b"brighter now")
    summary = album.look()
    assert (summary.missing, summary.adopted, summary.labelled) == (0, 0, 0)
    assert (summary.edited, album.paths()) == (1, album.tree())
    assert not album.look().learned


def test_a_touched_picture_is_the_same(album: Album) -> None:
    """Another time stamp, or a copy put back in its place: the content decides."""
    path = album.filed("a.jpg")
    os.utime(path)
    assert not album.look().learned
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)
    assert (album.look().learned, album.paths()) == (False, {"sorted/cat/a.jpg"})


# Copies


def test_a_copy_waits_for_its_original_to_go(album: Album) -> None:
    """Copied, and the original removed after a look has seen both: one correction."""
    picture = album.filed("a.jpg")
    target = made(album.sorted / "dog") / "a.jpg"
    shutil.copy2(picture, target)
    summary = album.look()
    assert (summary.labelled, summary.waiting) == (0, 1)
    picture.unlink()
    assert (album.look().labelled, album.words()) == (1, {"sorted/dog/a.jpg": "dog"})
    assert len(list(album.store.files.known())) == 1


def test_a_copy_that_stays_is_a_picture_of_its_own(album: Album, at_once: None) -> None:
    """In another class it is a label for the content; beside its original it says nothing."""
    picture = album.filed("a.jpg")
    shutil.copy2(picture, picture.with_name("twin.jpg"))
    assert (album.look().adopted, album.store.labels.current()) == (1, {})
    shutil.copy2(picture, made(album.sorted / "dog") / "a.jpg")
    assert (album.look().labelled, album.paths()) == (1, album.tree())
    picture.unlink()
    summary = album.look()
    assert (summary.missing, summary.labelled) == (1, 0)


def test_copies_moved_to_different_classes_conflict(album: Album) -> None:
    """The newest wins, and the conflict is told for as long as both lie there."""
    first, second = album.filed("a.jpg", content=b"same"), album.filed("b.jpg", content=b"same")
    first.rename(made(album.sorted / "dog") / "a.jpg")
    album.look()
    second.rename(made(album.sorted / "snake") / "b.jpg")
    (notice,) = album.look().notices
    assert "copies of one picture lie in dog and snake" in notice
    assert "the newest word counts (snake)" in notice
    assert set(album.words().values()) == {"snake"}
    (album.sorted / "dog" / "a.jpg").unlink()
    assert album.look().notices == ()


def test_each_of_two_copies_is_told_apart(album: Album) -> None:
    """The one that moved is corrected, its twin stays what it was."""
    album.filed("a.jpg", content=b"same")
    second = album.filed("b.jpg", content=b"same")
    second.rename(made(album.sorted / "dog") / "a.jpg")
    summary = album.look()
    assert (summary.labelled, album.paths()) == (1, {"sorted/cat/a.jpg", "sorted/dog/a.jpg"})


def test_exchanged_files_are_both_corrected(album: Album) -> None:
    """Both paths exist as before, with the other's content."""
    cat, dog = album.filed("a.jpg", "cat", b"one"), album.filed("a.jpg", "dog", b"two")
    spare = album.workspace.root / "spare"
    cat.rename(spare)
    dog.rename(cat)
    spare.rename(dog)
    assert album.look().labelled == 2
    assert album.words() == {"sorted/cat/a.jpg": "cat", "sorted/dog/a.jpg": "dog"}


# Hints are only hints


def test_a_reused_inode_is_no_move(album: Album, at_once: None) -> None:
    """Another content under the very numbers of a file that is gone."""
    picture = album.filed("a.jpg", content=b"12345")
    made(album.sorted / "dog")
    before = picture.stat()
    picture.unlink()
    target = album.sorted / "dog" / "new.jpg"
    target.write_bytes(b"54321")
    os.utime(target, ns=(before.st_atime_ns, before.st_mtime_ns))
    album.look()
    words = {path.name: path for path in map(Path, album.words())}
    assert set(words) == {"new.jpg"}  # a new file of its own
    assert sha256(target) != hashlib.sha256(b"12345").hexdigest()
    assert album.store.labels.history(hashlib.sha256(b"12345").hexdigest()) == []


def test_renumbered_devices_cost_nothing(album: Album, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a restart every identity is new; no file is read for that."""
    album.filed("a.jpg")
    layout = Layout.of(album.workspace)
    renumbered = [
        replace(one, identity=replace(one.identity, dev=99)) for one in album.store.files.known()
    ]
    found = differences(look_through(layout), renumbered)
    assert (len(found.same), found.lost, found.strangers) == (1, [], [])


def test_a_naked_mount_point_is_no_empty_folder(album: Album) -> None:
    """Nothing there, on another device than the files were: nobody deleted anything."""
    picture = album.filed("a.jpg")
    layout = Layout.of(album.workspace)
    elsewhere: list[KnownFile] = [
        replace(one, identity=replace(one.identity, dev=99)) for one in album.store.files.known()
    ]
    picture.unlink()
    assert not differences(look_through(layout), elsewhere)
    assert differences(look_through(layout), list(album.store.files.known())).lost


def test_a_missing_folder_teaches_nothing(album: Album) -> None:
    """It is told instead, and nothing is called missing."""
    album.filed("a.jpg")
    album.sorted.rename(album.workspace.root / "away")
    with pytest.raises(FilingPaused, match=r"sorted can't take pictures"):
        album.look()
    assert album.paths() == {"sorted/cat/a.jpg"}


def test_a_folder_that_cannot_be_read_hides_its_files(
    album: Album, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are neither missing nor moved."""
    album.filed("a.jpg")
    real = os.scandir

    def closed(folder: str) -> object:
        if str(folder).endswith("sorted/cat"):
            raise PermissionError(13, "Permission denied")
        return real(folder)

    monkeypatch.setattr("imgsort.reconcile.scan.os.scandir", closed)
    assert not album.look().learned


# Our own moves, and other people's at the same moment


def test_files_on_their_way_do_not_count(album: Album, at_once: None) -> None:
    """A batch that has been written down and placed, but not marked landed."""
    path = made(album.sorted / "cat") / "a.jpg"
    path.write_bytes(b"picture")
    arrival = Arrival(b"a.jpg", b"", NOON, "filed", None, FACTS, verdict("cat"), 1)
    source = album.workspace.inbox / "a.jpg"
    identity = Identity.of(path.stat())
    plan = Plan(source, path, identity, sha256(path), "move", "file", arrival)
    album.store.journal.record_decided(album.store.runs.begin("run"), [plan])
    summary = album.look()
    assert (summary.adopted, album.store.labels.current()) == (0, {})
    assert len(list(album.store.files.known())) <= 1


def test_sent_back_while_no_daemon_ran(album: Album) -> None:
    """The label is withdrawn at once; the daemon will ask again."""
    picture = album.filed("a.jpg")
    album.store.labels.add(None, [NewLabel(sha256(picture), "label", "cat", "confirm", True)])
    picture.rename(album.workspace.inbox / "a.jpg")
    summary = album.look()
    assert (summary.withdrawn, summary.missing) == (1, 1)
    assert album.store.labels.current()[sha256(album.workspace.inbox / "a.jpg")].kind == "withdrawn"
    assert not album.look().learned


def test_names_no_program_expects(album: Album) -> None:
    """Bytes that are no text, and line breaks, in a file's name."""
    picture = album.filed("a.jpg")
    made(album.sorted / "dog")
    picture.rename(album.sorted / "dog" / os.fsdecode(b"\xff\n.jpg"))
    assert album.look().labelled == 1
    assert not album.look().learned


def test_labels_are_kept_and_counted(album: Album) -> None:
    """Appended in order; content that never arrived is refused whole."""
    digest = sha256(album.filed("a.jpg"))
    words = [
        NewLabel(digest, "label", "dog", "csv", False),
        NewLabel(digest, "never_use", None, "cli", False),
    ]
    assert album.store.labels.add(None, words) == 2
    assert [one.kind for one in album.store.labels.history(digest)] == ["label", "never_use"]
    with pytest.raises(ValueError, match="no image has the content"):
        album.store.labels.add(None, [*words, NewLabel("0" * 64, "withdrawn", None, "cli", False)])
    assert len(album.store.labels.history(digest)) == 2


def test_looks_rest_longer_than_they_take() -> None:
    """A hint brings the next look forward, but never so far that looking takes 5 % of a core."""
    times = Timetable()
    times.looked(began=100.0, ended=100.1, scan_seconds=30.0, waiting=False)
    assert times.next_at == pytest.approx(130.1)
    times.hinted(110.0)
    assert times.next_at == pytest.approx(111.0)
    times.looked(began=200.0, ended=202.0, scan_seconds=30.0, waiting=True)
    times.hinted(203.0)
    assert times.next_at == pytest.approx(242.0)


def test_what_a_dead_mover_placed_brings_no_older_arrival_back(album: Album) -> None:
    """Sent back, missed, filed again to the very place, and killed before the log had it: the file
    is the new arrival's, now and after the recovery."""
    filed = album.filed("a.jpg")
    back = album.workspace.inbox / "a.jpg"
    filed.rename(back)
    assert album.look().missing == 1
    album.filed("a.jpg", landed=False, moved_from=back)
    album.look()
    assert album.paths() == set()
    recover(album.workspace, album.store)
    album.look()
    here = [one.arrival_id for one in album.store.files.known() if not one.missing]
    assert here == [2]


def test_a_clock_that_was_set_back_keeps_no_picture_waiting(
    album: Album, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its change lies in the future then, as on a server whose clock is ahead."""
    album.filed("a.jpg")
    (album.sorted / "cat/new.jpg").write_bytes(b"new")
    shutil.copy(album.sorted / "cat/a.jpg", album.workspace.sorted / "cat/copy.jpg")
    wrong = time.time() - 3600
    monkeypatch.setattr(time, "time", lambda: wrong)
    summary = album.look()
    assert (summary.adopted, summary.waiting) == (2, 0)


# What was rejected and then changes


def inbox(album: Album) -> dict[str, bytes]:
    folder = album.workspace.inbox
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_what_was_rejected_and_then_grows_is_looked_at_again(album: Album) -> None:
    """Somebody was still writing it: it goes back to the inbox, and nobody has said a word."""
    path = album.filed("a.jpg", "rejected", b"half")
    path.with_name("a.jpg.xmp").write_bytes(b"<xmp/>")
    with path.open("ab") as writing:
        writing.write(b" and the rest")

    summary = album.look()
    album.look()

    assert inbox(album) == {"a.jpg": b"half and the rest", "a.jpg.xmp": b"<xmp/>"}
    assert summary.missing == 1
    assert album.store.labels.current() == {}
    assert [(one.missing, one.decision) for one in album.store.files.known()] == [
        (True, "rejected")
    ]


def test_what_was_rejected_and_is_mended_is_looked_at_again(album: Album) -> None:
    """As many bytes as before, others, and by another file: it goes beside its successor."""
    path = album.filed("a.jpg", "rejected", b"spoilt")
    (album.workspace.inbox / "a.jpg").write_bytes(b"another")
    mended = path.with_name("mended.tmp")
    mended.write_bytes(b"mended")
    mended.rename(path)

    album.look()

    assert inbox(album) == {"a.jpg": b"another", "a_2.jpg": b"mended"}


def test_what_was_rejected_and_only_touched_stays(album: Album) -> None:
    """The bytes are the same: there is nothing new to look at."""
    path = album.filed("a.jpg", "rejected", b"spoilt")
    os.utime(path, (LONG_AGO + 99, LONG_AGO + 99))

    album.look()

    assert inbox(album) == {}
    assert [one.missing for one in album.store.files.known()] == [False]


def test_what_a_person_put_into_rejected_stays_there(album: Album) -> None:
    """They said that it is never to be used: an edit doesn't bring it back."""
    path = album.filed("a.jpg", "cat", b"picture")
    path.rename(album.workspace.rejected / "a.jpg")
    album.look()
    (album.workspace.rejected / "a.jpg").write_bytes(b"edited picture")

    album.look()

    assert inbox(album) == {}


@pytest.mark.parametrize("place", ["sorted/inner", "sorted/cat/inner", "unsure/inner"])
def test_a_workspace_inside_a_picture_folder_is_left_alone(album: Album, place: str) -> None:
    """Its folders are no classes and its pictures no words, and nothing is called missing."""
    album.filed("a.jpg", "cat", b"ours")
    inner = album.workspace.root / place
    for folder in ("inbox", "sorted/dog", "state"):
        (inner / folder).mkdir(parents=True)
        (inner / folder / "a.jpg").write_bytes(f"theirs in {folder}".encode())
    (inner / "config.toml").touch()
    os.utime(inner, (LONG_AGO, LONG_AGO))

    summary = album.look()

    assert (summary.adopted, summary.labelled, summary.missing) == (0, 0, 0)
    assert "inner" not in {one.name for one in album.store.files.known_classes()}
    assert album.store.labels.current() == {}
