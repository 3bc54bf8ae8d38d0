"""`doctor`: each thing that is wrong is found, with its remedy; --fix does the safe ones only."""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from imgsort.care import doctor
from imgsort.care.doctor import Finding
from imgsort.care.doctor.leftovers import OLD_SECONDS
from imgsort.care.doctor.machine import judged_clock, judged_limits
from imgsort.care.doctor.versions import BUGS, Bug, known_bugs
from imgsort.errors import WorkspaceMissing
from tests.care.test_backup import damage
from tests.desk import Desk

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
UNINSTALLED = "The backbone"
"""The test's model names a backbone that is not there: found in every workspace here."""


def found(desk: Desk, *, fix: bool = False) -> list[Finding]:
    """What is not well, but for what these tests' workspaces all have."""
    findings = doctor.examine(desk.workspace.root)
    return [
        one
        for one in (doctor.fixed(findings) if fix else findings)
        if one.level != "ok"
        and one.check not in {"versions", "backups"}
        and not one.what.startswith((UNINSTALLED, "The disk of", "The kernel queues"))
    ]


def test_a_sound_workspace_has_nothing(desk: Desk) -> None:
    """No finding, and looking changed nothing."""
    before = desk.tree()
    assert found(desk) == []
    assert desk.tree() == before
    assert desk.agrees()


def test_every_finding_has_a_remedy(desk: Desk) -> None:
    """A hostile workspace: each trouble is told at its level, and nothing raises."""
    root, workspace = desk.workspace.root, desk.workspace
    (root / "config.toml").write_text('[model]\nconfidance = "high"\n')
    damage(workspace.database)
    shutil.rmtree(workspace.unsure)
    workspace.rejected.chmod(0o777)
    (workspace.sorted / "loop").symlink_to(workspace.sorted)
    os.mkfifo(workspace.sorted / "cat" / "pipe.jpg")
    (workspace.models / "v0001" / "head.safetensors").write_bytes(b"broken")
    (workspace.models / "v0002").mkdir()
    (workspace.models / "v0002" / "model.json").write_bytes(b"\xff\x00{")
    os.mkdir(os.fsencode(workspace.sorted) + b"/caf\xe9\x1b[31m")  # noqa: PTH102
    told = list(doctor.examine(root))
    bad = [one for one in told if one.level != "ok"]
    assert all(one.remedy and one.what.endswith(".") for one in bad)
    errors = {one.check for one in bad if one.level == "error"}
    assert errors >= {"config", "database", "folders", "models"}
    assert any("Anybody" in one.what for one in bad if one.level == "warning")
    said = desk.type("doctor")
    assert said.code == 1
    assert "\x1b" not in said.out
    counts = desk.type("doctor", "--json").json["counts"]
    assert counts["error"] == sum(one.level == "error" for one in told)


def test_no_workspace_is_told(tmp_path: Path) -> None:
    """As by every command."""
    with pytest.raises(WorkspaceMissing):
        list(doctor.examine(tmp_path))


@pytest.mark.parametrize("how", ["missing", "noise", "empty"])
def test_a_database_that_can_not_be_used(desk: Desk, how: str) -> None:
    """Missing, no database, an empty file: an error that names restore or migrate."""
    for suffix in ("-wal", "-shm"):
        Path(f"{desk.workspace.database}{suffix}").unlink(missing_ok=True)
    desk.workspace.database.unlink()
    if how != "missing":
        desk.workspace.database.write_bytes(b"noise" * 1000 if how == "noise" else b"")
    (finding,) = [one for one in found(desk) if one.check == "database"]
    assert finding.level == "error"
    assert ("migrate" if how == "empty" else "restore") in (finding.remedy or "")


def test_a_newer_database_is_not_migrated(desk: Desk) -> None:
    """--fix leaves what it doesn't know alone."""
    with closing(sqlite3.connect(desk.workspace.database)) as log:
        log.execute("UPDATE alembic_version SET version_num = 'ffff'")
        log.commit()
    (finding,) = [one for one in found(desk, fix=True) if one.check == "database"]
    assert (finding.level, finding.fixed) == ("error", False)
    assert "newer imgsort" in f"{finding.what} {finding.remedy}"


def test_rows_that_refer_to_nothing(desk: Desk) -> None:
    """foreign_key_check is part of it."""
    with closing(sqlite3.connect(desk.workspace.database)) as log:
        log.execute("UPDATE arrivals SET image_id = 999 WHERE id = 1")
        log.commit()
    (finding,) = [one for one in found(desk) if one.check == "database"]
    assert "row 1 of arrivals refers to a row of images" in finding.what


def test_counts_that_are_not_those_of_the_rows(desk: Desk) -> None:
    """`status` shows them, so they are compared; --fix counts anew."""
    with closing(sqlite3.connect(desk.workspace.database)) as log:
        log.execute("UPDATE arrival_counts SET arrivals = arrivals + 5 WHERE decision = 'filed'")
        (kinds,) = log.execute("SELECT changes()").fetchone()
        log.commit()
    right = desk.type("status", "--json").json["log"]["filed"] - 5 * kinds
    (finding,) = found(desk, fix=True)
    assert (finding.level, finding.check, finding.fixed) == ("warning", "database", True)
    assert f"`status` miscounts the pictures of {kinds} kind" in finding.what
    assert found(desk) == []
    assert desk.type("status", "--json").json["log"]["filed"] == right


@pytest.mark.parametrize("harm", ["TRIGGER arrival_counts_update", "TABLE arrival_counts"])
def test_counts_that_nothing_keeps(desk: Desk, harm: str) -> None:
    """As after a program that has made the table anew: they are right now, and soon won't be."""
    right = desk.type("status", "--json").json["log"]["filed"]
    with closing(sqlite3.connect(desk.workspace.database)) as log:
        if "TABLE" in harm:
            for name in ("insert", "update", "delete"):
                log.execute(f"DROP TRIGGER arrival_counts_{name}")
        log.execute(f"DROP {harm}")
        log.commit()
    (finding,) = found(desk, fix=True)
    assert (finding.level, finding.fixed) == ("warning", True)
    assert finding.what.startswith("Nothing keeps the counts that `status` shows up to date: ")
    assert found(desk) == []
    with closing(sqlite3.connect(desk.workspace.database)) as log:
        log.execute("UPDATE arrivals SET decision = 'unsure' WHERE decision = 'filed' AND id = 1")
        log.commit()
    assert desk.type("status", "--json").json["log"]["filed"] == right - 1


def test_files_without_rows_and_rows_without_files(desk: Desk) -> None:
    """Both are named, and --fix learns them as the daemon would."""
    (desk.workspace.sorted / "cat" / "cat-1.jpg").unlink()
    (desk.workspace.sorted / "dog" / "new.jpg").write_bytes(b"new")
    told = found(desk)
    assert {one.what.partition(" pictures")[2].split(":")[0] for one in told} == {
        " of the log are not where they were",
        " in the folders are not in the log",
    }
    assert all(one.fix for one in told)
    os.utime(desk.workspace.sorted / "dog" / "new.jpg")
    assert all(one.fixed for one in found(desk, fix=True))
    assert desk.log("SELECT name FROM arrivals WHERE missing_at IS NOT NULL") == [("cat-1.jpg",)]


def test_unfinished_moves_are_finished(desk: Desk) -> None:
    """A planned move of a dead program: a warning, and --fix recovers it."""
    with closing(sqlite3.connect(desk.workspace.database)) as log:
        log.execute("UPDATE moves SET state = 'planned', done_at = NULL WHERE id = 1")
        log.execute("UPDATE arrivals SET state = 'decided', filed_at = NULL WHERE id = 1")
        log.commit()
    (finding,) = [one for one in found(desk) if one.check == "moves"]
    assert (finding.level, finding.fixed) == ("warning", False)
    assert [one.fixed for one in found(desk, fix=True) if one.check == "moves"] == [True]
    assert desk.agrees()
    assert found(desk) == []


def test_a_missing_folder_is_made_only_here(desk: Desk, tmp_path: Path) -> None:
    """One elsewhere may be a disk that isn't mounted; state/ would be a loss that is hidden."""
    desk.workspace.inbox.rmdir()
    away = tmp_path / "disk" / "sorted"
    (desk.workspace.root / "config.toml").write_text(f'[folders]\nsorted = "{away}"\n')
    found(desk, fix=True)
    assert desk.workspace.inbox.is_dir()
    assert not away.exists()
    shutil.rmtree(desk.workspace.state)
    found(desk, fix=True)
    assert not desk.workspace.state.exists()


def test_leftovers_are_removed_when_old(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only by imgsort's own names, and only what nobody can be using."""
    cat = desk.workspace.sorted / "cat"
    ours = cat / f".part-{'0' * 16}"
    theirs = cat / ".part-of-mine"
    work = desk.workspace.state / ".restoring-1"
    work.mkdir()
    for path in (ours, theirs, work / "imgsort.db"):
        path.touch()
    assert found(desk, fix=True) == []
    monkeypatch.setattr("imgsort.care.doctor.leftovers.time.time", lambda: 4e9 + OLD_SECONDS)
    (finding,) = found(desk, fix=True)
    assert (finding.check, finding.level, finding.fixed) == ("leftovers", "note", True)
    assert (ours.exists(), work.exists(), theirs.exists()) == (False, False, True)


def test_a_folder_that_takes_nothing(desk: Desk) -> None:
    """A read-only disk under a picture folder is an error."""
    folder = desk.workspace.rejected
    mount = ["mount", "--bind", str(folder), str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a bind mount takes root, and a machine that lets it")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True)
        told = found(desk)
    finally:
        subprocess.run(["umount", str(folder)], check=True)
    assert [one.level for one in told if str(folder) in one.what] == ["error"]


@pytest.mark.parametrize(
    ("version", "affected"),
    [
        ("3.40.1", True),
        ("3.44.5", True),
        ("3.44.6", False),
        ("3.45.0", True),
        ("3.50.6", True),
        ("3.50.7", False),
        ("3.51.2", True),
        ("3.51.3", False),
        ("3.53.1", False),
    ],
)
def test_fixes_of_older_lines_count(version: str, affected: bool) -> None:
    """A release of an older line is sound from its own fix on, the next line is not."""
    (sqlite,) = [bug for bug in BUGS if bug.library == "SQLite"]
    assert sqlite.has(version) == affected


def test_a_known_bug_is_told_with_its_source() -> None:
    """What is affected is a finding of its own, the rest is one line."""
    bug = Bug("Pillow", ("13.0.0",), "warning", "crashes", "Update it", "https://example.org/note")
    told = list(known_bugs({"Pillow": "12.3.0", "SQLite": "3.53.0"}, [bug]))
    assert [(one.level, one.what) for one in told] == [
        ("warning", "Pillow 12.3.0 crashes."),
        ("ok", "No bug that matters here is known of SQLite 3.53.0."),
    ]
    assert told[0].remedy == "Update it; fixed in 13.0.0 (https://example.org/note)."


@pytest.mark.parametrize(
    ("folders", "watches", "events", "levels"),
    [
        (100, 65_536, 16_384, ["ok"]),
        (40_000, 65_536, 16_384, ["warning"]),
        (100, 65_536, 512, ["ok", "note"]),
        (100, None, None, []),
    ],
)
def test_inotify_limits(
    folders: int, watches: int | None, events: int | None, levels: list[str]
) -> None:
    """More than half of what may be watched is too near; a short queue is only worth a note."""
    assert [one.level for one in judged_limits(folders, watches, events)] == levels


@pytest.mark.parametrize(
    ("newest", "level"),
    [(None, "ok"), (NOW, "ok"), (NOW + timedelta(hours=1), "warning")],
)
def test_the_clock(newest: datetime | None, level: str) -> None:
    """Behind the newest row: it went back, or a row is from the future."""
    assert judged_clock(NOW, newest).level == level
