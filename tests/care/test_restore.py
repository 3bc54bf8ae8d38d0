"""`restore` and `rebuild-db`: the log comes back, the present one stays, no word is invented."""

import io
import shutil
import sqlite3
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from imgsort.care import archive
from imgsort.care.backup import back_up
from imgsort.care.rebuild import rebuild
from imgsort.care.restore import restore
from imgsort.errors import BackupProblem, WorkspaceBusy
from imgsort.reconcile.apply import apply_reconcile
from imgsort.store import Store
from imgsort.store.care import soundness
from imgsort.workspace.workspace import Workspace
from tests.care.test_backup import damage
from tests.desk import Desk


def reconciled_labels(desk: Desk) -> int:
    """Labels after the look that the next daemon would take."""
    with desk.store() as store:
        apply_reconcile(desk.workspace, store, None)
    return desk.count_labels()


def test_what_was_filed_since_is_found_again(desk: Desk) -> None:
    """Rows are the files of the tree again; none of it counts as a human's word, then or later."""
    desk.type("label", desk.workspace.sorted / "cat" / "cat-2.jpg", "dog")
    saved = back_up(desk.workspace).path
    desk.file("cat-3.jpg", "unsure-cat-4.jpg", "broken-2.jpg")
    before = desk.tree()
    done = restore(desk.workspace.root, saved)
    assert done.refound.as_dict() == {"found": 3, "moved": 0, "missing": 0}
    assert desk.tree() == before
    assert desk.agrees()
    assert desk.count_labels() == reconciled_labels(desk) == 1


def test_a_move_since_is_no_label(desk: Desk) -> None:
    """Whether a person, refile or label did it can't be known any more: the place is learned."""
    saved = back_up(desk.workspace).path
    (desk.workspace.sorted / "dog" / "cat-1.jpg").hardlink_to(
        desk.workspace.sorted / "cat" / "cat-1.jpg"
    )
    (desk.workspace.sorted / "cat" / "cat-1.jpg").unlink()
    done = restore(desk.workspace.root, saved)
    assert done.refound.as_dict() == {"found": 0, "moved": 1, "missing": 0}
    assert desk.agrees()
    assert reconciled_labels(desk) == 0


def test_the_present_database_is_kept(desk: Desk) -> None:
    """Whole, with what the backup doesn't have, and it can be restored by hand."""
    saved = back_up(desk.workspace).path
    desk.file("snake-1.jpg")
    done = restore(desk.workspace.root, saved)
    kept = done.aside / "imgsort.db"
    with closing(sqlite3.connect(kept)) as old:
        names = [name for (name,) in old.execute("SELECT name FROM arrivals")]
    assert "snake-1.jpg" in names
    assert soundness(kept, thorough=True) == []


def mode(database: Path) -> str:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as opened:
        return str(opened.execute("PRAGMA journal_mode").fetchone()[0])


def test_the_log_is_written_ahead_again(desk: Desk) -> None:
    """A backup's database is one file; used like that, readers would make the daemon wait."""
    saved = back_up(desk.workspace).path
    restore(desk.workspace.root, saved)
    assert mode(desk.workspace.database) == "wal"
    rebuild(desk.workspace, force=True)
    assert mode(desk.workspace.database) == "wal"


def test_a_backup_put_in_place_by_hand_is_written_ahead_too(desk: Desk, tmp_path: Path) -> None:
    """By who knows tar: from the next start of the daemon on."""
    saved = back_up(desk.workspace).path
    archive.unpack(saved, tmp_path, lambda: None)
    (tmp_path / archive.DATABASE).replace(desk.workspace.database)
    assert mode(desk.workspace.database) == "delete"
    with Store.open(desk.workspace.database, root=desk.workspace.root, checkpointer=True):
        assert mode(desk.workspace.database) == "wal"


def test_a_journal_of_the_old_database_goes_aside_with_it(desk: Desk) -> None:
    """SQLite would take it for the new one's."""
    saved = back_up(desk.workspace).path
    journal = desk.workspace.database.with_name("imgsort.db-journal")
    journal.write_bytes(b"of the old one")
    done = restore(desk.workspace.root, saved)
    assert (done.aside / journal.name).read_bytes() == b"of the old one"
    assert not journal.exists()
    assert desk.agrees()


def test_pictures_alone_are_the_workspace_again(desk: Desk) -> None:
    """Where configuration and state are gone; what a killed restore left is nobody's."""
    saved = back_up(desk.workspace).path.rename(desk.workspace.root.parent / "saved.tar")
    shutil.rmtree(desk.workspace.state)
    desk.workspace.config_file.unlink()
    (desk.workspace.root / ".restoring-1").mkdir()
    before = desk.tree()
    done = restore(desk.workspace.root, saved)
    assert (done.config, done.models, done.refound.missing) == (True, (1,), 0)
    assert desk.tree() == before
    assert desk.agrees()
    assert not list(desk.workspace.root.glob(".restoring-*"))


def test_a_daemon_is_never_interrupted(desk: Desk) -> None:
    """Exit 73 with its pid, and nothing changed."""
    saved = back_up(desk.workspace).path
    with desk.workspace.daemon_lock():
        with pytest.raises(WorkspaceBusy, match="pid"):
            restore(desk.workspace.root, saved)
        with pytest.raises(WorkspaceBusy, match="pid"):
            rebuild(desk.workspace, force=True)
    assert not list(desk.workspace.state.glob("before-*"))


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def with_stranger(content: bytes) -> bytes:
    """A file that the manifest doesn't list, at a place outside."""
    buffer = io.BytesIO(content)
    with tarfile.open(fileobj=buffer, mode="a") as tar:
        tar.addfile(tarfile.TarInfo("../../evil"), io.BytesIO())
    return buffer.getvalue()


def with_link(content: bytes) -> bytes:
    """The database replaced by a link elsewhere."""
    out = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(content)) as old,
        tarfile.open(fileobj=out, mode="w") as new,
    ):
        for member in old:
            content_of = old.extractfile(member)
            if member.name == archive.DATABASE:
                member.type, member.linkname, member.size = tarfile.SYMTYPE, "/etc/passwd", 0
                content_of = None
            new.addfile(member, content_of)
    return out.getvalue()


@pytest.mark.parametrize(
    "spoil",
    [
        flipped,
        with_stranger,
        with_link,
        lambda content: content[: len(content) // 2],
        lambda content: content[:700],
        lambda _: b"",
        lambda _: b"no backup at all" * 1000,
        lambda content: content.replace(b"models/v0001/model.json", b"models/../../../../etc/x"),
    ],
    ids=["flipped", "stranger", "link", "half", "head", "empty", "other", "traversal"],
)
def test_a_damaged_backup_is_refused(
    desk: Desk, tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    """Before anything is touched: the database is the same file, nothing was left behind."""
    saved = back_up(desk.workspace).path
    bad = tmp_path / "bad.tar"
    bad.write_bytes(spoil(saved.read_bytes()))
    before = desk.workspace.database.stat().st_ino
    state = {path.name for path in desk.workspace.state.iterdir()} | {"lock"}
    with pytest.raises(BackupProblem, match="nothing was changed"):
        restore(desk.workspace.root, bad)
    assert desk.workspace.database.stat().st_ino == before
    assert {path.name for path in desk.workspace.state.iterdir()} | {"lock"} == state
    assert not (tmp_path / "evil").exists()


def test_a_later_backup_is_named(desk: Desk, tmp_path: Path) -> None:
    """One of a later format or schema says which imgsort can read it."""
    saved = back_up(desk.workspace).path
    content = saved.read_bytes()
    later = tmp_path / "later.tar"
    later.write_bytes(content.replace(b'"format": 1', b'"format": 9'))
    with pytest.raises(BackupProblem, match="newer imgsort"):
        restore(desk.workspace.root, later)
    later.write_bytes(content.replace(b'"revision": "00', b'"revision": "ff'))
    with pytest.raises(BackupProblem, match="revision ff"):
        restore(desk.workspace.root, later)


def test_a_damaged_database_and_model_come_back(desk: Desk) -> None:
    """With the damaged ones kept aside."""
    saved = back_up(desk.workspace).path
    damage(desk.workspace.database)
    (desk.workspace.models / "v0001" / "head.safetensors").write_bytes(b"broken")
    done = restore(desk.workspace.root, saved)
    assert done.models == (1,)
    assert (done.aside / "v0001" / "head.safetensors").read_bytes() == b"broken"
    assert soundness(desk.workspace.database, thorough=True) == []
    assert desk.agrees()


def test_into_an_empty_folder(desk: Desk, tmp_path: Path) -> None:
    """On another machine: configuration, models and log are there; the pictures are missing."""
    saved = back_up(desk.workspace).path
    done = restore(tmp_path / "new", saved)
    there = Workspace.open(tmp_path / "new")
    assert (done.config, done.models, done.refound.missing) == (True, (1,), 5)
    assert (there.models / "active").readlink() == Path("v0001")
    other = tmp_path / "documents"
    other.mkdir()
    (other / "letter.txt").touch()
    with pytest.raises(BackupProblem, match="not empty"):
        restore(other, saved)
    assert [path.name for path in other.iterdir()] == ["letter.txt"]


def test_copies_are_not_copied_again(tmp_path: Path) -> None:
    """In copy mode the originals in the inbox are known again."""
    desk = Desk.at(tmp_path / "photos", '[filing]\nmode = "copy"\n')
    desk.file("cat-1.jpg")
    saved = back_up(desk.workspace).path
    desk.file("dog-1.jpg")
    restore(desk.workspace.root, saved)
    rows = desk.log("SELECT name FROM arrivals WHERE src_ino IS NOT NULL ORDER BY name")
    assert rows == [("cat-1.jpg",), ("dog-1.jpg",)]


def test_rebuilt_rows_are_the_files(desk: Desk) -> None:
    """Class from the folder, no prediction, no label, and models know their classes by id."""
    before = desk.tree()
    ids = desk.log("SELECT id, name FROM classes ORDER BY id")
    for suffix in ("", "-wal", "-shm"):
        Path(f"{desk.workspace.database}{suffix}").unlink(missing_ok=True)
    done = rebuild(desk.workspace)
    assert (done.refound.found, done.aside) == (5, None)
    assert desk.tree() == before
    assert desk.agrees()
    assert desk.log("SELECT id, name FROM classes ORDER BY id") == ids
    rows = desk.log(
        "SELECT a.name, a.decision, c.name, a.model FROM arrivals a"
        " LEFT JOIN classes c ON c.id = a.class_id ORDER BY a.name"
    )
    assert rows == [
        ("broken-1.jpg", "rejected", None, None),
        ("cat-1.jpg", "filed", "cat", None),
        ("cat-2.jpg", "filed", "cat", None),
        ("dog-1.jpg", "filed", "dog", None),
        ("unsure-dog-2.jpg", "unsure", None, None),
    ]
    assert reconciled_labels(desk) == 0


def test_a_class_made_by_hand_comes_back(desk: Desk) -> None:
    """A folder that no model knows is a class of its own."""
    (desk.workspace.sorted / "newt").mkdir()
    (desk.workspace.sorted / "newt" / "n.jpg").write_bytes(b"newt")
    rebuild(desk.workspace, force=True)
    assert ("newt",) in desk.log("SELECT name FROM classes")
    assert desk.agrees()


def test_a_sound_database_is_not_thrown_away(desk: Desk) -> None:
    """Without --force it says how many labels would be lost."""
    desk.type("label", desk.workspace.sorted / "cat" / "cat-2.jpg", "dog")
    with pytest.raises(BackupProblem, match="1 labels"):
        rebuild(desk.workspace)
    damage(desk.workspace.database)
    done = rebuild(desk.workspace)
    assert done.aside is not None
    assert soundness(done.aside / "imgsort.db", thorough=True) != []
    assert desk.agrees()


def test_the_commands(desk: Desk) -> None:
    """They say what is lost, and where the old database is."""
    saved = Path(desk.type("backup", "--json").json["path"])
    said = desk.type("restore", saved)
    assert (said.code, "None of that was taken for a label" in said.out) == (0, True)
    said = desk.type("rebuild-db")
    assert (said.code, "rebuild-db --force" in said.err) == (1, True)
    said = desk.type("rebuild-db", "--force")
    assert (said.code, "what people said" in said.out, "before-rebuild" in said.out) == (0, 1, 1)
    assert desk.type("restore", saved.with_name("none.tar")).code == 1
