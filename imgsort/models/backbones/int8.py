"""The int8 form of a backbone: its graph beside the float32 one, and what was measured of it.

``int8.json`` is the record; it names the graph's two files with their SHA-256 sums. Their names
carry the graph's own number, so that a new graph and its record take the old one's place in one
step, the renaming of the record.
"""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from imgsort.disk.durable import replace_file, sync_folder
from imgsort.errors import ModelProblem
from imgsort.models.agreement import Agreement
from imgsort.models.backbones.on_disk import InstalledBackbone
from imgsort.models.nearness import Margin

RECORD = "int8.json"
INT8 = "int8"
STAGING = ".quantizing"


def is_int8(precision: str) -> bool:
    """``int8-1a2b3c4d``: the digits are the graph's, for no two of them give equal embeddings."""
    return precision == INT8 or precision.startswith(f"{INT8}-")


@dataclass(frozen=True, slots=True)
class First:
    """int8 judges every picture; what is near to another folder is judged at ``exact`` again."""

    exact: str
    """The precision that has the last word: ``float32``, or ``bfloat16``."""
    thresholds: str
    """The digest of those it was measured under."""
    margin: Margin
    chosen_on: int
    """Pictures that the margin was chosen on; none of them was counted."""
    pictures: int
    same_decisions: int
    asked_again: int
    lower_bound: float
    """Wilson's, one-sided, 95 %, of the share of equal decisions."""
    promised: bool
    """It was good enough and fast enough to be used by itself."""

    @property
    def share_asked(self) -> float:
        """Of the pictures counted."""
        return self.asked_again / self.pictures if self.pictures else 0.0

    def speedup(self, alone: float) -> float:
        """Over the exact network, where int8 by itself is ``alone`` times as fast."""
        return 1 / (1 / alone + self.share_asked)

    @classmethod
    def parsed(cls, table: dict[str, Any]) -> Self:
        """Raises TypeError or KeyError where the table is none."""
        return cls(**{**table, "margin": Margin(**table["margin"])})


@dataclass(frozen=True, slots=True)
class Measured:
    """What one head makes of int8 embeddings, beside what it makes of float32 ones."""

    head: str
    """SHA-256 of the head's numbers."""
    model: int
    """The version it had then, for people."""
    speedup: float
    """Rate at int8 divided by the rate at float32, in one run."""
    lower_bound: float
    """Wilson's, 95 %, of the share of equal decisions."""
    agreement: Agreement
    alone: bool = True
    """int8 agreed well enough to decide by itself."""
    first: First | None = None
    """None where it was measured by a version that always let int8 decide by itself."""

    @classmethod
    def parsed(cls, table: dict[str, Any]) -> Self:
        """Raises TypeError or KeyError where the table is none."""
        first = table.get("first")
        parts = {
            "agreement": Agreement(**table["agreement"]),
            "first": None if first is None else First.parsed(first),
        }
        return cls(**{**table, **parts})


@dataclass(frozen=True, slots=True)
class Record:
    """int8.json."""

    backbone_id: str
    graph: str
    """The graph's own number; its files are ``int8-<graph>.xml`` and ``.bin``."""
    files: dict[str, str]
    calibrated_on: tuple[str, ...]
    """SHA-256 of each picture; none of them may be measured on."""
    vnni: bool
    """Made for CPUs with VNNI; on others its sums would overflow unnoticed."""
    measured: tuple[Measured, ...] = ()

    @property
    def precision(self) -> str:
        """Under what embeddings of this graph are stored, and heads trained on them."""
        return f"{INT8}-{self.graph}"

    def of(self, head: str) -> Measured | None:
        """What was measured of the head with this SHA-256."""
        return next((one for one in self.measured if one.head == head), None)

    def with_measured(self, new: Measured) -> Self:
        """An older measurement of the same head is replaced."""
        others = (one for one in self.measured if one.head != new.head)
        return replace(self, measured=(*others, new))

    def rendered(self) -> bytes:
        return (json.dumps(asdict(self), indent=2) + "\n").encode()

    @classmethod
    def parsed(cls, text: bytes) -> Self:
        """Raises ValueError, TypeError or KeyError where the text is no such record."""
        table: dict[str, Any] = json.loads(text)
        measured = tuple(Measured.parsed(one) for one in table.pop("measured"))
        calibrated_on = tuple(table.pop("calibrated_on"))
        record = cls(**table, calibrated_on=calibrated_on, measured=measured)
        if set(dict(record.files)) != set(_names(record.graph)):
            raise ValueError("files are not listed")
        return record


@dataclass(frozen=True, slots=True)
class Graph:
    """A graph, wherever it lies, and its record."""

    path: Path
    record: Record


def record_of(backbone: InstalledBackbone) -> Record | None:
    """The record, its graph not yet looked at; None where there is none. Raises ModelProblem."""
    path = backbone.path / RECORD
    try:
        record = Record.parsed(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        raise _damaged(path) from None
    if record.backbone_id != backbone.id:
        raise _damaged(path)
    return record


def required_record(backbone: InstalledBackbone) -> Record:
    """Raises ModelProblem where int8 has not been measured here."""
    record = record_of(backbone)
    if record is None:
        raise ModelProblem(
            f"There is no int8 form of {backbone.name} here yet; measure it on your own pictures "
            f'with `imgsort quantize`, or set model.precision to "auto" in config.toml.'
        )
    return record


def verified_graph(backbone: InstalledBackbone, record: Record) -> Path:
    """The graph, whose files are as recorded. Raises ModelProblem."""
    for name, recorded in record.files.items():
        try:
            found = sha256_of(backbone.path / name)
        except OSError:
            found = ""
        if found != recorded:
            raise _damaged(backbone.path / name)
    return backbone.path / _names(record.graph)[0]


def recorded_graph(
    backbone: InstalledBackbone, path: Path, calibrated_on: Sequence[str], *, vnni: bool
) -> Graph:
    """A new graph, ``model.xml`` with its ``model.bin`` beside it, and the record to keep it by."""
    sums = [sha256_of(path.with_suffix(end)) for end in (".xml", ".bin")]
    number = hashlib.sha256("".join(sums).encode()).hexdigest()[:8]
    files = dict(zip(_names(number), sums, strict=True))
    return Graph(path, Record(backbone.id, number, files, tuple(calibrated_on), vnni))


def keep_graph(backbone: InstalledBackbone, made: Graph, record: Record) -> None:
    """Move a new graph beside the float32 one, with its ``record``, which is ``made``'s or later.

    The graph that was there before is removed once the record names the new one.
    """
    names = _names(record.graph)
    for name in names:
        source = made.path.with_suffix(Path(name).suffix)
        with source.open("rb") as file:
            os.fsync(file.fileno())
        source.replace(backbone.path / name)
    sync_folder(backbone.path)
    keep_record(backbone, record)
    for old in backbone.path.glob(f"{INT8}-*"):
        if old.name not in names:
            old.unlink(missing_ok=True)


def keep_record(backbone: InstalledBackbone, record: Record) -> None:
    """Replace int8.json in one step."""
    replace_file(backbone.path / RECORD, record.rendered())


@contextmanager
def staging(backbone: InstalledBackbone) -> Iterator[Path]:
    """A folder for a new graph, removed at the end; only one process at a time has it.

    Raises ModelProblem where the backbone's folder can't be written.
    """
    folder = backbone.path / STAGING
    descriptor = os.open(backbone.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        shutil.rmtree(folder, ignore_errors=True)  # of a process that was killed
        _make(folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def _make(folder: Path) -> None:
    try:
        folder.mkdir()
    except PermissionError:
        raise ModelProblem(
            f"{folder.parent} can't be written by this user; run `imgsort quantize` as its owner."
        ) from None


def sha256_of(path: Path) -> str:
    """Of a file's bytes, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _names(graph: str) -> tuple[str, str]:
    return f"{INT8}-{graph}.xml", f"{INT8}-{graph}.bin"


def _damaged(path: Path) -> ModelProblem:
    return ModelProblem(
        f"{path} is damaged or missing; make the int8 form again with `imgsort quantize --again`, "
        f'or set model.precision to "auto" in config.toml.'
    )
