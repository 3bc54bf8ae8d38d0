"""A list that somebody has made already: CSV, Parquet, or the manifest.json of an S3 Inventory.

A list has a column ``path`` (or ``bucket`` and ``key``), and perhaps ``size`` and ``etag``. Paths
are absolute, addresses, or start from the folder of the list.
"""

import csv
import gzip
import io
import json
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote_plus

from imgsort.backfill.listing import ArchiveEntry, LeftOut, is_picture, unreadable
from imgsort.backfill.remote import etag_of, file_system, is_address
from imgsort.disk.display import display
from imgsort.errors import BackfillMisused, BackfillProblem

Row = Mapping[str, Any]
_KINDS = (".csv", ".csv.gz", ".parquet", "manifest.json")
_COLUMNS = frozenset(
    {"path", "pathbytes", "bucket", "key", "size", "etag", "islatest", "isdeletemarker"}
)
_NO, _YES = {"false", "0", "no"}, {"true", "1", "yes"}


def is_list(source: str) -> bool:
    """Is it a list, going by its name?"""
    return source.lower().endswith(_KINDS)


def listed(source: str, readable: Collection[str], seen: LeftOut) -> Iterator[ArchiveEntry]:
    """What a list names, in its order. Raises BackfillProblem where it can't be read."""
    if not is_list(source):
        raise BackfillMisused(
            f"{display(source)} is a file; a list of pictures ends in .csv, .csv.gz or .parquet, "
            f"or is the manifest.json of an S3 Inventory."
        )
    try:
        if source.lower().endswith("manifest.json"):
            yield from _inventory(source, readable, seen)
        else:
            base = "" if is_address(source) else os.fspath(Path(source).absolute().parent)
            for row in _rows(source):
                yield _entry(row, source, base)
    except BackfillProblem:
        raise
    except Exception as problem:  # noqa: BLE001 - CSV, Parquet and providers raise what they like
        raise unreadable(source, problem) from None


def _opened(source: str) -> IO[bytes]:
    if is_address(source):
        opened: IO[bytes] = file_system(source).open(source.partition("://")[2], "rb")
        return opened
    return Path(source).open("rb")  # whoever iterates closes it


def _rows(source: str) -> Iterator[Row]:
    """Each row by the plain names of its columns."""
    with _opened(source) as file:
        if source.lower().endswith(".parquet"):
            yield from _parquet(file)
            return
        reader = csv.reader(_text(file, source))
        columns = [_plain(name) for name in next(reader, [])]
        for values in reader:
            if values:
                yield dict(zip(columns, values, strict=False))


def _parquet(file: IO[bytes]) -> Iterator[Row]:
    import pyarrow.parquet as pq

    whole = pq.ParquetFile(file)
    wanted = [name for name in whole.schema_arrow.names if _plain(name) in _COLUMNS]
    for batch in whole.iter_batches(batch_size=8192, columns=wanted):
        columns = [_plain(column) for column in batch.schema.names]
        values = [batch.column(index).to_pylist() for index in range(batch.num_columns)]
        for row in zip(*values, strict=True):
            yield dict(zip(columns, row, strict=True))


def _text(file: IO[bytes], name: str) -> IO[str]:
    plain = gzip.GzipFile(fileobj=file) if name.lower().endswith(".gz") else file
    # Bytes that are no UTF-8 come out of os.fsencode as they went in.
    return io.TextIOWrapper(plain, "utf-8-sig", errors="surrogateescape", newline="")


def _entry(row: Row, source: str, base: str) -> ArchiveEntry:
    if row.get("bucket") and row.get("key"):
        path = os.fsencode(f"s3://{row['bucket']}/{row['key']}")
    else:
        named = row.get("pathbytes") or row.get("path")
        if not named:
            raise BackfillMisused(
                f"{display(source)} has no column `path` (or `bucket` and `key`); give its columns "
                f"names in the first line."
            )
        path = named if isinstance(named, bytes) else os.fsencode(str(named))
        if not is_address(os.fsdecode(path)):
            path = os.path.normpath(os.path.join(os.fsencode(base), path))  # noqa: PTH118 - bytes
    size = row.get("size")
    return ArchiveEntry(path, None if size in {None, ""} else int(str(size)), None, etag_of(row))


def _plain(column: str) -> str:
    """CSV has IsLatest, Parquet is_latest."""
    return column.strip().lower().replace("_", "")


@dataclass(frozen=True, slots=True)
class _Inventory:
    """The manifest.json of an S3 Inventory."""

    bucket: str
    columns: list[str]
    kind: str
    files: list[str]


def _inventory(source: str, readable: Collection[str], seen: LeftOut) -> Iterator[ArchiveEntry]:
    with _opened(source) as file:
        told = _inventory_of(json.load(file), source)
    for name in told.files:
        for row in _inventory_rows(told, name):
            if _superseded(row) or str(row["key"]).endswith("/"):
                continue
            if not is_picture(str(row["key"]), readable):
                seen.skipped["files that are no pictures by their names"] += 1
                continue
            yield _entry({"bucket": told.bucket, **row}, source, "")


def _inventory_of(table: dict[str, Any], source: str) -> _Inventory:
    """Raises BackfillProblem, or KeyError for what is no inventory."""
    kind = str(table["fileFormat"]).upper()
    if kind not in {"CSV", "PARQUET"}:
        raise BackfillProblem(
            f"{display(source)} lists in {display(kind)}; have S3 make the inventory in Parquet or "
            f"CSV."
        )
    columns = [_plain(name) for name in str(table["fileSchema"]).split(",")]
    files = [_beside(source, one["key"], table) for one in table["files"]]
    return _Inventory(str(table["sourceBucket"]), columns, kind, files)


def _beside(source: str, key: str, table: dict[str, Any]) -> str:
    """Where a file of the inventory lies: in its bucket, or fetched to beside the manifest."""
    if is_address(source):
        return f"s3://{str(table['destinationBucket']).removeprefix('arn:aws:s3:::')}/{key}"
    return os.fspath(Path(source).parent / key.rpartition("/")[2])


def _inventory_rows(told: _Inventory, name: str) -> Iterator[Row]:
    with _opened(name) as file:
        if told.kind == "PARQUET":
            yield from _parquet(file)
            return
        for values in csv.reader(_text(file, name)):
            row = dict(zip(told.columns, values, strict=False))
            yield {**row, "key": unquote_plus(row["key"], errors="surrogateescape")}


def _superseded(row: Row) -> bool:
    """An older version of an object, or the mark that it was deleted."""
    latest, deleted = row.get("islatest"), row.get("isdeletemarker")
    return str(latest).lower() in _NO or str(deleted).lower() in _YES
