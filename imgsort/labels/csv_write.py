"""The labels as CSV by content hash, for another workspace or another program."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from typing import TextIO

from imgsort.disk.display import display
from imgsort.records.log import harmless
from imgsort.store import Store
from imgsort.store.tables import iso_utc


@dataclass(frozen=True, slots=True)
class ExportedLabel:
    """One content and the word that holds for it, field by column."""

    sha256: str
    label: str
    """Empty unless ``kind`` is label."""
    kind: str
    source: str
    representative: bool
    labelled_at: str
    name: str
    """The original name of its newest file, for people; empty if there was none."""


EXPORT_COLUMNS = tuple(field.name for field in fields(ExportedLabel))


def exported(store: Store) -> Iterator[ExportedLabel]:
    """Every word that holds now, in the order of the hashes: two exports can be compared."""
    current = store.labels.current()
    names: dict[str, str] = {}
    for picture in store.pictures.with_contents(current):
        names.setdefault(picture.sha256, display(picture.name))
    for sha256, label in sorted(current.items()):
        yield ExportedLabel(
            sha256=sha256,
            label=label.class_name or "",
            kind=label.kind,
            source=label.source,
            representative=label.representative,
            labelled_at=iso_utc(label.labelled_at),
            name=names.get(sha256, ""),
        )


def write_labels(labels: Sequence[ExportedLabel], out: TextIO) -> None:
    """CSV (RFC 4180) that ``labels_csv`` reads back. Open ``out`` with newline=""."""
    writer = csv.writer(out)
    writer.writerow(EXPORT_COLUMNS)
    for label in labels:
        writer.writerow([_cell(value) for value in astuple(label)])


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return int(value)
    return harmless(value) if isinstance(value, str) else value
