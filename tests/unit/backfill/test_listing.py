"""What lies in an archive, or in a list: exact bytes, each once, nothing through a link."""

import csv
import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from imgsort.backfill.listing import ArchiveEntry, LeftOut, walked
from imgsort.backfill.ready_list import listed
from imgsort.backfill.repeats import once, repeats
from imgsort.errors import BackfillMisused, BackfillProblem

pa = pytest.importorskip("pyarrow", reason="imgsort[backfill] is not installed")

READABLE = frozenset({".jpg", ".png"})


def paths(entries: Iterator[ArchiveEntry]) -> set[bytes]:
    return {one.path for one in entries}


def test_names_are_kept_byte_for_byte(tmp_path: Path) -> None:
    """No UTF-8, line breaks, quotes: whatever a file system allows."""
    names = [b"caf\xe9.jpg", b"line\nbreak.jpg", b"quote'\".JPG", "Zoë.png".encode(), b"a:b.jpg"]
    for name in names:
        (tmp_path / os.fsdecode(name)).write_bytes(b"x")
    seen = walked(os.fspath(tmp_path), READABLE, LeftOut())
    assert paths(seen) == {os.fsencode(tmp_path) + b"/" + name for name in names}


def test_what_is_no_picture_of_the_archive_is_counted(tmp_path: Path) -> None:
    """Links aren't followed, other workspaces and hidden files are left alone."""
    (tmp_path / "deep/er").mkdir(parents=True)
    (tmp_path / "deep/er/a.jpg").write_bytes(b"x")
    (tmp_path / "b.txt").write_bytes(b"x")
    (tmp_path / ".c.jpg").write_bytes(b"x")
    (tmp_path / "d.jpg").symlink_to("deep/er/a.jpg")
    (tmp_path / "loop").symlink_to(".")
    os.mkfifo(tmp_path / "e.jpg")
    other = tmp_path / "other"
    (other / "sorted/cat").mkdir(parents=True)
    (other / "config.toml").touch()
    (other / "sorted/cat/f.jpg").write_bytes(b"x")
    seen = LeftOut()
    found = list(walked(os.fspath(tmp_path), READABLE, seen))
    assert [Path(os.fsdecode(one.path)).name for one in found] == ["a.jpg"]
    assert found[0].size == 1
    assert found[0].mtime_ns == (tmp_path / "deep/er/a.jpg").stat().st_mtime_ns
    assert seen.skipped == {
        "links": 2,
        "hidden files": 1,
        "files that are no pictures by their names": 1,
        "pipes, sockets and devices": 1,
        "folders of imgsort workspaces": 1,
    }


def test_a_source_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(BackfillProblem, match=r"gone can't be read \(No such file"):
        list(walked(os.fspath(tmp_path / "gone"), READABLE, LeftOut()))


def written(path: Path, header: list[str], *rows: list[str]) -> Path:
    with path.open("w", newline="", errors="surrogateescape", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def test_a_csv_names_pictures(tmp_path: Path) -> None:
    """Absolute, from the list's own folder, or by address; its other columns don't matter."""
    odd = os.fsdecode(b"caf\xe9,\n.jpg")
    path = written(
        tmp_path / "list.csv",
        ["Path", "station", "size"],
        ["/archive/a.jpg", "north", "12"],
        [odd, "south", ""],
        ["s3://pics/c d.jpg", "", "3"],
    )
    assert list(listed(os.fspath(path), READABLE, LeftOut())) == [
        ArchiveEntry(b"/archive/a.jpg", 12),
        ArchiveEntry(os.fsencode(tmp_path) + b"/caf\xe9,\n.jpg"),
        ArchiveEntry(b"s3://pics/c d.jpg", 3),
    ]


def test_a_parquet_list_has_exact_bytes(tmp_path: Path) -> None:
    """A column of bytes holds what text can't."""
    import pyarrow.parquet as pq

    table = pa.table({"path": pa.array([b"/a/caf\xe9.jpg", b"/a/b.jpg"]), "size": [1, None]})
    pq.write_table(table, tmp_path / "list.parquet")
    found = list(listed(os.fspath(tmp_path / "list.parquet"), READABLE, LeftOut()))
    assert found == [ArchiveEntry(b"/a/caf\xe9.jpg", 1), ArchiveEntry(b"/a/b.jpg")]


INVENTORY = {
    "sourceBucket": "pics",
    "destinationBucket": "arn:aws:s3:::lists",
    "fileFormat": "CSV",
    "fileSchema": "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, ETag",
    "files": [{"key": "inventory/data/one.csv.gz"}],
}


def test_an_inventory_of_s3(tmp_path: Path) -> None:
    """Keys as they are, not as CSV has them; the newest version alone, and pictures alone."""
    rows = [
        ["pics", "sub+dir/Zo%C3%AB%2B1.jpg", "v2", "true", "false", "10", "abc"],
        ["pics", "sub+dir/Zo%C3%AB%2B1.jpg", "v1", "false", "false", "11", "old"],
        ["pics", "gone.jpg", "v3", "true", "true", "", ""],
        ["pics", "notes.txt", "v1", "true", "false", "5", "ddd"],
        ["pics", "folder.jpg/", "v1", "true", "false", "0", "eee"],
    ]
    with gzip.open(tmp_path / "one.csv.gz", "wt", newline="", encoding="utf-8") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows(rows)
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps(INVENTORY))
    seen = LeftOut()
    found = list(listed(os.fspath(manifest), READABLE, seen))
    assert found == [ArchiveEntry("s3://pics/sub dir/Zoë+1.jpg".encode(), 10, None, "abc")]
    assert seen.skipped == {"files that are no pictures by their names": 1}


def test_an_inventory_in_another_form_is_refused(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({**INVENTORY, "fileFormat": "ORC"}))
    with pytest.raises(BackfillProblem, match="lists in ORC; have S3 make"):
        list(listed(os.fspath(manifest), READABLE, LeftOut()))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.jpg", b"x", "ends in .csv, .csv.gz or .parquet"),
        ("a.csv", b"name,size\nb.jpg,1\n", "has no column `path`"),
        ("a.csv", b"path,size\nb.jpg,much\n", "can't be read"),
        ("a.parquet", b"PAR1 or not", "can't be read"),
        ("manifest.json", b"{}", "can't be read"),
    ],
)
def test_a_list_that_is_none_is_refused(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    """In a sentence, by its name."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BackfillProblem, match=said):
        list(listed(os.fspath(tmp_path / name), READABLE, LeftOut()))


def test_what_a_list_names_twice_is_judged_once(tmp_path: Path) -> None:
    """The first line stays; no other line goes, however many there are."""
    names = [b"%d.jpg" % (n % 70_000) for n in range(140_000)] + [b"new.jpg", b"7.jpg"]
    left_out = repeats(names, tmp_path)
    assert len(left_out) == 70_001
    assert list(once(names, left_out)) == [*names[:70_000], b"new.jpg"]
    assert list(tmp_path.iterdir()) == []


def test_a_list_without_repeats_stays_whole(tmp_path: Path) -> None:
    for names in ([], [b"a"], [b"a", b"b"]):
        assert list(once(names, repeats(names, tmp_path))) == names


def test_a_misused_list_is_a_slip_of_the_command() -> None:
    assert BackfillMisused("").exit_code == 2
