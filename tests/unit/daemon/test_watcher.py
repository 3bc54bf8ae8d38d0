"""inotify is a help that may fail at any time."""

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from imgsort.daemon.inbox import watcher as watcher_module
from imgsort.daemon.inbox.watcher import Hints, Watcher
from imgsort.daemon.log_output import Notices


@pytest.fixture
def watcher(tmp_path: Path) -> Iterator[Watcher]:
    one = Watcher(tmp_path, Notices())
    yield one
    one.disarm()


def hinted(watcher: Watcher, path: Path) -> bool:
    """Wait for a hint about ``path``; whether it said that the file was renamed in."""
    for _ in range(200):
        watcher.hints.arrived.wait(0.1)
        watcher.hints.arrived.clear()
        paths, _ = watcher.hints.take()
        if str(path) in paths:
            return paths[str(path)]
    raise AssertionError(f"no hint about {path}")


def test_it_tells_a_finished_write_from_a_rename(watcher: Watcher, tmp_path: Path) -> None:
    """Only the second needs no quiet time."""
    watcher.keep(0.0)
    assert watcher.blind is None
    (tmp_path / ".a.part").write_bytes(b"x")
    (tmp_path / ".a.part").rename(tmp_path / "a.jpg")
    assert hinted(watcher, tmp_path / "a.jpg") is True
    (tmp_path / "b.jpg").write_bytes(b"x")
    assert hinted(watcher, tmp_path / "b.jpg") is False


def test_an_inbox_behind_a_link_is_watched(tmp_path: Path) -> None:
    """Paths come as the user named them."""
    (tmp_path / "real").mkdir()
    (tmp_path / "inbox").symlink_to(tmp_path / "real")
    watcher = Watcher(tmp_path / "inbox", Notices())
    watcher.keep(0.0)
    (tmp_path / "real" / "a.jpg").write_bytes(b"x")
    assert hinted(watcher, tmp_path / "inbox" / "a.jpg") is False
    watcher.disarm()


def test_an_exception_in_the_handler_ends_nothing(
    watcher: Watcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """watchdog's own thread would die of it and the process live on deaf."""
    watcher.keep(0.0)
    real, broken = watcher.hints.note, [True]

    def note(path: str, *, renamed: bool) -> None:
        if broken:
            broken.clear()
            raise ValueError("once")
        real(path, renamed=renamed)

    monkeypatch.setattr(watcher.hints, "note", note)
    (tmp_path / "a.jpg").write_bytes(b"x")
    while broken:
        pass
    (tmp_path / "b.jpg").write_bytes(b"x")
    assert hinted(watcher, tmp_path / "b.jpg") is False


def test_a_dead_observer_is_started_again(watcher: Watcher, tmp_path: Path) -> None:
    """Its threads may have gone, whatever for."""
    watcher.keep(0.0)
    assert watcher._observer is not None
    watcher._observer.stop()
    watcher._observer.join()
    watcher.keep(2.0)
    assert (watcher.restarts, watcher.blind) == (1, None)
    (tmp_path / "a.jpg").write_bytes(b"x")
    assert hinted(watcher, tmp_path / "a.jpg") is False


def test_a_limit_reached_is_named_with_its_sysctl_and_tried_again(
    watcher: Watcher, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The daemon polls meanwhile; it never exits for this."""

    def refuse(inbox: Path, hints: Hints) -> None:
        raise OSError(errno.EMFILE, "inotify instance limit reached")

    with monkeypatch.context() as patch:
        patch.setattr(watcher_module, "_observer", refuse)
        watcher.keep(0.0)
        watcher.keep(2.0)
    assert watcher.blind == (
        "inotify instance limit reached; raise the sysctl fs.inotify.max_user_instances"
    )
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    watcher.keep(30.0)
    assert watcher.blind is not None
    watcher.keep(61.0)
    assert watcher.blind is None


def test_more_hints_than_are_kept_ask_for_a_scan() -> None:
    """Memory stays bounded in a burst, and nothing is missed."""
    hints = Hints()
    for number in range(watcher_module.KEPT + 1):
        hints.note(f"/inbox/{number}.jpg", renamed=False)
    paths, missed = hints.take()
    assert (len(paths), missed) == (watcher_module.KEPT, True)
    assert hints.take() == ({}, False)
