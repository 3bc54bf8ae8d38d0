"""The filing protocol on real folders with a real log: what lands where, and what stays."""

import ctypes
import errno
import hashlib
import os
import shutil
import sqlite3
import stat
import subprocess
import tempfile
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imgsort.disk.identity import Identity, fingerprint, open_regular
from imgsort.errors import FilingPaused, ImgsortError, StorageFailed
from imgsort.filing import Candidate, Done, Filer, InboxPicture, Recovered, mover, recover
from imgsort.filing import no_replace as renaming
from imgsort.filing.folders import Folder, Spot
from imgsort.images import ImageFacts
from imgsort.images.outcome import NoAttempts, Picture, Refused
from imgsort.images.pool import open_decoder
from imgsort.labels.dataset_folder import Found, Hashed
from imgsort.labels.import_dataset import Importer
from imgsort.reconcile.apply import reconcile_folders
from imgsort.records.journal import Plan, Planned
from imgsort.records.model_card import ClassEntry, ModelCard
from imgsort.records.verdict import Score, Verdict, shortfall
from imgsort.store import Store
from imgsort.store.schema import migrate
from imgsort.workspace.workspace import Workspace

ARRIVED = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NOBODY = 65534
LONG_AGO = 1_000_000_007_123_456_789


def said(done: Done) -> str | None:
    """Why a new picture is where it is."""
    assert done.errand.arrival is not None
    return done.reason or done.errand.arrival.reason


@dataclass
class Bench:
    """A workspace, and pictures judged by what their bytes say."""

    workspace: Workspace
    store: Store

    @property
    def root(self) -> Path:
        return self.workspace.root

    def drop(self, name: str | bytes, content: bytes = b"cat") -> Path:
        path = self.workspace.inbox / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def judged(self, path: Path) -> InboxPicture:
        content = path.read_bytes()
        identity, sha256 = Identity.of(path.stat()), hashlib.sha256(content).hexdigest()
        subfolder = os.fsencode(path.parent.relative_to(self.workspace.inbox)).strip(b".")
        word = content.split()[0].decode()
        candidate = Candidate(path, subfolder, ARRIVED, 0.0)
        if word == "broken":
            refused = Refused(path, identity, sha256, "the file is cut short")
            return InboxPicture(candidate, refused)
        facts = ImageFacts(8, 8, "JPEG", "2024-02-29T07:05:09", "Canon", 0)
        picture = Picture(path, identity, sha256, facts, np.zeros((1, 1, 3), np.uint8))
        if word == "unsure":
            doubt = shortfall(0.41, 0.7)
            verdict = Verdict("cat", 0.41, "unsure", doubt, (Score("cat", 0.41),))
        else:
            verdict = Verdict(word, 0.87, "filed", None, (Score(word, 0.87),))
        return InboxPicture(candidate, picture, verdict, 1)

    def filer(self) -> Filer:
        return Filer(self.workspace, self.store, self.store.runs.begin("run"))

    def file(self, *paths: Path) -> list[Done]:
        return self.filer().file([self.judged(path) for path in paths])

    def files(self, *folders: str) -> dict[str, bytes]:
        """What lies below these folders of the workspace, all four by default."""
        return {
            os.fsdecode(os.fsencode(path.relative_to(self.root))): path.read_bytes()
            for folder in folders or ("inbox", "sorted", "unsure", "rejected")
            for path in (self.root / folder).rglob("*")
            if path.is_file() and not path.is_symlink()
        }

    def log(self, query: str) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.workspace.database)) as log:
            return log.execute(query).fetchall()

    def filed(self) -> list[str]:
        rows = self.log("SELECT path_bytes FROM arrivals WHERE state = 'filed' ORDER BY id")
        return [os.fsdecode(path) for (path,) in rows if isinstance(path, bytes)]


MakeBench = Callable[..., Bench]


@pytest.fixture
def make_bench(tmp_path: Path) -> Iterator[MakeBench]:
    stores = []

    def make(config: str = "", root: Path = tmp_path) -> Bench:
        (root / "config.toml").write_text(config)
        workspace = Workspace.open(root)
        for folder in (*workspace.picture_folders, workspace.state):
            folder.mkdir(exist_ok=True)
        migrate(workspace.database)
        store = Store.open(workspace.database, root=root, checkpointer=True)
        stores.append(store)
        ids = store.classes.ensure(("cat", "dog"))
        store.predictions.add_model(
            _card(tuple(ClassEntry(number, name) for name, number in ids.items()))
        )
        return Bench(workspace, store)

    yield make
    for store in stores:
        store.close()


@pytest.fixture
def bench(make_bench: MakeBench) -> Bench:
    return make_bench()


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system than the workspace."""
    shared = Path("/dev/shm")  # noqa: S108 - the one other file system that every Linux has
    if not os.access(shared, os.W_OK) or shared.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip(f"{shared} is no second file system here")
    folder = Path(tempfile.mkdtemp(prefix="imgsort-", dir=shared))
    folder.chmod(0o777)  # for plain_user's user as well
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def plain_user(tmp_path: Path) -> Iterator[Path]:
    """A folder for a workspace, and a user whom file modes can stop (root they can't)."""
    if os.geteuid() != 0:
        yield tmp_path
        return
    folder = Path(tempfile.mkdtemp(prefix="imgsort-"))
    os.chown(folder, NOBODY, NOBODY)
    os.seteuid(NOBODY)
    yield folder
    os.seteuid(0)
    shutil.rmtree(folder)


def _card(classes: tuple[ClassEntry, ...]) -> ModelCard:
    return ModelCard(
        version=1,
        kind="imagenet",
        backbone="none",
        backbone_id="none",
        precision="float32",
        classes=classes,
        temperature=1.0,
        thresholds=(0.7,) * len(classes),
        metrics={},
        parent=None,
        created_at=ARRIVED.isoformat(),
        checksums={},
    )


# Where pictures go


def test_pictures_go_where_they_were_judged_to_belong(bench: Bench) -> None:
    """Classes to sorted/, the unsure and the unreadable to their folders, each with a row."""
    paths = [
        bench.drop("a.jpg", b"cat 1"),
        bench.drop("holiday/2024/b.jpg", b"dog 1"),
        bench.drop("c.jpg", b"unsure 1"),
        bench.drop("d.jpg", b"broken 1"),
    ]

    results = bench.file(*paths)

    assert bench.files() == {
        "sorted/cat/a.jpg": b"cat 1",
        "sorted/dog/b.jpg": b"dog 1",
        "unsure/c.jpg": b"unsure 1",
        "rejected/d.jpg": b"broken 1",
    }
    assert [(one.errand.source, one.decision, said(one)) for one in results] == [
        (paths[0], "filed", None),
        (paths[1], "filed", None),
        (paths[2], "unsure", "confidence 0.41 is below 0.70"),
        (paths[3], "rejected", "the file is cut short"),
    ]
    assert bench.log("SELECT name, subfolder, path, decision, state FROM arrivals ORDER BY id") == [
        ("a.jpg", "", "sorted/cat/a.jpg", "filed", "filed"),
        ("b.jpg", "holiday/2024", "sorted/dog/b.jpg", "filed", "filed"),
        ("c.jpg", "", "unsure/c.jpg", "unsure", "filed"),
        ("d.jpg", "", "rejected/d.jpg", "rejected", "filed"),
    ]
    assert [one.path for one in results] == [bench.root / path for path in bench.filed()]


def test_the_template_makes_folders(make_bench: MakeBench) -> None:
    """Folders below a class are made as the template asks."""
    bench = make_bench('[filing]\ntemplate = "{label}/{year}/{month}/{stem}-{confidence}{ext}"\n')

    bench.file(bench.drop("a.jpg"))

    assert bench.files() == {"sorted/cat/2024/02/a-0.87.jpg": b"cat"}


def test_bytes_and_times_of_a_picture_stay_as_they_were(bench: Bench) -> None:
    """Filing changes nothing but the place: content, mtime and mode are kept."""
    path = bench.drop("a.jpg", b"cat \0\xff")
    path.chmod(0o640)
    os.utime(path, ns=(LONG_AGO, LONG_AGO))
    before = path.stat()

    bench.file(path)

    after = (bench.root / "sorted/cat/a.jpg").stat()
    assert (after.st_mtime_ns, after.st_mode, after.st_ino) == (
        LONG_AGO,
        before.st_mode,
        before.st_ino,
    )


def test_an_empty_batch_is_no_work(bench: Bench) -> None:
    """Nothing to file, nothing written."""
    assert bench.filer().file([]) == []


def test_odd_names_keep_their_bytes(bench: Bench) -> None:
    """Names that aren't UTF-8, or hold a newline or an escape, are filed as they are."""
    names = [b"caf\xe9.jpg", b"new\nline.jpg", b"\x1b[31m.jpg", "e\u0301.jpg".encode(), b" .jpg"]

    bench.file(*(bench.drop(name, b"cat %d" % number) for number, name in enumerate(names)))

    filed = (bench.root / "sorted/cat").iterdir()
    assert sorted(os.fsencode(path.name) for path in filed) == sorted(names)


def test_a_class_folder_that_macos_spelled_is_used(bench: Bench) -> None:
    """There is no second folder that looks alike."""
    spelled = bench.root / "sorted" / unicodedata.normalize("NFD", "käfer")
    spelled.mkdir()

    bench.file(bench.drop("a.jpg", "käfer 1".encode()))

    assert [folder.name for folder in (bench.root / "sorted").iterdir()] == [spelled.name]
    assert bench.filed() == [f"sorted/{spelled.name}/a.jpg"]


# Names that are taken


def test_a_thousand_different_files_of_one_name(bench: Bench) -> None:
    """1,000 files called a.jpg get 1,000 names; nobody is overwritten."""
    paths = [bench.drop(f"{number}/a.jpg", b"cat %d" % number) for number in range(1000)]
    filer = bench.filer()

    for start in range(0, 1000, 100):
        filer.file([bench.judged(path) for path in paths[start : start + 100]])

    names = ["a.jpg", *(f"a_{number}.jpg" for number in range(2, 1001))]
    assert bench.files() == {
        f"sorted/cat/{name}": b"cat %d" % number for number, name in enumerate(names)
    }


def test_the_search_for_a_name_does_not_start_over(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hundredth a.jpg costs as many looks at the disk as the second."""
    filer = bench.filer()
    looks = []
    original = Folder.holds

    def counted(folder: Folder, name: str) -> bool:
        looks.append(name)
        return original(folder, name)

    monkeypatch.setattr(Folder, "holds", counted)
    for number in range(100):
        filer.file([bench.judged(bench.drop("a.jpg", b"cat %d" % number))])

    assert len(looks) == 101


@pytest.mark.parametrize("kind", ["file", "folder", "link", "dangling link"])
def test_whatever_bears_the_name_is_left_alone(bench: Bench, kind: str) -> None:
    """A target that exists in any form is never replaced; the picture gets the next name."""
    taken = bench.root / "sorted/cat/a.jpg"
    taken.parent.mkdir()
    canary = bench.root / "canary"
    match kind:
        case "file":
            taken.write_bytes(b"mine")
        case "folder":
            taken.mkdir()
        case "link":
            canary.write_bytes(b"canary")
            taken.symlink_to(canary)
        case _:
            taken.symlink_to(canary)
    before = taken.lstat()

    bench.file(bench.drop("a.jpg"))

    assert taken.lstat() == before
    assert (bench.root / "sorted/cat/a_2.jpg").read_bytes() == b"cat"
    assert not canary.exists() or canary.read_bytes() == b"canary"


def test_a_name_taken_at_the_last_moment(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between plan and move somebody puts a file there: it stays, the log has the new name."""
    _after_plan(bench, monkeypatch, lambda planned: planned.target.write_bytes(b"mine"))

    [result] = bench.file(bench.drop("a.jpg"))

    assert bench.files() == {"sorted/cat/a.jpg": b"mine", "sorted/cat/a_2.jpg": b"cat"}
    assert result.path == bench.root / "sorted/cat/a_2.jpg"
    assert bench.filed() == ["sorted/cat/a_2.jpg"]


def test_a_long_name_leaves_room_for_its_number(bench: Bench) -> None:
    """Two names of 255 bytes: the second loses characters, not its suffix."""
    name = "é" * 125 + "x.jpg"
    bench.file(bench.drop(name, b"cat 1"))

    bench.file(bench.drop(name, b"cat 2"))

    assert bench.files() == {
        f"sorted/cat/{name}": b"cat 1",
        "sorted/cat/" + "é" * 124 + "_2.jpg": b"cat 2",
    }


# Hostile swaps


def test_a_picture_that_changed_since_it_was_judged_stays(bench: Bench) -> None:
    """Other bytes than those judged are never filed under that verdict."""
    path = bench.drop("a.jpg", b"cat 1")
    judged = bench.judged(path)
    path.write_bytes(b"dog 22")

    results = bench.filer().file([judged, bench.judged(bench.drop("b.jpg", b"cat 2"))])

    assert bench.files() == {"inbox/a.jpg": b"dog 22", "sorted/cat/b.jpg": b"cat 2"}
    assert [(one.decision, one.reason) for one in results] == [
        (None, "it changed after it was judged"),
        ("filed", None),
    ]
    assert bench.filed() == ["sorted/cat/b.jpg"]
    assert bench.log("SELECT count(*) FROM moves") == [(1,)]


def test_a_link_in_a_pictures_place_is_not_followed(bench: Bench) -> None:
    """A picture swapped for a link to somebody's file: that file is neither moved nor read."""
    path = bench.drop("a.jpg")
    judged = bench.judged(path)
    canary = bench.root / "canary.jpg"
    path.rename(canary)
    path.symlink_to(canary)

    [result] = bench.filer().file([judged])

    assert result.decision is None
    assert canary.read_bytes() == b"cat"
    assert path.is_symlink()
    assert bench.files("sorted") == {}


def test_a_swap_at_the_instant_of_the_rename_is_undone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another file slipped in between check and rename goes back to the inbox under its name."""
    path = bench.drop("a.jpg", b"cat 1")
    rename = renaming.rename_noreplace

    def swapped(source: Spot, target: Spot) -> None:
        if source.path == path:
            path.rename(bench.root / "a.jpg")
            path.write_bytes(b"something else")
        rename(source, target)

    monkeypatch.setattr(renaming, "rename_noreplace", swapped)

    [result] = bench.file(path)

    assert (result.decision, result.reason) == (None, "it changed after it was judged")
    assert bench.files() == {"inbox/a.jpg": b"something else"}
    assert bench.filed() == []


@pytest.mark.parametrize("base", ["sorted", "inbox"])
def test_a_link_in_a_folders_place_is_not_followed(bench: Bench, base: str) -> None:
    """A class folder, or a folder of the inbox, that is a link leads nowhere."""
    outside = bench.root / "outside"
    outside.mkdir()
    path = bench.drop("sub/a.jpg")
    judged = bench.judged(path)
    if base == "sorted":
        (bench.root / "sorted/cat").symlink_to(outside)
    else:
        path.rename(outside / "a.jpg")
        path.parent.rmdir()
        path.parent.symlink_to(outside)

    [result] = bench.filer().file([judged])

    assert result.decision is None
    assert sorted(path.name for path in outside.iterdir()) == (
        [] if base == "sorted" else ["a.jpg"]
    )


def test_one_file_twice_in_a_batch_is_filed_once(bench: Bench) -> None:
    """The second mention finds nothing to file."""
    path = bench.drop("a.jpg")

    results = bench.file(path, path)

    assert [one.decision for one in results] == ["filed", None]
    assert bench.files() == {"sorted/cat/a.jpg": b"cat"}
    assert bench.filed() == ["sorted/cat/a.jpg"]


# Copies


def test_copy_mode_leaves_the_inbox_alone(make_bench: MakeBench) -> None:
    """Mode copy: the source stays as it is, the copy has its bytes, times, mode and attributes."""
    bench = make_bench('[filing]\nmode = "copy"\n')
    path = bench.drop("a.jpg", b"cat " * 1_000_000)
    path.chmod(0o640)
    os.setxattr(path, "user.rating", b"5")
    os.utime(path, ns=(LONG_AGO, LONG_AGO))
    before = Identity.of(path.stat())

    bench.file(path)

    copy = bench.root / "sorted/cat/a.jpg"
    assert Identity.of(path.stat()) == before
    assert copy.read_bytes() == path.read_bytes()
    assert copy.stat().st_mtime_ns == LONG_AGO
    assert stat.S_IMODE(copy.stat().st_mode) == 0o640
    assert os.getxattr(copy, "user.rating") == b"5"
    assert bench.store.journal.known_copies([before]) == {before}


def test_a_move_across_file_systems(make_bench: MakeBench, elsewhere: Path) -> None:
    """sorted/ on another disk: the picture arrives whole, and then leaves the inbox."""
    bench = make_bench(f'[folders]\nsorted = "{elsewhere}"\n')
    path = bench.drop("a.jpg", b"cat " * 1_000_000)
    os.utime(path, ns=(LONG_AGO, LONG_AGO))

    [result] = bench.file(path)

    assert result.path == elsewhere / "cat/a.jpg"
    assert result.path.read_bytes() == b"cat " * 1_000_000
    assert result.path.stat().st_mtime_ns == LONG_AGO
    assert bench.files() == {}
    assert [path.name for path in (elsewhere / "cat").iterdir()] == ["a.jpg"]


Way = Callable[[Spot, Spot], None]


def refusing(number: int) -> Way:
    def refuse(_source: Spot, _target: Spot) -> None:
        raise OSError(number, os.strerror(number))

    return refuse


def answering(way: Way, number: int) -> Way:
    """It is done, and the answer to it is lost: the client asks again."""

    def deaf(source: Spot, target: Spot) -> None:
        way(source, target)
        raise OSError(number, os.strerror(number))

    return deaf


@pytest.fixture(params=["links", "no-links-EPERM", "no-links-EOPNOTSUPP"])
def without_noreplace(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A network file system; or exFAT by FUSE, which has no hard links either."""
    monkeypatch.setattr(renaming, "rename_noreplace", refusing(errno.EINVAL))
    way = str(request.param)
    if way != "links":
        monkeypatch.setattr(renaming, "link", refusing(getattr(errno, way.rpartition("-")[2])))
    return way


@pytest.mark.usefixtures("without_noreplace")
def test_a_file_system_without_noreplace(bench: Bench) -> None:
    """Where the kernel can't rename without clobbering, nothing is clobbered, or copied."""
    first, second = bench.drop("a.jpg", b"cat 1"), bench.drop("sub/a.jpg", b"cat 2")
    bench.drop("sub/a.jpg.xmp", b"<xmp/>")
    inodes = [path.stat().st_ino for path in (first, second)]

    bench.file(first)
    bench.file(second)

    assert bench.files() == {
        "sorted/cat/a.jpg": b"cat 1",
        "sorted/cat/a_2.jpg": b"cat 2",
        "sorted/cat/a_2.jpg.xmp": b"<xmp/>",
    }
    filed = [bench.root / path for path in bench.filed()]
    assert [path.stat().st_ino for path in filed] == inodes


@pytest.mark.usefixtures("without_noreplace")
def test_a_name_taken_in_between_is_not_replaced_there_either(bench: Bench) -> None:
    """Somebody puts a file at the reserved place before ours comes."""
    path = bench.drop("a.jpg", b"cat 1")
    record_decided = bench.store.journal.record_decided

    def recorded(run_id: int, plans: Sequence[Plan]) -> list[Planned]:
        (bench.root / "sorted/cat/a.jpg").write_bytes(b"somebody else's")
        return record_decided(run_id, plans)

    bench.store.journal.record_decided = recorded  # type: ignore[method-assign, assignment]
    bench.file(path)

    assert bench.files() == {
        "sorted/cat/a.jpg": b"somebody else's",
        "sorted/cat/a_2.jpg": b"cat 1",
    }


@pytest.mark.usefixtures("without_noreplace")
def test_a_swap_is_undone_there_too(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """What slipped in under the name keeps its only name."""
    path = bench.drop("a.jpg", b"cat 1")
    for name in ("link", "rename_looking"):
        way = getattr(renaming, name)

        def swapped(source: Spot, target: Spot, way: Way = way) -> None:
            if source.path == path and path.read_bytes() == b"cat 1":
                path.rename(bench.root / "a.jpg")
                path.write_bytes(b"other")
            way(source, target)

        monkeypatch.setattr(renaming, name, swapped)

    [result] = bench.file(path)

    assert (result.decision, result.reason) == (None, "it changed after it was judged")
    assert bench.files() == {"inbox/a.jpg": b"other"}


@pytest.mark.parametrize("answer", [errno.EEXIST, errno.ENOENT])
@pytest.mark.parametrize("way", ["rename_noreplace", "link", "rename_looking"])
def test_a_lost_reply_makes_no_second_copy(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, way: str, answer: int
) -> None:
    """It was done, and the answer says that the name is taken, or the file gone: a look tells."""
    before = {
        "rename_noreplace": {},
        "link": {"rename_noreplace": errno.EINVAL},
        "rename_looking": {"rename_noreplace": errno.EINVAL, "link": errno.EPERM},
    }[way]
    for name, number in before.items():
        monkeypatch.setattr(renaming, name, refusing(number))
    monkeypatch.setattr(renaming, way, answering(getattr(renaming, way), answer))

    [result] = bench.file(bench.drop("a.jpg", b"cat 1"))

    assert result.decision == "filed"
    assert bench.files() == {"sorted/cat/a.jpg": b"cat 1"}
    assert bench.filed() == ["sorted/cat/a.jpg"]


@pytest.mark.parametrize("answer", [errno.ENOENT, errno.EIO, errno.ESTALE])
def test_a_lost_reply_to_the_removal_takes_nothing_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, answer: int
) -> None:
    """The source is gone, whatever the answer was: the one file that is left stays."""
    monkeypatch.setattr(renaming, "rename_noreplace", refusing(errno.EINVAL))
    unlink = os.unlink

    def deaf(name: str, *, dir_fd: int | None = None) -> None:
        unlink(name, dir_fd=dir_fd)
        raise OSError(answer, os.strerror(answer))

    path = bench.drop("a.jpg", b"cat 1")
    judged, filer = bench.judged(path), bench.filer()
    monkeypatch.setattr(os, "unlink", deaf)

    filer.file([judged])

    assert bench.files() == {"sorted/cat/a.jpg": b"cat 1"}
    assert bench.filed() == ["sorted/cat/a.jpg"]


def test_a_file_that_is_numbered_anew_with_its_name_is_known_by_its_bytes(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some FUSE file systems make the inode of the path; a rename that did it is no swap."""
    rename = renaming.rename_noreplace

    def renumbered(source: Spot, target: Spot) -> None:
        rename(source, target)
        copy = target.path.with_name("copy")
        shutil.copy2(target.path, copy)
        copy.rename(target.path)

    monkeypatch.setattr(renaming, "rename_noreplace", renumbered)

    [result] = bench.file(bench.drop("a.jpg", b"cat 1"))

    assert result.decision == "filed"
    rows = bench.log("SELECT ino FROM arrivals")
    assert rows == [((bench.root / "sorted/cat/a.jpg").stat().st_ino,)]


@pytest.mark.parametrize("answer", [errno.EINVAL, errno.EILSEQ, errno.EPERM])
@pytest.mark.parametrize("word", ["cat", "unsure", "broken"])
def test_a_name_that_the_destination_cannot_have_is_changed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, word: str, answer: int
) -> None:
    """A colon on exFAT is one file's trouble: it goes under another name, the rest as ever."""
    for name in ("rename_noreplace", "link", "rename_looking"):
        way = getattr(renaming, name)

        def choosy(source: Spot, target: Spot, way: Way = way) -> None:
            if ":" in target.name or "\udcff" in target.name:
                raise OSError(answer, os.strerror(answer))
            way(source, target)

        monkeypatch.setattr(renaming, name, choosy)
    stat = os.stat

    def choosy_stat(path: str, **options: Any) -> os.stat_result:
        if ":" in str(path) and "inbox" not in str(path) and options.get("dir_fd"):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return stat(path, **options)

    monkeypatch.setattr(os, "stat", choosy_stat)
    odd = bench.drop("2026-11-22 12:00:01.jpg", f"{word} 1".encode())
    twin = bench.drop("2026-11-22 12_00_01.jpg", f"{word} 2".encode())
    bytes_ = bench.drop(b"caf\xff:.jpg", f"{word} 3".encode())
    plain = bench.drop("plain.jpg", b"cat 4")

    results = bench.file(odd, twin, bytes_, plain)

    assert [one.path.name for one in results] == [
        "2026-11-22 12_00_01_2.jpg",
        "2026-11-22 12_00_01.jpg",
        "caf__.jpg",
        "plain.jpg",
    ]
    assert bench.files("inbox") == {}


def test_renameat2_by_its_number(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a C library that lacks the function, the system call itself is used."""
    library = ctypes.CDLL(None, use_errno=True)
    signature = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    by_number = renaming._by_number(library, signature)
    monkeypatch.setattr(renaming, "_renameat2", lambda: by_number)
    bench.file(bench.drop("a.jpg", b"cat 1"))

    bench.file(bench.drop("a.jpg", b"cat 2"))

    assert bench.files() == {"sorted/cat/a.jpg": b"cat 1", "sorted/cat/a_2.jpg": b"cat 2"}


def test_a_copy_whose_bytes_are_not_those_judged_is_thrown_away(make_bench: MakeBench) -> None:
    """A file with the right size and time but other bytes is not filed under the old hash."""
    bench = make_bench('[filing]\nmode = "copy"\n')
    path = bench.drop("a.jpg", b"cat 1")
    judged = bench.judged(path)
    before = path.stat()
    path.write_bytes(b"cat 2")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    [result] = bench.filer().file([judged])

    assert (result.decision, result.reason) == (None, "it changed after it was judged")
    assert bench.files() == {"inbox/a.jpg": b"cat 2"}


def test_a_picture_filed_again_is_at_its_place_once(bench: Bench) -> None:
    """Put back into the inbox and filed to the same place before anybody looked: one file, so one
    arrival has it. Another file at an old place tells nothing of the one that lay there."""
    path = bench.drop("a.jpg", b"cat 1")
    bench.file(path)
    filed = bench.root / "sorted/cat/a.jpg"
    filed.rename(path)
    bench.file(path)
    here = "SELECT id FROM arrivals WHERE state = 'filed' AND missing_at IS NULL"
    assert bench.log(here) == [(2,)]

    filed.rename(bench.root / "sorted/a.jpg")
    bench.file(bench.drop("a.jpg", b"cat 2"))
    assert bench.log(here) == [(2,), (3,)]


# Folders that can't be written, disks that are full


def test_a_read_only_class_pauses_and_the_rest_goes_on(
    plain_user: Path, make_bench: MakeBench
) -> None:
    """Pictures for a folder that can't be written wait; once it can, they are filed."""
    bench = make_bench(root=plain_user)
    closed = bench.root / "sorted/cat"
    closed.mkdir(mode=0o555)
    paths = [bench.drop("a.jpg", b"cat 1"), bench.drop("b.jpg", b"dog 1")]

    paused, filed = bench.file(*paths)

    assert bench.files() == {"inbox/a.jpg": b"cat 1", "sorted/dog/b.jpg": b"dog 1"}
    assert filed.decision == "filed"
    assert paused.decision is None
    assert str(paused.paused) == (
        f"{closed} can't take pictures: this user may not write there, correct its owner or mode; "
        f"they wait in the inbox."
    )
    assert paused.paused is not None
    assert paused.paused.alone
    assert bench.filed() == ["sorted/dog/b.jpg"]
    closed.chmod(0o755)
    bench.file(paths[0])
    assert bench.files() == {"sorted/cat/a.jpg": b"cat 1", "sorted/dog/b.jpg": b"dog 1"}


def test_a_class_that_cannot_be_made_pauses(plain_user: Path, make_bench: MakeBench) -> None:
    """sorted/ itself is closed: nothing is written down for its pictures, unsure ones go on."""
    bench = make_bench(root=plain_user)
    (bench.root / "sorted").chmod(0o555)
    paths = [bench.drop("a.jpg", b"cat 1"), bench.drop("b.jpg", b"unsure 1")]

    paused, unsure = bench.file(*paths)

    assert paused.paused is not None
    assert (paused.paused.folder, paused.paused.alone) == (bench.root / "sorted", True)
    assert unsure.decision == "unsure"
    assert bench.log("SELECT count(*) FROM moves") == [(1,)]


def test_a_closed_inbox_is_the_pictures_own_trouble(
    plain_user: Path, make_bench: MakeBench
) -> None:
    """A picture that can't be taken out of its folder is deferred; its class isn't paused."""
    bench = make_bench(root=plain_user)
    path = bench.drop("closed/a.jpg", b"cat 1")
    path.parent.chmod(0o555)

    closed, filed = bench.file(path, bench.drop("b.jpg", b"cat 2"))

    assert (closed.decision, closed.paused) == (None, None)
    assert closed.reason == "it can't be filed (permission denied)"
    assert filed.decision == "filed"
    path.parent.chmod(0o755)


def test_a_copy_is_taken_back_if_the_source_must_stay(
    elsewhere: Path, plain_user: Path, make_bench: MakeBench
) -> None:
    """Across file systems: a source that can't be removed isn't filed, at every scan, again."""
    bench = make_bench(f'[folders]\nsorted = "{elsewhere}"\n', root=plain_user)
    path = bench.drop("closed/a.jpg", b"cat 1")
    path.parent.chmod(0o555)

    [result] = bench.file(path)

    assert result.decision is None
    assert result.reason == "it can't be removed from its folder (permission denied)"
    assert path.read_bytes() == b"cat 1"
    assert list((elsewhere / "cat").iterdir()) == []
    assert bench.filed() == []
    path.parent.chmod(0o755)


def test_a_missing_base_folder_pauses(bench: Bench) -> None:
    """sorted/ is gone (its disk isn't mounted): it isn't made anew on the wrong disk."""
    (bench.root / "sorted").rmdir()

    [result] = bench.file(bench.drop("a.jpg"))

    assert str(result.paused) == (
        f"{bench.root / 'sorted'} can't take pictures: it is missing, put it back (mount it?); "
        f"they wait in the inbox."
    )
    assert result.paused is not None
    assert not result.paused.alone
    assert not (bench.root / "sorted").exists()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    place = tmp_path / "small"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("only root can mount a small file system")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_full_disk_pauses_and_loses_nothing(make_bench: MakeBench, small: Path) -> None:
    """No room in sorted/: its pictures stay in the inbox, no half copy is left, others go on."""
    bench = make_bench(f'[folders]\nsorted = "{small}"\n')
    paths = [bench.drop("a.jpg", b"cat " * 50_000), bench.drop("b.jpg", b"unsure 1")]

    full, unsure = bench.file(*paths)

    assert full.paused is not None
    assert (full.paused.reason, full.paused.alone) == ("its disk is full, make room there", False)
    assert unsure.decision == "unsure"
    assert paths[0].read_bytes() == b"cat " * 50_000
    assert list((small / "cat").iterdir()) == []
    assert bench.log("SELECT count(*) FROM moves WHERE state = 'planned'") == [(0,)]


def test_a_class_on_a_disk_of_its_own_pauses_alone(bench: Bench, small: Path) -> None:
    """Full, or mounted read-only: the other class folders may well take pictures."""
    cats = bench.root / "sorted/cat"
    cats.mkdir()
    subprocess.run(["mount", "--bind", str(small), str(cats)], check=True)
    try:
        [full] = bench.file(bench.drop("a.jpg", b"cat " * 50_000))
        subprocess.run(["mount", "-o", "remount,bind,ro", str(cats)], check=True)
        [closed] = bench.file(bench.drop("b.jpg", b"cat 2"))
    finally:
        subprocess.run(["umount", str(cats)], check=True)

    assert full.paused is not None
    assert (full.paused.reason, full.paused.alone) == ("its disk is full, make room there", True)
    assert closed.paused is not None
    assert closed.paused.reason == "it is mounted read-only, mount it writable"
    assert closed.paused.alone


def test_a_library_mounted_read_only_pauses_as_a_whole(make_bench: MakeBench, small: Path) -> None:
    """No class folder can take pictures then."""
    bench = make_bench(f'[folders]\nsorted = "{small}"\n')
    subprocess.run(["mount", "-o", "remount,ro", str(small)], check=True)

    [result] = bench.file(bench.drop("a.jpg", b"cat 1"))

    assert str(result.paused) == (
        f"{small} can't take pictures: it is mounted read-only, mount it writable; "
        f"they wait in the inbox."
    )
    assert result.paused is not None
    assert not result.paused.alone


@pytest.mark.parametrize("mode", ["move", "copy"])
def test_a_failed_fsync_stops_filing(
    make_bench: MakeBench, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    """Whichever fsync fails, StorageFailed is raised, and recovery makes all whole again."""
    bench = make_bench(f'[filing]\nmode = "{mode}"\n')
    fsync, failed = os.fsync, 0
    for failing in range(1, 20):
        paths = [bench.drop(f"{failing}-{number}.jpg", b"cat") for number in range(2)]
        calls = count(1)
        broken = partial(_failing_fsync, fsync, failing, calls)
        monkeypatch.setattr(os, "fsync", broken)
        try:
            bench.file(*paths)
        except StorageFailed:
            failed += 1
        monkeypatch.setattr(os, "fsync", fsync)
        if next(calls) <= failing:
            break
        recover(bench.workspace, bench.store)
        assert sorted(bench.filed()) == sorted(bench.files("sorted"))
    assert failed == failing - 1 >= 3
    assert len(bench.files("sorted")) == 2 * failing


def _failing_fsync(
    fsync: Callable[[int], None], failing: int, calls: "count[int]", descriptor: int
) -> None:
    if next(calls) == failing:
        raise OSError(errno.EIO, os.strerror(errno.EIO))
    fsync(descriptor)


# Sidecars


def test_sidecars_travel_with_their_picture(bench: Bench) -> None:
    """XMP, RAW and the RAW's XMP follow to the new folder, and take the picture's new number."""
    (bench.root / "sorted/cat").mkdir()
    (bench.root / "sorted/cat/a.jpg.xmp").write_bytes(b"mine")
    path = bench.drop("a.jpg")
    for name in ("a.xmp", "a.jpg.xmp", "a.CR3", "a.CR3.xmp", "b.xmp", "c.CR3"):
        bench.drop(name, name.encode())

    bench.file(path)

    assert bench.files() == {
        "inbox/b.xmp": b"b.xmp",
        "inbox/c.CR3": b"c.CR3",
        "sorted/cat/a.jpg.xmp": b"mine",
        "sorted/cat/a_2.jpg": b"cat",
        "sorted/cat/a_2.xmp": b"a.xmp",
        "sorted/cat/a_2.jpg.xmp": b"a.jpg.xmp",
        "sorted/cat/a_2.CR3": b"a.CR3",
        "sorted/cat/a_2.CR3.xmp": b"a.CR3.xmp",
    }
    assert bench.log("SELECT DISTINCT cause, arrival_id, state FROM moves ORDER BY cause") == [
        ("file", 1, "done"),
        ("sidecar", 1, "done"),
    ]


def test_sidecars_follow_a_late_change_of_name(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The picture's name is taken at the last moment: the sidecar still shares its stem."""
    path = bench.drop("a.jpg")
    bench.drop("a.xmp", b"xmp")

    def intrude(planned: Planned) -> None:
        if planned.source == path:
            planned.target.write_bytes(b"mine")

    _after_plan(bench, monkeypatch, intrude)

    bench.file(path)

    assert bench.files() == {
        "sorted/cat/a.jpg": b"mine",
        "sorted/cat/a_2.jpg": b"cat",
        "sorted/cat/a_2.xmp": b"xmp",
    }


def test_sidecars_stay_with_a_picture_that_stays(bench: Bench) -> None:
    """A deferred picture keeps its sidecars beside it."""
    path = bench.drop("a.jpg", b"cat 1")
    bench.drop("a.xmp", b"xmp")
    judged = bench.judged(path)
    path.write_bytes(b"dog 22")

    bench.filer().file([judged])

    assert bench.files() == {"inbox/a.jpg": b"dog 22", "inbox/a.xmp": b"xmp"}
    assert bench.log("SELECT count(*) FROM moves") == [(0,)]


def test_a_sidecar_that_comes_with_the_next_picture_is_seen(bench: Bench) -> None:
    """What arrives while earlier pictures are being filed is not overlooked."""
    filer = bench.filer()
    filer.file([bench.judged(bench.drop("a.jpg", b"cat 1"))])
    path = bench.drop("b.jpg", b"cat 2")
    bench.drop("b.xmp", b"xmp")
    judged = bench.judged(path)
    candidate = replace(judged.candidate, arrived_at=datetime.now(UTC))

    filer.file([replace(judged, candidate=candidate)])

    assert "sorted/cat/b.xmp" in bench.files()


# Several movers, dead movers


def test_two_movers_share_a_workspace(bench: Bench) -> None:
    """Two movers with files of the same names: every file is filed once, rows and files agree."""
    halves = [
        [bench.drop(f"{half}/{number}.jpg", b"cat %d %d" % (half, number)) for number in range(40)]
        for half in range(2)
    ]

    def work(paths: Sequence[Path]) -> list[Done]:
        filer = bench.filer()
        return [
            result
            for start in range(0, len(paths), 5)
            for result in filer.file([bench.judged(path) for path in paths[start : start + 5]])
        ]

    with ThreadPoolExecutor(2) as threads:
        results = [one for half in threads.map(work, halves) for one in half]

    assert {one.decision for one in results} == {"filed"}
    assert sorted(bench.filed()) == sorted(bench.files())
    assert len(set(bench.files().values())) == 80


def test_the_next_batch_completes_a_dead_movers(bench: Bench) -> None:
    """Journal rows that a dead mover left are carried out before anything else is filed."""
    _plan_only(bench, bench.drop("a.jpg", b"cat 1"))

    bench.file(bench.drop("b.jpg", b"cat 2"))

    assert bench.files() == {"sorted/cat/a.jpg": b"cat 1", "sorted/cat/b.jpg": b"cat 2"}
    assert bench.filed() == ["sorted/cat/a.jpg", "sorted/cat/b.jpg"]


def test_recovery_counts_what_it_found(bench: Bench) -> None:
    """Landed, still to be moved, and gone are told apart by content."""
    landed, waiting, gone, changed = (
        bench.drop(f"{name}.jpg", f"cat {name}".encode()) for name in "abcd"
    )
    _plan_only(bench, landed, waiting, gone, changed)
    landed.rename(bench.root / "sorted/cat/a.jpg")
    gone.unlink()
    changed.write_bytes(b"cat other")

    recovered = recover(bench.workspace, bench.store)

    assert recovered == Recovered(landed=1, redone=1, dropped=2)
    assert bench.files() == {
        "inbox/d.jpg": b"cat other",
        "sorted/cat/a.jpg": b"cat a",
        "sorted/cat/b.jpg": b"cat b",
    }
    assert bench.filed() == ["sorted/cat/a.jpg", "sorted/cat/b.jpg"]
    assert recover(bench.workspace, bench.store) == Recovered()


def test_recovery_does_not_take_somebody_elses_file_for_ours(bench: Bench) -> None:
    """The same picture, put at the planned place by a human, is not the one from the inbox."""
    path = bench.drop("a.jpg")
    os.utime(path, ns=(LONG_AGO, LONG_AGO))
    _plan_only(bench, path)
    (bench.root / "sorted/cat/a.jpg").write_bytes(b"cat")

    recover(bench.workspace, bench.store)

    assert bench.files() == {"sorted/cat/a.jpg": b"cat", "sorted/cat/a_2.jpg": b"cat"}
    assert bench.filed() == ["sorted/cat/a_2.jpg"]


@pytest.mark.parametrize("both", [shutil.copy2, os.link])
def test_recovery_of_a_file_at_both_places(
    bench: Bench, both: Callable[[Path, Path], object]
) -> None:
    """Copied, or linked, and not yet removed from the inbox: it is filed, and there once."""
    path = bench.drop("a.jpg")
    os.utime(path, ns=(LONG_AGO, LONG_AGO))
    _plan_only(bench, path)
    both(path, bench.root / "sorted/cat/a.jpg")

    assert recover(bench.workspace, bench.store) == Recovered(landed=1)

    assert bench.files() == {"sorted/cat/a.jpg": b"cat"}
    assert bench.filed() == ["sorted/cat/a.jpg"]


@pytest.mark.parametrize("content", [b"cat", b"dog", b"another picture"])
def test_recovery_removes_no_file_that_took_the_sources_place(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    """Dropped under the same name after recovery looked, and before it removed the original."""
    path = bench.drop("a.jpg")
    _plan_only(bench, path)
    shutil.copy2(path, bench.root / "sorted/cat/a.jpg")

    def dropped(point: str) -> None:
        if point == "after-target-fsync":
            path.rename(bench.root / "taken away.jpg")
            path.write_bytes(content)

    monkeypatch.setattr(mover, "failpoint", dropped)
    recover(bench.workspace, bench.store)

    assert bench.files() == {"inbox/a.jpg": content, "sorted/cat/a.jpg": b"cat"}


def test_recovery_of_an_original_that_was_touched(make_bench: MakeBench) -> None:
    """Mode copy: it is judged anew, as what it is now, and copied once."""
    bench = make_bench('[filing]\nmode = "copy"\n')
    path = bench.drop("a.jpg")
    _plan_only(bench, path)
    os.utime(path, ns=(LONG_AGO, LONG_AGO))

    assert recover(bench.workspace, bench.store) == Recovered(dropped=1)

    assert bench.files() == {"inbox/a.jpg": b"cat"}
    bench.file(path)
    assert bench.files() == {"inbox/a.jpg": b"cat", "sorted/cat/a.jpg": b"cat"}
    touched = Identity.of(path.stat())
    assert bench.store.journal.known_copies([touched]) == {touched}


def test_recovery_drops_the_sidecars_of_a_lost_picture(bench: Bench) -> None:
    """A sidecar isn't filed without the picture it belongs to."""
    path = bench.drop("a.jpg")
    bench.drop("a.xmp", b"xmp")
    _plan_only(bench, path)
    path.unlink()

    assert recover(bench.workspace, bench.store) == Recovered(dropped=2)
    assert bench.files() == {"inbox/a.xmp": b"xmp"}


def test_recovery_removes_half_copies_only(bench: Bench) -> None:
    """Stale .part- files of ours go; other hidden files in the folder stay."""
    _plan_only(bench, bench.drop("a.jpg"))
    folder = bench.root / "sorted/cat"
    for name in (".part-0123456789abcdef", ".part-mine", ".hidden"):
        (folder / name).write_bytes(b"x")

    recover(bench.workspace, bench.store)

    assert sorted(path.name for path in folder.iterdir()) == [".hidden", ".part-mine", "a.jpg"]


def test_recovery_waits_for_a_missing_folder(bench: Bench) -> None:
    """With sorted/ unmounted nobody can say what landed: the journal is left as it is."""
    path = bench.drop("a.jpg")
    _plan_only(bench, path)
    path.rename(bench.root / "sorted/cat/a.jpg")
    (bench.root / "sorted").rename(bench.root / "unmounted")

    with pytest.raises(FilingPaused, match="it is missing"):
        bench.file(bench.drop("b.jpg", b"dog"))

    (bench.root / "unmounted").rename(bench.root / "sorted")
    assert recover(bench.workspace, bench.store) == Recovered(landed=1)


def test_recovery_leaves_what_it_cannot_see(plain_user: Path, make_bench: MakeBench) -> None:
    """A class folder that can't be read: its rows wait, its names stay reserved, filing goes on."""
    bench = make_bench(root=plain_user)
    path = bench.drop("a.jpg", b"cat 1")
    _plan_only(bench, path)
    folder = bench.root / "sorted/cat"
    path.rename(folder / "a.jpg")
    folder.chmod(0)

    [filed] = bench.file(bench.drop("b.jpg", b"dog 1"))

    assert filed.decision == "filed"
    assert recover(bench.workspace, bench.store) == Recovered(unknown=1)
    folder.chmod(0o755)
    assert recover(bench.workspace, bench.store) == Recovered(landed=1)


# Folders that lose their disk


@pytest.fixture
def cats_disk(tmp_path: Path) -> Iterator[Callable[[Path, bool], None]]:
    """A disk of its own that can be mounted at a folder, and unmounted; only root can."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("only root can mount a file system")
    mounted: set[Path] = set()

    def plug(folder: Path, there: bool) -> None:
        command = ["mount", "--bind", str(disk), str(folder)] if there else ["umount", str(folder)]
        subprocess.run(command, check=True)
        (mounted.add if there else mounted.discard)(folder)

    yield plug
    for place in (*mounted, disk):
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("others", ["dog", ""], ids=["among others", "the only class"])
def test_nothing_is_put_on_a_classs_naked_mount_point(
    bench: Bench, cats_disk: Callable[[Path, bool], None], others: str
) -> None:
    """Its pictures wait in the inbox, others are filed, and what is on the disk is not missing."""
    cats = bench.root / "sorted/cat"
    cats.mkdir()
    cats_disk(cats, True)
    if others:
        bench.file(bench.drop("first.jpg", b"dog 1"))
    bench.file(bench.drop("a.jpg", b"cat 1"))
    reconcile_folders(bench.workspace, bench.store, None)
    cats_disk(cats, False)

    for _ in range(2):
        summary = reconcile_folders(bench.workspace, bench.store, None)
        assert summary.missing == 0
        assert "isn't mounted (sorted/cat)" in summary.notices[0]
    waiting, filed = bench.file(bench.drop("b.jpg", b"cat 2"), bench.drop("c.jpg", b"unsure 1"))

    assert waiting.paused is not None
    assert waiting.paused.alone
    assert filed.decision == "unsure"
    assert list(cats.iterdir()) == []
    cats_disk(cats, True)
    bench.file(bench.root / "inbox/b.jpg")
    assert sorted(path.name for path in cats.iterdir()) == ["a.jpg", "b.jpg"]
    assert reconcile_folders(bench.workspace, bench.store, None).missing == 0


def test_an_import_puts_nothing_on_a_classs_naked_mount_point(
    bench: Bench, cats_disk: Callable[[Path, bool], None], tmp_path: Path
) -> None:
    """It says so, writes no label down, and imports the picture once the disk is back."""
    cats = bench.root / "sorted/cat"
    cats.mkdir()
    cats_disk(cats, True)
    bench.file(bench.drop("first.jpg", b"dog 1"), bench.drop("a.jpg", b"cat 1"))
    reconcile_folders(bench.workspace, bench.store, None)
    cats_disk(cats, False)
    original = tmp_path / "data/cat/b.png"
    original.parent.mkdir(parents=True)
    Image.new("RGB", (24, 32), "red").save(original)
    files = [Hashed(Found(original, "cat"), *fingerprint(open_regular(original)))]

    with open_decoder(bench.workspace.config.decode, 8, NoAttempts()) as decoder:
        importer = Importer(bench.workspace, bench.store, bench.store.runs.begin("import"), decoder)
        with pytest.raises(ImgsortError, match=r"sorted/cat can't take pictures: its disk"):
            importer.copy(files)
        assert (list(cats.iterdir()), bench.store.labels.current()) == ([], {})
        cats_disk(cats, True)
        assert importer.copy(files) == []
    assert sorted(path.name for path in cats.iterdir()) == ["a.jpg", "b.png"]


def test_recovery_calls_nothing_gone_whose_disk_is_away(
    bench: Bench, cats_disk: Callable[[Path, bool], None]
) -> None:
    """It had landed there before the mover died: the journal is left as it is."""
    cats = bench.root / "sorted/cat"
    cats.mkdir()
    cats_disk(cats, True)
    bench.file(bench.drop("a.jpg", b"cat 1"), bench.drop("dog.jpg", b"dog 1"))
    reconcile_folders(bench.workspace, bench.store, None)
    path = bench.drop("b.jpg", b"cat 2")
    _plan_only(bench, path)
    shutil.move(path, cats / "b.jpg")
    cats_disk(cats, False)

    assert recover(bench.workspace, bench.store) == Recovered(unknown=1)
    cats_disk(cats, True)
    assert recover(bench.workspace, bench.store) == Recovered(landed=1)


@pytest.mark.parametrize("folder", ["sorted", "unsure"])
def test_a_picture_folder_that_lost_its_disk_before_the_start_is_no_empty_one(
    bench: Bench, cats_disk: Callable[[Path, bool], None], folder: str
) -> None:
    """Nobody saw it mounted in this run: the log tells that its pictures lay on another disk."""
    place = bench.root / folder
    (bench.root / "sorted/dog").mkdir()
    reconcile_folders(bench.workspace, bench.store, None)
    if folder == "sorted":
        (bench.root / "sorted/dog").rmdir()
    cats_disk(place, True)
    bench.file(bench.drop("a.jpg", b"cat 1" if folder == "sorted" else b"unsure 1"))
    cats_disk(place, False)

    [result] = bench.file(bench.drop("b.jpg", b"cat 2" if folder == "sorted" else b"unsure 2"))

    assert result.paused is not None
    assert not result.paused.alone
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("how", ["renumbered", "copied"])
def test_an_emptied_class_is_no_naked_mount_point(
    make_bench: MakeBench, tmp_path: Path, how: str
) -> None:
    """Devices are numbered anew at a restart; in a copied workspace all is new: filing goes on."""
    root = tmp_path / "one"
    root.mkdir()
    bench = make_bench(root=root)
    (root / "sorted/cat").mkdir()
    bench.file(bench.drop("a.jpg", b"dog 1"))
    reconcile_folders(bench.workspace, bench.store, None)
    with closing(sqlite3.connect(bench.workspace.database)) as log, log:
        for change in ("classes SET folder_dev = 99", "arrivals SET dev = 99"):
            log.execute(f"UPDATE {change}")
    if how == "copied":
        (root / "sorted/cat").rename(root / "before")
        (root / "sorted/cat").mkdir()

    [result] = bench.file(bench.drop("b.jpg", b"cat 1"))

    assert result.decision == "filed"


def _plan_only(bench: Bench, *paths: Path) -> None:
    """What a mover leaves that dies right after TX1."""

    class Dead(Exception):
        pass

    def die(_run_id: int, plans: Sequence[Plan]) -> list[Planned]:
        record_decided(_run_id, plans)
        raise Dead

    record_decided = bench.store.journal.record_decided
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bench.store.journal, "record_decided", die)
        with pytest.raises(Dead):
            bench.file(*paths)


def _after_plan(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, act: Callable[[Planned], object]
) -> None:
    """Do something to each planned file between TX1 and its move."""
    record_decided = bench.store.journal.record_decided

    def recorded(run_id: int, plans: Sequence[Plan]) -> list[Planned]:
        planned = record_decided(run_id, plans)
        for one in planned:
            act(one)
        return planned

    monkeypatch.setattr(bench.store.journal, "record_decided", recorded)
