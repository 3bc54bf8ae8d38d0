"""Folders of the workspace: are they there, whose are they, on which disks, with how much room?"""

import errno
import os
import pwd
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from imgsort.care.finding import Finding, ok
from imgsort.disk.mounts import is_event_blind, is_network, type_of
from imgsort.filing.abilities import ability
from imgsort.workspace.way_back import way_back
from imgsort.workspace.workspace import Workspace

LOW_BYTES = 1_000_000_000
LOW_SHARE = 0.05
_ANYBODY = stat.S_IWOTH


def check_folders(workspace: Workspace) -> Iterator[Finding]:
    """Missing, not writable, of other owners, writable by anybody."""
    folders = (*workspace.picture_folders, workspace.state)
    there = []
    for folder in folders:
        finding = _folder(workspace, folder)
        yield finding
        if finding.level == "ok":
            there.append(folder)
    yield from _owners(there)
    yield from _open_to_anybody((*there, workspace.config_file))


def _folder(workspace: Workspace, folder: Path) -> Finding:
    if not folder.is_dir():
        below = folder.is_relative_to(workspace.root)
        return Finding(
            "error",
            "folders",
            f"{folder} is missing.",
            f"Put it back (mount it?) or run `mkdir {folder}`."
            if folder != workspace.state
            else f"Stop imgsort and {way_back(workspace.root)}.",
            # A folder elsewhere may be a disk that isn't mounted; state/ holds the log.
            fix=(lambda: folder.mkdir(parents=True))
            if below and folder != workspace.state
            else None,
        )
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return Finding(
            "error",
            "folders",
            f"{folder} can't be read and written by this user.",
            f"Correct its owner or mode, such as `chown -R {_user(os.geteuid())} {folder}`.",
        )
    return ok("folders", f"{folder} can be written.")


def _owners(folders: list[Path]) -> Iterator[Finding]:
    owners = {folder: folder.stat().st_uid for folder in folders}
    if len(set(owners.values())) > 1:
        listed = ", ".join(f"{folder} {_user(uid)}" for folder, uid in owners.items())
        yield Finding(
            "warning",
            "folders",
            f"The folders have several owners: {listed}.",
            "Give them all to the user imgsort runs as, or share them by a group (mode 2775).",
        )
    elif owners:
        yield ok("folders", f"The folders all belong to {_user(next(iter(owners.values())))}.")


def _open_to_anybody(paths: tuple[Path, ...]) -> Iterator[Finding]:
    for path in paths:
        with suppress(OSError):
            mode = path.stat().st_mode
            if mode & _ANYBODY and not mode & stat.S_ISVTX:
                yield Finding(
                    "warning",
                    "folders",
                    f"Anybody on this machine can change {path} (mode {mode & 0o7777:o}).",
                    f"Take that away: `chmod o-w {path}`.",
                )


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def check_file_systems(workspace: Workspace) -> Iterator[Finding]:
    """Kinds, one or several, renaming without overwriting, room."""
    if workspace.state.is_dir():
        yield _state(workspace.state)
    there = [folder for folder in workspace.picture_folders if folder.is_dir()]
    for folder in there:
        if is_event_blind(folder):
            yield Finding(
                "note",
                "file systems",
                f"{folder} is on {type_of(folder)}, which reports no changes.",
                "Nothing is needed: imgsort looks through it every watch.scan_seconds.",
            )
    if workspace.inbox in there:
        yield from _devices(workspace.inbox, there)
    for folder in there:
        if os.access(folder, os.W_OK | os.X_OK):
            yield from _noreplace(folder)
    yield from _room({workspace.state, *workspace.picture_folders})


def _state(state: Path) -> Finding:
    if is_network(state):
        return Finding(
            "error",
            "file systems",
            f"{state} is on a network file system ({type_of(state)}), where SQLite can be damaged.",
            "Move the workspace to a local disk; the picture folders may stay where they are.",
        )
    return ok("file systems", f"{state} is on a local file system ({type_of(state)}).")


def _devices(inbox: Path, folders: list[Path]) -> Iterator[Finding]:
    here = inbox.stat().st_dev
    others = [str(folder) for folder in folders if folder.stat().st_dev != here]
    if others:
        yield Finding(
            "note",
            "file systems",
            f"{', '.join(others)} and {inbox} are on different file systems.",
            "Nothing is needed: pictures are copied, checked and then removed, which is slower.",
        )
    else:
        yield ok("file systems", "The picture folders are on one file system.")


def _noreplace(folder: Path) -> Iterator[Finding]:
    """Rename an empty hidden file for real."""
    try:
        way = ability(folder, folder)
    except OSError as problem:
        if problem.errno != errno.EACCES:
            yield Finding(
                "error",
                "file systems",
                f"No file can be made and renamed in {folder} ({problem.strerror}).",
                "Look after the disk: is it full, mounted read-only, or failing (`dmesg`)?",
            )
        return
    if way == "link":
        yield Finding(
            "note",
            "file systems",
            f"{folder} ({type_of(folder)}) can't rename without overwriting.",
            "Nothing is needed: imgsort makes a hard link instead.",
        )
    elif way == "look":
        yield Finding(
            "note",
            "file systems",
            f"{folder} ({type_of(folder)}) can neither rename without overwriting nor make hard "
            f"links.",
            "Let no other program write there while imgsort files: it looks whether a name is "
            "free, then renames.",
        )


def _room(folders: set[Path]) -> Iterator[Finding]:
    seen: set[int] = set()
    for folder in sorted(folders):
        try:
            device, usage = folder.stat().st_dev, shutil.disk_usage(folder)
            nodes = os.statvfs(folder)
        except OSError:
            continue
        if device in seen:
            continue
        seen.add(device)
        room = f"{usage.free / 1e9:,.1f} of {usage.total / 1e9:,.1f} GB"
        if usage.free < LOW_BYTES or usage.free < LOW_SHARE * usage.total:
            yield Finding(
                "warning",
                "file systems",
                f"The disk of {folder} has {room} left.",
                "Make room: when it is full, imgsort pauses and pictures wait in the inbox.",
            )
        elif nodes.f_files and nodes.f_favail < LOW_SHARE * nodes.f_files:
            yield Finding(
                "warning",
                "file systems",
                f"The disk of {folder} can take {nodes.f_favail:,} more files.",
                "Remove files or choose another disk: pictures pause when it takes none.",
            )
        else:
            yield ok("file systems", f"The disk of {folder} has {room} left.")
