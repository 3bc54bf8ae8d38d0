"""Pictures that people move about, under a live daemon and behind a stopped one."""

# ruff: noqa: F811 - pytest hands fixtures over by name

import shutil
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from imgsort.care.heartbeat import read_status
from imgsort.care.status import status_of
from imgsort.cli.app import app
from imgsort.daemon.service import run as service
from imgsort.reconcile.apply import apply_reconcile
from imgsort.records.log import LogFilter, LogRow
from imgsort.store import Store
from imgsort.workspace.workspace import Workspace
from tests.workspace.test_daemon import (
    Daemon,
    configured,
    dropped,
    logged,
    said,
    start,  # noqa: F401 - a fixture
    wait_for,
)

QUICK = "[watch]\nscan_seconds = 2.0\n"


@pytest.fixture
def photos(test_data: Path) -> list[Path]:
    """Fifty photographs of cats, dogs and snakes."""
    folders = [test_data / "cats_dogs_snakes" / name for name in ("cats", "dogs", "snakes")]
    return [path for folder in folders for path in sorted(folder.iterdir())[:17]][:50]


def by_rename(picture: Path, target: Path, _: Path) -> None:
    picture.rename(target)


def by_copy_and_delete(picture: Path, target: Path, _: Path) -> None:
    shutil.copy(picture, target)
    picture.unlink()


def by_copy_with_times_and_a_late_delete(picture: Path, target: Path, _: Path) -> None:
    shutil.copy2(picture, target)
    picture.unlink()


def by_way_of_outside(picture: Path, target: Path, outside: Path) -> None:
    shutil.move(picture, outside / picture.name)
    shutil.move(outside / picture.name, target)


def under_another_name(picture: Path, target: Path, _: Path) -> None:
    picture.rename(target.with_name(f"best of {target.name}"))


WAYS = (
    by_rename,
    by_copy_and_delete,
    by_copy_with_times_and_a_late_delete,
    by_way_of_outside,
    under_another_name,
)


def ten_moved(space: Workspace, outside: Path) -> None:
    """Two pictures in each of five ways, each into another class folder."""
    filed = [row for row in logged(space) if row.decision == "filed"]
    for number, row in enumerate(filed[:10]):
        folder = "dog" if row.label == "cat" else "cat"
        picture = space.root / row.path
        target = space.sorted / folder / f"moved {number} {picture.name}"
        target.parent.mkdir(exist_ok=True)
        WAYS[number % 5](picture, target, outside)


def labels(space: Workspace) -> list[LogRow]:
    return [row for row in logged(space) if row.human_label is not None]


def rows_are_files(space: Workspace) -> bool:
    folders = space.picture_folders[1:]
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    tree = sorted(str(path.relative_to(space.root)) for path in files)
    with Store.open(space.database, root=space.root) as store:
        known = [one for one in store.files.known() if not one.missing]
    return sorted(str(one.path.relative_to(space.root)) for one in known) == tree


def word_count(space: Workspace) -> int:
    with Store.open(space.database, root=space.root) as store:
        return sum(len(store.labels.history(sha256)) for sha256 in store.labels.current())


def test_ten_corrections_behind_a_stopped_daemon(
    workspace: Workspace,
    photos: list[Path],
    tmp_path: Path,
) -> None:
    """Exactly ten, learned at the next start, in the log, and never again."""
    dropped(workspace, photos)
    assert service.run(workspace, once=True).images == 50
    ten_moved(workspace, tmp_path)
    summary = service.run(workspace, once=True)
    assert (summary.labelled_by_hand, summary.images) == (10, 0)
    assert "10 were put into a class by hand: learned." in str(summary)
    assert len(labels(workspace)) == word_count(workspace) == 10
    assert all(row.is_correct == 0 for row in labels(workspace))
    assert all(f"sorted/{row.human_label}/" in row.path for row in labels(workspace))
    assert rows_are_files(workspace)
    assert service.run(workspace, once=True).labelled_by_hand == 0
    assert word_count(workspace) == 10


def test_ten_corrections_under_a_live_daemon(
    workspace: Workspace,
    photos: list[Path],
    tmp_path: Path,
    start: Callable[[], Daemon],
) -> None:
    """Exactly ten, learned while it goes on filing; a command that looks too finds no more."""
    workspace = configured(workspace, QUICK)
    daemon = start()
    dropped(workspace, photos[:40])
    wait_for(lambda: len(logged(workspace)) == 40, "forty images to be filed")
    dropped(workspace, photos[40:])
    ten_moved(workspace, tmp_path)
    wait_for(lambda: len(labels(workspace)) == 10, "ten corrections")
    wait_for(lambda: len(logged(workspace)) == 50, "the rest to be filed")
    wait_for(lambda: said(workspace)["labelled_by_hand"] == 10, "the status to say so")
    with Store.open(workspace.database, root=workspace.root) as store:
        assert not apply_reconcile(workspace, store, None).learned
    daemon.signal(signal.SIGTERM)
    assert daemon.ended()[0] == 0
    assert word_count(workspace) == 10
    assert rows_are_files(workspace)


def test_a_renamed_class_is_what_the_model_says_from_then_on(
    workspace: Workspace,
    photos: list[Path],
    start: Callable[[], Daemon],
) -> None:
    """No label; the daemon files under the new name without a restart; no model file changes."""
    workspace = configured(workspace, QUICK)
    models = {path: path.read_bytes() for path in workspace.models.rglob("*") if path.is_file()}
    daemon = start()
    dropped(workspace, photos[:10])  # cats
    wait_for(lambda: len(logged(workspace)) == 10, "ten images to be filed")
    assert any((workspace.sorted / "cat").iterdir())
    (workspace.sorted / "cat").rename(workspace.sorted / "kitten")
    wait_for(lambda: daemon.has_logged("class renamed: cat -> kitten"), "the rename")
    dropped(workspace, photos[10:16])
    wait_for(lambda: len(logged(workspace)) == 16, "six more")
    folders = Counter(Path(row.path).parts[:2] for row in logged(workspace))
    assert ("sorted", "cat") not in folders
    assert folders["sorted", "kitten"] >= 6
    assert {row.label for row in logged(workspace) if "kitten" in row.path} == {"kitten"}
    assert labels(workspace) == []
    assert models == {path: path.read_bytes() for path in models}


@pytest.mark.parametrize("live", [True, False], ids=["running", "stopped"])
def test_a_picture_sent_back_is_asked_again(
    workspace: Workspace,
    photos: list[Path],
    start: Callable[[], Daemon],
    live: bool,
) -> None:
    """Its label is withdrawn; the same model doesn't file it a second time."""
    workspace = configured(workspace, QUICK)
    dropped(workspace, photos[:6])
    service.run(workspace, once=True)
    row = next(row for row in logged(workspace) if row.decision == "filed")
    with Store.open(workspace.database, root=workspace.root) as store:
        moved = workspace.sorted / "dog" / "x.jpg"
        moved.parent.mkdir(exist_ok=True)
        (workspace.root / row.path).rename(moved)
        assert apply_reconcile(workspace, store, None).labelled == 1
    if live:
        start()
    moved.rename(workspace.inbox / "again.jpg")
    if not live:
        service.run(workspace, once=True)
    wait_for(lambda: len(logged(workspace)) == 7, "it to be asked again")
    back = logged(workspace)[0]
    assert (back.path, back.reason) == ("unsure/again.jpg", "sent back")
    with Store.open(workspace.database, root=workspace.root) as store:
        assert [one.kind for one in store.labels.history(row.sha256)] == ["label", "withdrawn"]
    wait_for(lambda: rows_are_files(workspace), "the old row to be missing")


def test_the_same_picture_dropped_again_is_not_sent_back(
    workspace: Workspace,
    photos: list[Path],
) -> None:
    """While the filed one lies where it was, touched or not, a second drop is just that."""
    dropped(workspace, photos[:4])
    service.run(workspace, once=True)
    for row in logged(workspace):
        (workspace.root / row.path).touch()
    dropped(workspace, photos[:4])
    service.run(workspace, once=True)
    assert [row for row in logged(workspace) if row.reason == "sent back"] == []


def test_a_library_is_named_in_the_status(workspace: Workspace, photos: list[Path]) -> None:
    """What waits for a word is told, with the command."""
    for number in range(101):
        (workspace.sorted / "mine").mkdir(exist_ok=True)
        (workspace.sorted / "mine" / f"{number}.jpg").write_bytes(f"{number}".encode())
    wait_for(lambda: "imgsort import sorted" in str(service.run(workspace, once=True)), "a notice")
    lines = list(status_of(workspace, read_status(workspace.status_file)).lines())
    assert any(name == "look at" and "101 pictures" in line for name, line in lines)
    assert logged(workspace) == []


def test_filing_goes_on_while_people_move_pictures(
    workspace: Workspace,
    photos: list[Path],
    start: Callable[[], Daemon],
) -> None:
    """The daemon's own moves are no corrections, whatever happens beside them."""
    workspace = configured(workspace, QUICK)
    start()
    for number in range(3):
        for photo in photos:
            shutil.copy(photo, workspace.inbox / f"{number} {photo.name}")
    moved: set[str] = set()

    def one_more() -> Iterator[str]:
        rows = (row for row in logged(workspace) if row.decision == "filed")
        yield from (row.path for row in rows if row.path.endswith(".jpg") and row.id % 29 == 0)

    def all_filed() -> bool:
        for path in one_more():
            picture = workspace.root / path
            if len(moved) < 4 and picture.exists() and path not in moved and "by hand" not in path:
                target = workspace.sorted / "snake" / f"by hand {len(moved)}.jpg"
                target.parent.mkdir(exist_ok=True)
                if picture.parent != target.parent:
                    picture.rename(target)
                    moved.add(path)
        return len(logged(workspace)) == 150

    wait_for(all_filed, "150 images to be filed")
    wait_for(lambda: word_count(workspace) >= len(moved), "the corrections")
    with Store.open(workspace.database, root=workspace.root) as store:
        apply_reconcile(workspace, store, None)
        said_of = store.labels.current()
        assert {one.class_name for one in said_of.values()} <= {"snake"}
        assert sum(
            row.human_label is not None for row in store.log.rows(LogFilter(limit=None))
        ) >= len(moved)
    assert len(said_of) == len(moved)
    assert rows_are_files(workspace)


def test_a_library_is_taken_in_when_told_to(
    workspace: Workspace,
    photos: list[Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`import sorted`, as the notice says: labelled where it lies, opened, and told once."""
    for number in range(3):
        for photo in photos:
            target = workspace.sorted / "pet" / f"{number} {photo.name}"
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(photo.read_bytes() + bytes([number]))  # after the picture's end
    before = rows_are_files(workspace)
    monkeypatch.setattr("imgsort.reconcile.adoption.SETTLE_SECONDS", 0.0)
    typed = CliRunner().invoke(app, ["-C", str(workspace.root), "import", str(workspace.sorted)])
    assert (before, typed.exit_code) == (False, 0), typed.output
    assert "150 pictures taken in where they lie, 150 labelled by their folders." in typed.output
    assert rows_are_files(workspace)
    with Store.open(workspace.database, root=workspace.root) as store:
        assert {one.source for one in store.labels.current().values()} == {"import"}
        assert store.files.unexamined() == {}
        assert all(one.readable for one in store.pictures.below(workspace.sorted))
    again = CliRunner().invoke(app, ["-C", str(workspace.root), "import", str(workspace.sorted)])
    assert again.exit_code == 4


def test_a_sidecar_follows_the_picture_a_person_moved(
    workspace: Workspace, start: Callable[..., Daemon], photos: list[Path]
) -> None:
    """Under a live daemon: some seconds after the move, through the journal."""
    configured(workspace, QUICK)
    dropped(workspace, photos[:2])
    (workspace.inbox / photos[0].with_suffix(".xmp").name).write_text("of the first")
    daemon = start()
    wait_for(lambda: len(logged(workspace)) == 2, "two pictures")
    picture = workspace.root / next(r.path for r in logged(workspace) if r.name == photos[0].name)
    sidecar = picture.with_suffix(".xmp")
    wait_for(sidecar.exists, "the sidecar")
    target = workspace.sorted / "snake" / picture.name
    target.parent.mkdir(exist_ok=True)
    picture.rename(target)

    wait_for(target.with_suffix(".xmp").exists, "the sidecar to follow")

    assert target.with_suffix(".xmp").read_text() == "of the first"
    assert not sidecar.exists()
    daemon.signal(signal.SIGTERM)
    assert daemon.ended()[0] == 0
