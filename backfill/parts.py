"""Parts: the judged pictures of a unit as a Parquet file. Its name is the commit.

Written under another name, synced and renamed: a kill leaves the whole part or none. Two writers of
one unit write the same rows, so whoever comes last changes nothing.
"""

import hashlib
import os
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from imgsort.disk.display import display
from imgsort.disk.durable import sync_file, sync_folder
from imgsort.disk.failpoints import failpoint
from imgsort.errors import BackfillProblem

_NAME = re.compile(r"part-(\d{6,})\.parquet")
_TORN = re.compile(r"\.part-(\d{6,})\.parquet\.[0-9a-f]+")
_JOB, _UNIT = b"imgsort.job", b"imgsort.unit"
Columns = Mapping[str, Sequence[Any]]


class BadPart(BackfillProblem):
    """A part is cut short, or another's; remove it and run the same command again."""


@cache
def schema(width: int) -> Any:
    """Of a part; ``width``: the length of an embedding, 0 for none."""
    import pyarrow as pa

    text, number = pa.string(), pa.int64()
    score = pa.struct([("label", text), ("class_id", number), ("confidence", pa.float64())])
    fields = [
        *(("path", text), ("path_bytes", pa.binary()), ("size", number), ("mtime_ns", number)),
        *(("etag", text), ("sha256", text), ("decision", text), ("reason", text)),
        *(("reason_code", text), ("label", text), ("class_id", number)),
        *(("confidence", pa.float64()), ("unlikeness", pa.float64()), ("top_k", pa.list_(score))),
        *(("model", pa.int32()), ("precision", text), ("captured_at", text), ("camera", text)),
        *(("width", pa.int32()), ("height", pa.int32()), ("format", text), ("dhash", text)),
    ]
    if width:
        fields.append(("embedding", pa.list_(pa.float16())))
    return pa.schema(fields)


def path_of(folder: Path, unit: int) -> Path:
    return folder / f"part-{unit:06d}.parquet"


def write(folder: Path, job: str, unit: int, columns: Columns, width: int) -> None:
    """Raises OSError, and leaves no file then."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    told = schema(width).with_metadata({_JOB: job, _UNIT: str(unit)})
    table = pa.Table.from_pydict(dict(columns), schema=told)
    target = path_of(folder, unit)
    torn = folder / f".{target.name}.{secrets.token_hex(6)}"
    try:
        pq.write_table(table, torn, compression="zstd")
        failpoint("unit-written")
        sync_file(torn)
        os.replace(torn, target)  # noqa: PTH105
    except BaseException:
        torn.unlink(missing_ok=True)
        raise
    sync_folder(folder)
    failpoint("unit-named")


def there(folder: Path) -> set[int]:
    """The units that have a part."""
    return {int(found[1]) for name in _names(folder) if (found := _NAME.fullmatch(name))}


def sweep(folder: Path, mine: "set[int] | None" = None) -> int:
    """Remove what killed writers left, of the units in ``mine``; None: of all. How many."""
    swept = 0
    for name in _names(folder):
        found = _TORN.fullmatch(name)
        if found and (mine is None or int(found[1]) in mine):
            (folder / name).unlink(missing_ok=True)
            swept += 1
    return swept


def _names(folder: Path) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            yield from (entry.name for entry in entries)
    except FileNotFoundError:
        return


def checked(folder: Path, job: str, unit: int, rows: int) -> Any:
    """The part's table, if it is this unit's and whole. Raises BadPart."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = path_of(folder, unit)
    try:
        table = pq.ParquetFile(path).read()
    except (OSError, pa.ArrowException) as problem:
        raise _bad(path, f"it can't be read: {problem}") from None
    told = table.schema.metadata or {}
    plain = schema(0)
    if told.get(_JOB) != job.encode() or told.get(_UNIT) != str(unit).encode():
        raise _bad(path, "it is another job's, or another unit's")
    if [*table.schema][: len(plain)] != [*plain]:
        raise _bad(path, "its columns are others")
    if table.num_rows != rows:
        raise _bad(path, f"it has {table.num_rows:,} rows instead of {rows:,}")
    return table


def _bad(path: Path, why: str) -> BadPart:
    return BadPart(
        f"{display(path)} is no part of this job ({' '.join(why.split()).rstrip('.')}); remove it "
        f"and run the same command again."
    )


def sha256(folder: Path, unit: int) -> str:
    """Of a part's bytes. Raises OSError."""
    with path_of(folder, unit).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
