"""The pictures of a job, listed once: Parquet files whose row groups are the units."""

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from imgsort.backfill.listing import ArchiveEntry
from imgsort.disk.display import display
from imgsort.disk.durable import sync_file, sync_folder
from imgsort.errors import BackfillProblem

UNITS_A_FILE = 256


@dataclass(frozen=True, slots=True)
class Listed:
    """How much a manifest holds."""

    pictures: int
    size: int
    """Bytes, as far as the list tells."""


@cache
def _schema() -> Any:
    import pyarrow as pa

    fields = (("path", pa.binary()), ("size", pa.int64()), ("mtime_ns", pa.int64()))
    return pa.schema([*fields, ("etag", pa.string())])


def written(folder: Path, entries: Iterable[ArchiveEntry], unit_images: int) -> Listed:
    """List ``entries`` in ``folder``, which comes to be when all of it is on the disk."""
    building = folder.with_name(f".{folder.name}.building")
    shutil.rmtree(building, ignore_errors=True)  # of a run that was killed at it
    building.mkdir()
    waiting = _units(entries, unit_images)
    pictures = size = number = 0
    while units := list(islice(waiting, 1)):
        path = building / _name(number)
        for unit in _file(path, units[0], waiting):
            pictures += len(unit)
            size += sum(one.size or 0 for one in unit)
        sync_file(path)
        number += 1
    sync_folder(building)
    shutil.rmtree(folder, ignore_errors=True)
    building.rename(folder)
    sync_folder(folder.parent)
    return Listed(pictures, size)


def _units(entries: Iterable[ArchiveEntry], unit_images: int) -> Iterator[list[ArchiveEntry]]:
    waiting = iter(entries)
    while unit := list(islice(waiting, unit_images)):
        yield unit


def _file(
    path: Path, first: list[ArchiveEntry], waiting: Iterator[list[ArchiveEntry]]
) -> Iterator[list[ArchiveEntry]]:
    """Write up to ``UNITS_A_FILE`` units; each is handed on once it is written."""
    import pyarrow.parquet as pq

    with pq.ParquetWriter(path, _schema(), compression="zstd") as writer:
        unit: list[ArchiveEntry] | None = first
        for number in range(UNITS_A_FILE):
            if unit is None:
                return
            writer.write_table(_table(unit), row_group_size=len(unit))
            yield unit
            unit = next(waiting, None) if number + 1 < UNITS_A_FILE else None


def _table(unit: list[ArchiveEntry]) -> Any:
    import pyarrow as pa

    columns = (
        [one.path for one in unit],
        [one.size for one in unit],
        [one.mtime_ns for one in unit],
        [one.etag for one in unit],
    )
    schema = _schema()
    arrays = [pa.array(one, field.type) for one, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def read(folder: Path, unit: int) -> list[ArchiveEntry]:
    """The pictures of one unit. Raises BackfillProblem where the list is damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / _name(unit // UNITS_A_FILE)
    try:
        with pq.ParquetFile(path) as file:
            columns = file.read_row_group(unit % UNITS_A_FILE).to_pydict()
    except (OSError, IndexError, pa.ArrowException) as problem:
        raise BackfillProblem(
            f"The list of pictures {display(path)} can't be read ({problem}); remove the job's "
            f"folder and begin anew."
        ) from None
    return [ArchiveEntry(*row) for row in zip(*columns.values(), strict=True)]


def _name(number: int) -> str:
    return f"list-{number:06d}.parquet"
