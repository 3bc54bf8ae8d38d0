"""Small files that a power cut leaves old or new, never half."""

import os
from pathlib import Path

import pytest

from imgsort.disk.durable import replace_file


def test_a_replaced_file_is_on_the_disk_before_it_takes_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new content is synced while the old file stands, the name after it: in that order."""
    path = tmp_path / "active"
    path.write_bytes(b"old")
    synced: list[tuple[str, bytes, bytes]] = []
    fsync = os.fsync

    def seen(descriptor: int) -> None:
        fsync(descriptor)
        what = Path(f"/proc/self/fd/{descriptor}").readlink()
        content = what.read_bytes() if what.is_file() else b""
        synced.append((what.name, content, path.read_bytes()))

    monkeypatch.setattr(os, "fsync", seen)
    replace_file(path, b"new")

    assert path.read_bytes() == b"new"
    assert synced == [
        (".active.part", b"new", b"old"),
        (tmp_path.name, b"", b"new"),
    ]
