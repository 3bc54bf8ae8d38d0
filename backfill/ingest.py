"""Parts into the log: each once, in one transaction, whoever else is at it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from imgsort.backfill import parts
from imgsort.backfill.job import Job
from imgsort.backfill.parts import BadPart
from imgsort.disk.failpoints import failpoint
from imgsort.images import ImageFacts
from imgsort.models.registry import Registry
from imgsort.records.archive_pictures import ArchivePart, ArchivePicture
from imgsort.records.reasons import Reason
from imgsort.records.verdict import Score, Verdict
from imgsort.store import Store

_JUDGED = frozenset({"filed", "unsure"})


@dataclass(slots=True)
class TakenIn:
    """What `ingest` did."""

    parts: int = 0
    pictures: int = 0
    known: int = 0
    """Parts that the log had already."""
    bad: list[str] = field(default_factory=list)
    """Parts that were left out: a sentence each."""


def ingest(job: Job, store: Store, tell: Callable[[int], None] = lambda _: None) -> TakenIn:
    """Every part that is there and not in the log yet; ``tell`` hears of pictures."""
    store.predictions.add_model(Registry(job.models).card(job.card.model.version))
    taken = TakenIn()
    known = store.archives.parts_of(job.card.id)
    source = job.card.source.encode("utf-8", "surrogateescape")
    for unit in sorted(parts.there(job.parts)):
        try:
            part = _part(job, unit, known.get(unit))
        except BadPart as problem:
            taken.bad.append(str(problem))
            continue
        failpoint("part-read")
        if part is not None and store.archives.put(job.name, source, part):
            failpoint("part-taken-in")
            taken.parts += 1
            taken.pictures += len(part.pictures)
        else:
            taken.known += 1
        tell(job.card.pictures_in(unit))
    return taken


def _part(job: Job, unit: int, known: str | None) -> ArchivePart | None:
    """None where the log has this very file. Raises BadPart."""
    sha256 = parts.sha256(job.parts, unit)
    if sha256 == known:
        return None
    table = parts.checked(job.parts, job.card.id, unit, job.card.pictures_in(unit))
    rows: list[dict[str, Any]] = table.to_pylist()
    classes = {score["label"]: score["class_id"] for row in rows for score in row["top_k"] or ()}
    classes |= {row["label"]: row["class_id"] for row in rows if row["label"]}
    at = parts.path_of(job.parts, unit).stat().st_mtime
    return ArchivePart(
        job=job.card.id,
        unit=unit,
        sha256=sha256,
        judged_at=datetime.fromtimestamp(at, UTC),
        model=job.card.model.version,
        classes=classes,
        pictures=[picture(row) for row in rows],
    )


def picture(row: dict[str, Any]) -> ArchivePicture:
    """A row of a part."""
    return ArchivePicture(
        path=row["path_bytes"],
        size=row["size"],
        mtime_ns=row["mtime_ns"],
        etag=row["etag"],
        sha256=row["sha256"],
        decision=row["decision"],
        reason=Reason.of(row["reason_code"], row["reason"]),
        facts=_facts(row),
        verdict=_verdict(row),
    )


def _facts(row: dict[str, Any]) -> ImageFacts | None:
    if row["width"] is None:
        return None
    return ImageFacts(
        width=row["width"],
        height=row["height"],
        format=row["format"],
        captured_at=row["captured_at"],
        camera=row["camera"],
        dhash=int(row["dhash"], 16),
    )


def _verdict(row: dict[str, Any]) -> Verdict | None:
    if row["decision"] not in _JUDGED:
        return None
    return Verdict(
        label=row["label"] or "",
        confidence=row["confidence"],
        decision=row["decision"],
        doubt=Reason.of(row["reason_code"], row["reason"]),
        top_k=tuple(Score(one["label"], one["confidence"]) for one in row["top_k"]),
        unlikeness=row["unlikeness"],
        precision=row["precision"],
    )
