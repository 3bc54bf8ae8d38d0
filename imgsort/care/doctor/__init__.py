"""`imgsort doctor`: all that can be checked without changing anything, and the safe fixes."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from imgsort.care.backup import daily_backups
from imgsort.care.doctor.folders import check_file_systems, check_folders
from imgsort.care.doctor.learned import check_models
from imgsort.care.doctor.leftovers import check_leftovers
from imgsort.care.doctor.machine import check_clock, check_inotify
from imgsort.care.doctor.pictures import check_pictures
from imgsort.care.doctor.records import check_database
from imgsort.care.doctor.versions import check_versions
from imgsort.care.finding import LEVELS, Finding, Level, ok
from imgsort.errors import ConfigProblem, ImgsortError
from imgsort.workspace.config import Config
from imgsort.workspace.workspace import Workspace

__all__ = ["LEVELS", "Finding", "Level", "examine", "fixed"]


def examine(root: Path) -> Iterator[Finding]:
    """All findings, check by check. Raises WorkspaceMissing; everything else is a finding."""
    workspace, findings = _opened(root)
    yield from findings
    yield from check_versions()
    yield from check_folders(workspace)
    yield from check_file_systems(workspace)
    yield from check_inotify(workspace)
    yield from check_database(workspace)
    yield from check_clock(workspace)
    yield from check_pictures(workspace)
    yield from check_models(workspace)
    yield from _check_backups(workspace)
    yield from check_leftovers(workspace)


def _opened(root: Path) -> tuple[Workspace, list[Finding]]:
    """With a configuration that can't be used the rest is checked by the defaults."""
    try:
        workspace = Workspace.open(root)
    except ConfigProblem as problem:
        findings = [
            Finding("error", "config", line, "Correct it; the checks below use the defaults.")
            for line in str(problem).split("\n")
        ]
        return Workspace(root.absolute(), Config()), findings
    return workspace, [ok("config", f"{workspace.config_file} is valid.")]


def _check_backups(workspace: Workspace) -> Iterator[Finding]:
    made = daily_backups(workspace.backups)
    if not workspace.config.backup.daily:
        return
    if not made:
        yield Finding(
            "note",
            "backups",
            f"There is no daily backup in {workspace.backups} yet.",
            "A running daemon makes one a day; `imgsort backup` makes one now.",
        )
        return
    yield ok("backups", f"The newest daily backup is {made[-1].name}.")
    if not workspace.state.is_dir():
        return  # the folders' check has said so
    if workspace.backups.stat().st_dev == workspace.state.stat().st_dev:
        yield Finding(
            "note",
            "backups",
            f"{workspace.backups} is on the same disk as the database.",
            "Set backup.folder to another disk, or copy it elsewhere: pictures too need a backup "
            "of yours.",
        )


def fixed(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Do what can safely be done; the same fix is done once, a failure is told in the remedy."""
    for finding in findings:
        if finding.fix is None:
            yield finding
            continue
        try:
            finding.fix()
        except (ImgsortError, OSError) as problem:
            yield replace(finding, remedy=f"--fix could not do it: {problem}")
        else:
            yield replace(finding, fixed=True)
