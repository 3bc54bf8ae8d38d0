"""Manifests and parts on a real disk: whole or not there, and never mistaken for another's."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from imgsort.backfill import failures, manifest, parts
from imgsort.backfill.failures import UnitFailure
from imgsort.backfill.job import held
from imgsort.backfill.listing import ArchiveEntry
from imgsort.backfill.manifest import UNITS_A_FILE, Listed
from imgsort.backfill.parts import BadPart
from imgsort.backfill.units import Shard
from imgsort.errors import BackfillBusy, BackfillProblem

pytest.importorskip("pyarrow", reason="imgsort[backfill] is not installed")


def entries(number: int) -> Iterator[ArchiveEntry]:
    return (ArchiveEntry(b"/a/\xff%d.jpg" % n, n, n * 7, f"e{n}") for n in range(number))


def test_each_unit_of_a_manifest_is_read_alone(tmp_path: Path) -> None:
    """Across its files, with exact bytes, and the last unit with what is left."""
    pictures = 3 * UNITS_A_FILE + 1
    made = manifest.written(tmp_path / "manifest", entries(pictures), 3)
    assert made == Listed(pictures, sum(range(pictures)))
    assert len(list((tmp_path / "manifest").iterdir())) == 2
    units = [manifest.read(tmp_path / "manifest", unit) for unit in range(UNITS_A_FILE + 1)]
    assert [one for unit in units for one in unit] == list(entries(pictures))
    assert [len(unit) for unit in units[-2:]] == [3, 1]


def test_an_empty_archive_has_an_empty_manifest(tmp_path: Path) -> None:
    assert manifest.written(tmp_path / "manifest", [], 3).pictures == 0


def test_a_manifest_that_was_begun_is_none(tmp_path: Path) -> None:
    """What a killed run had listed is listed anew."""

    def killed() -> Iterator[ArchiveEntry]:
        yield from entries(10)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        manifest.written(tmp_path / "manifest", killed(), 3)
    assert not (tmp_path / "manifest").exists()
    assert manifest.written(tmp_path / "manifest", entries(4), 3).pictures == 4


def test_a_damaged_manifest_is_told(tmp_path: Path) -> None:
    manifest.written(tmp_path / "manifest", entries(10), 3)
    path = next((tmp_path / "manifest").iterdir())
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(BackfillProblem, match=r"list-000000.parquet can't be read"):
        manifest.read(tmp_path / "manifest", 0)


@pytest.mark.slow
def test_ten_million_rows_are_cut_into_units_in_two_minutes(tmp_path: Path) -> None:
    """Of one processor; and any of the units is read in a moment."""
    began = time.process_time()
    made = manifest.written(tmp_path / "manifest", entries(10_000_000), 4096)
    assert made.pictures == 10_000_000
    assert time.process_time() - began < 120
    began = time.process_time()
    assert len(manifest.read(tmp_path / "manifest", 2000)) == 4096
    assert time.process_time() - began < 1


def columns(rows: int) -> dict[str, list[Any]]:
    names = parts.schema(0).names
    return {name: [b"/x" if name == "path_bytes" else None] * rows for name in names}


def test_a_part_is_read_back_by_its_job_alone(tmp_path: Path) -> None:
    """Another job's, another unit's, another number of rows: not this part."""
    parts.write(tmp_path, "job-a", 3, columns(5), 0)
    assert parts.there(tmp_path) == {3}
    assert parts.checked(tmp_path, "job-a", 3, 5).num_rows == 5
    for job, unit, rows, said in (
        ("job-b", 3, 5, "another job's"),
        ("job-a", 3, 6, "5 rows instead of 6"),
        ("job-a", 4, 5, "can't be read"),
    ):
        with pytest.raises(BadPart, match=said):
            parts.checked(tmp_path, job, unit, rows)


def test_a_part_with_other_columns_is_refused(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts.write(tmp_path, "job-a", 0, columns(2), 0)
    path = parts.path_of(tmp_path, 0)
    told = pq.read_schema(path).metadata
    pq.write_table(pa.table({"path": ["a", "b"]}).replace_schema_metadata(told), path)
    with pytest.raises(BadPart, match="its columns are others"):
        parts.checked(tmp_path, "job-a", 0, 2)


@pytest.mark.parametrize("length", [0, 4, 100, -1])
def test_a_part_that_is_cut_short_is_refused(tmp_path: Path, length: int) -> None:
    parts.write(tmp_path, "job-a", 0, columns(50), 0)
    path = parts.path_of(tmp_path, 0)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(BadPart, match="can't be read"):
        parts.checked(tmp_path, "job-a", 0, 50)


def test_a_full_disk_leaves_no_torn_part(small_disk: Any) -> None:
    """Neither under its name nor under another; what was there before stays."""
    folder: Path = small_disk("1m")
    parts.write(folder, "job-a", 0, columns(10), 0)
    many = columns(40_000)
    many["reason"] = [os.urandom(64).hex() for _ in range(40_000)]
    with pytest.raises(OSError, match="No space"):
        parts.write(folder, "job-a", 1, many, 0)
    assert [path.name for path in folder.iterdir()] == ["part-000000.parquet"]


def test_what_killed_writers_left_is_swept(tmp_path: Path) -> None:
    """Of one's own units alone where others are at work."""
    for name in (".part-000001.parquet.0a", ".part-000002.parquet.0b", "part-000003.parquet"):
        (tmp_path / name).touch()
    assert parts.sweep(tmp_path, {1}) == 1
    assert parts.sweep(tmp_path) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["part-000003.parquet"]


def test_two_runs_of_a_job_keep_apart(tmp_path: Path) -> None:
    """Two shards may run side by side; the same shard, or the whole job beside one, may not."""
    with held(tmp_path, Shard(1, 2)), held(tmp_path, Shard(2, 2)):
        for shard in (Shard(1, 2), Shard()):
            with pytest.raises(BackfillBusy) as refusal, held(tmp_path, shard):
                pass
            assert refusal.value.exit_code == 73
    with held(tmp_path, Shard()), pytest.raises(BackfillBusy), held(tmp_path, Shard(1, 2)):
        pass


def test_a_failed_unit_is_remembered(tmp_path: Path) -> None:
    """Until it is forgotten; even what is damaged says which unit."""
    folder = tmp_path / "failed"
    failures.write(folder, UnitFailure(7, 3, "the disk is gone"))
    failures.write(folder, UnitFailure(8, 3, "the disk is gone"))
    (folder / "unit-000008.json").write_text("{")
    assert failures.there(folder)[7] == UnitFailure(7, 3, "the disk is gone")
    assert failures.there(folder)[8].tries == 0
    failures.forget(folder, 7)
    assert set(failures.there(folder)) == {8}
