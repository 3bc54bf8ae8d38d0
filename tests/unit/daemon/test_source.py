"""The inbox as a stream of settled files."""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imgsort.daemon.inbox import source as source_module
from imgsort.daemon.inbox.file_kinds import NameRules
from imgsort.daemon.inbox.probe import LeftAlone, Seen, look
from imgsort.daemon.inbox.settle import Watched, Writer
from imgsort.daemon.inbox.source import Source, SourceSettings
from imgsort.daemon.inbox.waiting import Window
from imgsort.daemon.inbox.watcher import Watcher
from imgsort.daemon.log_output import Notices
from imgsort.disk.identity import Identity
from imgsort.errors import WorkspaceProblem
from imgsort.filing import Candidate
from imgsort.images import READABLE_SUFFIXES

Make = Callable[..., Source]


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


@pytest.fixture
def make(inbox: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    monkeypatch.setattr(source_module, "CHECK_SECONDS", 0.05)
    made: list[Source] = []

    def source(
        *,
        settle: float = 0.1,
        scan: float = 0.1,
        reject: float = 0.0,
        blind: bool = True,
        **options: object,
    ) -> Source:
        notices = Notices()
        settings = SourceSettings(NameRules(READABLE_SUFFIXES), settle, scan, reject)
        watcher = Watcher(inbox, notices, always_poll=blind)
        one = Source(inbox, settings, watcher, notices, **options)  # type: ignore[arg-type]
        made.append(one)
        return one

    yield source
    for one in made:
        one.stop()


def emptied(source: Source) -> list[str]:
    """Everything that comes, filed as soon as it comes; file names in order of arrival."""
    names = []
    for candidate in source.arrivals():
        names.append(candidate.path.name)
        candidate.path.unlink()
        source.finished(candidate.path, None)
    return names


def taken(stream: Iterator[Candidate]) -> str:
    return next(stream).path.name


def test_what_lies_there_comes_with_its_subfolder(inbox: Path, make: Make) -> None:
    """Each file once, and the way to it from the inbox."""
    (inbox / "trip").mkdir()
    for name in ("a.jpg", "trip/b.png", "c.mp4"):
        (inbox / name).write_bytes(b"x")
    source = make(once=True)
    found = set()
    for candidate in source.arrivals():
        found.add((candidate.path.name, candidate.subfolder))
        candidate.path.unlink()
        source.finished(candidate.path, None)
    assert found == {("a.jpg", b""), ("b.png", b"trip")}


def test_memory_is_bounded_by_the_window(inbox: Path, make: Make) -> None:
    """Fifty files through a window of eight: all come, never more than eight are held."""
    for number in range(50):
        (inbox / f"{number}.jpg").write_bytes(b"x")
    source = make(once=True, window=Window(capacity=8))
    names, most = [], 0
    for candidate in source.arrivals():
        names.append(candidate.path.name)
        most = max(most, len(source.window.waiting))
        candidate.path.unlink()
        source.finished(candidate.path, None)
    assert sorted(names) == sorted(f"{number}.jpg" for number in range(50))
    assert most <= 8


def test_touching_a_file_on_its_way_makes_no_second_arrival(inbox: Path, make: Make) -> None:
    """chmod and touch -a don't change what a file is."""
    picture = inbox / "a.jpg"
    picture.write_bytes(b"x")
    source = make()
    stream = source.arrivals()
    assert taken(stream) == "a.jpg"
    picture.chmod(0o600)
    os.utime(picture, ns=(0, picture.stat().st_mtime_ns))
    (inbox / "twin.jpg").hardlink_to(picture)
    (inbox / "b.jpg").write_bytes(b"y")
    assert taken(stream) == "b.jpg"
    assert set(source.window.in_flight) == {str(picture), str(inbox / "b.jpg")}


def test_a_file_that_changed_on_its_way_comes_again(inbox: Path, make: Make) -> None:
    """Nothing was filed, so the new content is a new arrival."""
    picture = inbox / "a.jpg"
    picture.write_bytes(b"x")
    source = make()
    stream = source.arrivals()
    first = next(stream)
    picture.write_bytes(b"longer")
    source.finished(first.path, LeftAlone("it changed while it was read"))
    assert taken(stream) == "a.jpg"


def test_a_file_that_cannot_be_taken_is_set_aside(inbox: Path, make: Make) -> None:
    """It isn't tried over and over, and others go on."""
    (inbox / "a.jpg").write_bytes(b"x")
    source = make(once=True)
    for candidate in source.arrivals():
        source.finished(candidate.path, LeftAlone("its destination is full"))
    aside = {path: aside.left.reason for path, aside in source.window.aside.items()}
    assert aside == {str(inbox / "a.jpg"): "its destination is full"}


def test_a_file_being_written_is_named_and_left(
    inbox: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`run --once` doesn't wait for ever, and never takes half a picture."""
    monkeypatch.setattr(source_module, "ONCE_PATIENCE", 0.5)
    (inbox / "whole.jpg").write_bytes(b"x")
    with (inbox / "half.jpg").open("wb") as writing:
        writing.write(b"half")
        writing.flush()
        source = make(once=True)
        assert emptied(source) == ["whole.jpg"]
    assert source.writing == {str(inbox / "half.jpg")}


def test_files_arrive_where_no_event_ever_comes(inbox: Path, make: Make) -> None:
    """The scan is the truth: a watcher that reports nothing costs time, not files."""
    stream = make().arrivals()
    for number in range(3):
        (inbox / f"{number}.jpg").write_bytes(b"x")
        assert taken(stream) == f"{number}.jpg"


def test_a_renamed_file_comes_before_any_scan_or_quiet_time(inbox: Path, make: Make) -> None:
    """IN_MOVED_TO is the sign of a finished file."""
    (inbox / "first.jpg").write_bytes(b"x")
    source = make(settle=0.1, scan=3600.0, blind=False)
    stream = source.arrivals()
    assert taken(stream) == "first.jpg"
    source.reconfigure(SourceSettings(NameRules(READABLE_SUFFIXES), 3600.0, 3600.0))
    (inbox.parent / "outside.jpg").write_bytes(b"y")
    (inbox.parent / "outside.jpg").rename(inbox / "second.jpg")
    assert taken(stream) == "second.jpg"


def test_a_file_is_looked_at_when_its_writer_closes_it() -> None:
    """It settles from there: the look as its writer began, which saw half of it, would cost another
    settling time."""
    window = Window()
    window.found("a.jpg", 0.0)
    window.take_due(0.0)
    window.look_again("a.jpg", Watched(Identity(1, 2, 0, 3), 0.0, whole=False), 5.0)
    assert window.hinted("a.jpg", 0.3, renamed=False)
    assert window.next_due() == 0.3


def test_a_replaced_inbox_is_noticed(inbox: Path, make: Make) -> None:
    """inotify keeps watching the old folder without a word; we don't."""
    (inbox / "first.jpg").write_bytes(b"x")
    stream = make(scan=3600.0, blind=False).arrivals()
    assert taken(stream) == "first.jpg"
    inbox.rename(inbox.parent / "old")
    inbox.mkdir()
    (inbox / "second.jpg").write_bytes(b"y")
    assert taken(stream) == "second.jpg"
    (inbox / "third.jpg").write_bytes(b"z")
    assert taken(stream) == "third.jpg"


def test_a_missing_inbox_pauses_until_it_is_back(inbox: Path, make: Make) -> None:
    """Gone, said so, back, and on it goes."""
    (inbox / "first.jpg").write_bytes(b"x")
    source = make()
    stream = source.arrivals()
    assert taken(stream) == "first.jpg"
    shutil.rmtree(inbox)

    def bring_back() -> None:
        while source.paused is None:
            pass
        inbox.mkdir()
        (inbox / "second.jpg").write_bytes(b"y")

    helper = threading.Thread(target=bring_back)
    helper.start()
    assert taken(stream) == "second.jpg"
    helper.join()
    assert source.paused is None


def test_a_missing_inbox_ends_a_single_run(inbox: Path, make: Make) -> None:
    """Nobody is there to wait for it."""
    source = make(once=True)
    inbox.rmdir()
    with pytest.raises(WorkspaceProblem, match="put it back, then run imgsort again"):
        next(source.arrivals())


def test_what_was_copied_before_does_not_come_again(inbox: Path, make: Make) -> None:
    """Copy mode leaves its sources in the inbox."""
    for name in ("old.jpg", "new.jpg"):
        (inbox / name).write_bytes(name.encode())
    old = Identity.of((inbox / "old.jpg").stat())
    source = make(once=True, known=lambda identities: {old} & set(identities))
    assert emptied(source) == ["new.jpg"]


@pytest.mark.parametrize("blind", [True, False], ids=["found", "hinted"])
def test_what_was_copied_before_does_not_come_by_either_way(
    inbox: Path, make: Make, blind: bool
) -> None:
    """Neither by a walk, which doesn't even take it up, nor by an event."""

    class Noting(Window):
        def found(self, path: str, now: float) -> None:
            walked.append(Path(path).name)
            super().found(path, now)

    walked: list[str] = []
    (inbox / "first.jpg").write_bytes(b"first")
    old: set[Identity] = set()
    source = make(
        blind=blind,
        scan=0.1 if blind else 3600.0,
        known=lambda some: old & set(some),
        window=Noting(),
    )
    stream = source.arrivals()
    assert taken(stream) == "first.jpg"
    (inbox.parent / "old.jpg").write_bytes(b"old")
    old.add(Identity.of((inbox.parent / "old.jpg").stat()))
    (inbox.parent / "new.jpg").write_bytes(b"new")
    for name in ("old.jpg", "new.jpg"):
        (inbox.parent / name).rename(inbox / name)
    assert taken(stream) == "new.jpg"
    assert str(inbox / "old.jpg") not in source.window.in_flight
    assert "old.jpg" not in walked


def test_a_file_that_another_program_holds_for_writing_is_not_taken(
    inbox: Path, make: Make
) -> None:
    """Samba takes a lease to write: who opens the file then is told to wait."""
    (inbox / "held.jpg").write_bytes(b"half")
    (inbox / "free.jpg").write_bytes(b"whole")
    code = (
        "import fcntl, os, signal, sys; signal.signal(signal.SIGIO, signal.SIG_IGN);"
        "held = os.open(sys.argv[1], os.O_RDWR);"
        "fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_WRLCK); print(flush=True); input()"
    )
    command = [sys.executable, "-c", code, str(inbox / "held.jpg")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"\n"
        view = look(str(inbox / "held.jpg"))
        assert isinstance(view, Seen)
        assert view.writer is Writer.OPEN
        stream = make().arrivals()
        assert taken(stream) == "free.jpg"
        holder.communicate(b"\n")
    assert taken(stream) == "held.jpg"


def test_a_browsers_placeholder_is_not_taken(inbox: Path, make: Make) -> None:
    """Firefox keeps the name reserved with an empty file while it writes x.jpg.part."""
    (inbox / "a.jpg").touch()
    (inbox / "a.jpg.part").write_bytes(b"half")
    (inbox / "b.jpg").touch()
    stream = make().arrivals()
    assert taken(stream) == "b.jpg"
    (inbox / "a.jpg.part").rename(inbox / "a.jpg")
    assert taken(stream) == "a.jpg"


def test_half_a_picture_is_not_rejected_and_comes_again_when_it_changes(
    inbox: Path, make: Make
) -> None:
    """Written in pieces, closed in between: each look inside finds no picture, until one does."""
    picture = inbox / "a.jpg"
    picture.write_bytes(b"half")
    source = make(reject=3600.0)
    stream = source.arrivals()
    for piece in (b" and", b" the", b" rest"):
        first = next(stream)
        assert not source.may_reject(first.path)
        assert source.writing == {str(picture)}
        with picture.open("ab") as again:
            again.write(piece)
    last = next(stream)
    assert (last.path, picture.read_bytes()) == (picture, b"half and the rest")
    assert source.writing == set()


def test_what_stays_no_picture_may_be_rejected_after_a_while(inbox: Path, make: Make) -> None:
    """Looked into twice: when it has settled, and when nothing more came."""
    (inbox / "a.jpg").write_bytes(b"spoilt")
    source = make(reject=0.5, once=True)
    answers = []
    for candidate in source.arrivals():
        answers.append(source.may_reject(candidate.path))
        if answers[-1]:
            candidate.path.unlink()
            source.finished(candidate.path, None)
    assert answers == [False, True]


def test_a_single_run_leaves_what_may_become_a_picture(
    inbox: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It doesn't wait for ever, and names what it leaves."""
    monkeypatch.setattr(source_module, "ONCE_PATIENCE", 0.5)
    (inbox / "half.jpg").write_bytes(b"half")
    source = make(reject=3600.0, once=True)
    assert [source.may_reject(candidate.path) for candidate in source.arrivals()] == [False]
    assert source.writing == {str(inbox / "half.jpg")}


def test_what_has_lain_there_for_long_is_rejected_at_once(
    inbox: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start finds what was dropped an hour ago: the wall clock tells its age."""
    (inbox / "a.jpg").write_bytes(b"spoilt")
    now = time.time() + 3600
    monkeypatch.setattr(time, "time", lambda: now)
    source = make(reject=60.0)
    assert source.may_reject(next(source.arrivals()).path)


def test_a_network_file_system_is_given_five_seconds(
    inbox: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever settle_seconds says: a client may remember for a while how a file was."""
    monkeypatch.setattr(source_module, "is_event_blind", lambda folder: folder == inbox)
    monkeypatch.setattr(source_module, "BLIND_SETTLE_SECONDS", 1.0)
    (inbox / "a.jpg").write_bytes(b"x")
    began = time.monotonic()
    assert taken(make(settle=0.1).arrivals()) == "a.jpg"
    assert time.monotonic() - began >= 1.0


def test_an_event_from_a_workspace_inside_the_inbox_is_ignored(inbox: Path, make: Make) -> None:
    """A walk doesn't go in there, and no event brings its pictures either."""
    (inbox / "inner" / "state").mkdir(parents=True)
    (inbox / "inner" / "sorted").mkdir()
    (inbox / "inner" / "config.toml").touch()
    (inbox / "first.jpg").write_bytes(b"x")
    source = make(scan=3600.0, blind=False)
    stream = source.arrivals()
    assert taken(stream) == "first.jpg"
    for name in ("inner/sorted/theirs.jpg", "ours.jpg"):
        (inbox.parent / "outside.jpg").write_bytes(b"y")
        (inbox.parent / "outside.jpg").rename(inbox / name)
    assert taken(stream) == "ours.jpg"
    assert not source.window.waiting
