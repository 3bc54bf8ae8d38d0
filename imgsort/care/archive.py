"""A backup is one tar file: a manifest first, then the files it lists with their SHA-256.

Nothing in a backup is trusted: only names that a backup can have are unpacked, each as a plain
file, and each must have the content that the manifest says.
"""

import hashlib
import json
import re
import shutil
import tarfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from imgsort.errors import BackupProblem

FORMAT = 1
DATABASE, CONFIG, CLASSES, MANIFEST = "imgsort.db", "config.toml", "classes.json", "manifest.json"
_MODEL = re.compile(r"models/(history|v\d{4,}/[^/\0]+|v\d{4,}/report/[^/\0]+)")
_CHUNK = 1 << 20
_LARGEST_MANIFEST = 16 << 20
"""Bytes: a thousand models of twenty files are 2 MB."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds."""

    format: int
    imgsort: str
    """The version that made it."""
    created_at: str
    """ISO 8601, UTC."""
    revision: str
    """Of the database's schema."""
    rows: dict[str, int]
    """By table."""
    active: int | None
    """The model that was active."""
    files: dict[str, str]
    """Name -> hex SHA-256."""

    def rendered(self) -> bytes:
        return (json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n").encode()

    @classmethod
    def parsed(cls, text: bytes) -> "Manifest":
        """Raises ValueError, TypeError or KeyError for what is no manifest."""
        told: dict[str, Any] = json.loads(text)
        manifest = cls(**told)
        if not all(
            isinstance(name, str) and isinstance(digest, str) and may_hold(name)
            for name, digest in manifest.files.items()
        ):
            raise ValueError("it lists a file that no backup has")
        if DATABASE not in manifest.files or not isinstance(manifest.revision, str):
            raise ValueError("it lists no database")
        return manifest


def may_hold(name: str) -> bool:
    """Is this a name that a backup can have?"""
    if name in {DATABASE, CONFIG, CLASSES}:
        return True
    return _MODEL.fullmatch(name) is not None and ".." not in name.split("/")


def sha256_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def pack(folder: Path, manifest: Manifest, target: Path, rest: Callable[[], None]) -> None:
    """Write ``target`` from the files in ``folder`` that the manifest lists. Raises OSError."""
    (folder / MANIFEST).write_bytes(manifest.rendered())
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as tar:
        for name in (MANIFEST, *manifest.files):
            rest()
            tar.add(folder / name, arcname=name, recursive=False, filter=_plain)


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Owners and modes are those of whoever restores."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o644
    return member


def read_manifest(file: Path) -> Manifest:
    """Raises BackupProblem for a file that is no backup, or one of a later format."""
    try:
        with tarfile.open(file, "r:") as tar:
            return _manifest(file, tar)
    except tarfile.TarError as problem:
        raise _damaged(file, str(problem) or "it is no tar file") from None
    except OSError as problem:
        raise BackupProblem(
            f"{file} can't be read ({problem.strerror}); name the file of a backup."
        ) from None


def unpack(file: Path, folder: Path, rest: Callable[[], None]) -> Manifest:
    """Unpack everything into the empty ``folder`` and compare it with the manifest.

    Raises BackupProblem for a backup that is damaged or incomplete.
    """
    manifest = read_manifest(file)
    try:
        with tarfile.open(file, "r:") as tar:
            _unpack(file, tar, manifest, folder, rest)
    except (tarfile.TarError, EOFError) as problem:
        raise _damaged(file, str(problem) or "it is cut short") from None
    return manifest


def _unpack(
    file: Path, tar: tarfile.TarFile, manifest: Manifest, folder: Path, rest: Callable[[], None]
) -> None:
    missing = dict(manifest.files)
    for member in list(tar)[1:]:  # the first is the manifest
        expected = missing.pop(member.name, None)
        content = tar.extractfile(member) if member.isreg() else None
        if expected is None or content is None:
            raise _damaged(file, f"{member.name} doesn't belong there")
        place = folder / member.name
        place.parent.mkdir(parents=True, exist_ok=True)
        if _poured(content, place, rest) != expected:
            raise _damaged(file, f"{member.name} has not the sha256 that its manifest records")
    if missing:
        raise _damaged(file, f"{next(iter(missing))} is missing")


def _poured(content: IO[bytes], place: Path, rest: Callable[[], None]) -> str:
    digest = hashlib.sha256()
    with place.open("xb") as out:
        while chunk := content.read(_CHUNK):
            rest()
            digest.update(chunk)
            out.write(chunk)
    return digest.hexdigest()


def _manifest(file: Path, tar: tarfile.TarFile) -> Manifest:
    member = tar.next()
    content = tar.extractfile(member) if member is not None and member.isreg() else None
    if member is None or content is None or member.name != MANIFEST:
        raise _damaged(file, "it doesn't begin with a manifest")
    if member.size > _LARGEST_MANIFEST:
        raise _damaged(file, "its manifest is too large")
    text = content.read()
    try:
        told = json.loads(text).get("format")
        if isinstance(told, int) and told > FORMAT:
            raise BackupProblem(
                f"{file} was made by a newer imgsort (format {told}); restore it with that one."
            )
        return Manifest.parsed(text)
    except (ValueError, TypeError, KeyError, AttributeError) as problem:
        raise _damaged(file, f"its manifest can't be used: {problem}") from None


def _damaged(file: Path, why: str) -> BackupProblem:
    return BackupProblem(
        f"{file} is damaged, or no backup of imgsort ({why}); take another one: nothing was "
        f"changed."
    )


def discard(folder: Path) -> None:
    """Remove a working folder of ours, as far as it goes."""
    shutil.rmtree(folder, ignore_errors=True)
