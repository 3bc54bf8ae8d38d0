"""One unit: read, decode, embed, decide, write its part. The engine of all engines.

What decodes, embeds and decides is what the daemon has: its pool of processes that nobody trusts,
its runtime, the head and the thresholds of a model. A picture that kills its decoder costs itself.
"""

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from imgsort.backfill import manifest, parts
from imgsort.backfill.job import Job
from imgsort.backfill.listing import ArchiveEntry
from imgsort.backfill.pinned import class_ids, pinned_serving
from imgsort.backfill.reading import Reader, Sighting
from imgsort.disk.closing import Closing
from imgsort.disk.display import display
from imgsort.disk.failpoints import failpoint
from imgsort.errors import BackfillProblem
from imgsort.images.outcome import Picture, Refused
from imgsort.records.reasons import ReasonCode
from imgsort.records.verdict import Verdict
from imgsort.workspace.config import DecodeSettings

_AHEAD = 4
"""Batches that may be with the decoder while one is embedded."""
_SUSPECT = 16
"""So many pictures of which none can be read tell of a lost disk, not of lost pictures."""
AGAIN = frozenset({"changed", "unread"})
"""Decisions that `backfill retry` looks at once more."""
Row = dict[str, Any]
Tell = Callable[[int], None]


def _nobody(pictures: int) -> None:
    """Nobody counts."""


@dataclass(frozen=True, slots=True)
class UnitSummary:
    """What became of a unit; small, for it travels between machines."""

    unit: int
    pictures: int


class Judge(Closing):
    """Judges units of one job. ``workers``: decoder processes, None for what the job says."""

    def __init__(self, job: Job, workers: int | None = None) -> None:
        self.job = job
        self._serving = pinned_serving(job)
        self._class_ids = class_ids(self._serving)
        decode = DecodeSettings.model_validate({**job.card.decode})
        if workers is not None:
            decode = decode.model_copy(update={"workers": workers})
        ahead = _AHEAD * job.card.model.batch_size
        with ExitStack() as stack:
            size = self._serving.backbone.input_size
            self._reader = stack.enter_context(
                Reader(decode, size, ahead, (Path(job.card.source),))
            )
            # Between two heads' products BLAS threads wait by spinning.
            stack.enter_context(threadpool_limits(limits=1, user_api="blas"))
            self._stack = stack.pop_all()

    def close(self) -> None:
        self._stack.close()

    def unit(self, number: int, tell: Tell = _nobody) -> UnitSummary:
        """Judge all of a unit and write its part; ``tell`` hears how many more are through.

        Raises ImgsortError or OSError; no part is there then.
        """
        entries = manifest.read(self.job.manifest, number)
        expected = self.job.card.pictures_in(number)
        if len(entries) != expected:
            raise BackfillProblem(
                f"The list of job {self.job.name} is damaged (unit {number} has {len(entries):,} "
                f"pictures instead of {expected:,}); remove the job's folder and begin anew."
            )
        rows = self._judged(entries, tell)
        _require_some(rows, number)
        failpoint("unit-judged")
        self._write(number, rows)
        return UnitSummary(number, len(rows))

    def again(self, number: int, tell: Tell = _nobody) -> UnitSummary:
        """Judge those of a unit's pictures that were left, whatever they are now."""
        table = parts.checked(
            self.job.parts, self.job.card.id, number, self.job.card.pictures_in(number)
        )
        rows: list[Row] = table.to_pylist()
        left = [index for index, row in enumerate(rows) if row["decision"] in AGAIN]
        entries = [ArchiveEntry(rows[index]["path_bytes"]) for index in left]
        for index, row in zip(left, self._judged(entries, tell), strict=True):
            rows[index] = row
        self._write(number, rows)
        return UnitSummary(number, len(left))

    def _write(self, number: int, rows: Sequence[Row]) -> None:
        width = self._serving.backbone.width if self.job.card.embeddings else 0
        names = parts.schema(width).names
        columns = {name: [row.get(name) for row in rows] for name in names}
        parts.write(self.job.parts, self.job.card.id, number, columns, width)

    def _judged(self, entries: Sequence[ArchiveEntry], tell: Tell) -> list[Row]:
        rows: list[Row] = []
        batch: list[tuple[Row, Picture]] = []
        for sighting in self._reader.sightings(entries):
            row = _row(sighting)
            rows.append(row)
            if isinstance(sighting.outcome, Picture):
                batch.append((row, sighting.outcome))
            if len(batch) >= self.job.card.model.batch_size:
                self._decide(batch)
                batch = []
            tell(1)
        if batch:
            self._decide(batch)
        return rows

    def _decide(self, batch: Sequence[tuple[Row, Picture]]) -> None:
        """Complete the rows of one batch."""
        embeddings = self._serving.embed(np.stack([picture.pixels for _, picture in batch]))
        verdicts = self._serving.decide(embeddings)
        for (row, _), verdict, embedding in zip(batch, verdicts, embeddings, strict=True):
            row.update(self._said(verdict))
            if self.job.card.embeddings:
                row["embedding"] = _half(embedding)

    def _said(self, verdict: Verdict) -> Row:
        top_k = [
            {
                "label": one.label,
                "class_id": self._class_ids[one.label],
                "confidence": one.confidence,
            }
            for one in verdict.top_k
        ]
        return {
            "decision": verdict.decision,
            "reason": verdict.reason,
            "reason_code": None if verdict.doubt is None else str(verdict.doubt.code),
            "label": verdict.label or None,
            "class_id": self._class_ids.get(verdict.label),
            "confidence": verdict.confidence,
            "unlikeness": verdict.unlikeness,
            "top_k": top_k,
            "model": self.job.card.model.version,
            "precision": self.job.card.model.precision,
        }


def _half(embedding: NDArray[np.float32]) -> NDArray[np.float16]:
    return np.clip(embedding, -65504, 65504).astype(np.float16)


def _row(sighting: Sighting) -> Row:
    """All that is known without the model."""
    entry, outcome = sighting.entry, sighting.outcome
    row: Row = {
        "path": display(entry.path),
        "path_bytes": entry.path,
        "size": entry.size,
        "mtime_ns": entry.mtime_ns,
        "etag": entry.etag,
    }
    if isinstance(outcome, Picture):
        facts = outcome.facts
        return row | {
            "sha256": outcome.sha256,
            "captured_at": facts.captured_at,
            "camera": facts.camera,
            "width": facts.width,
            "height": facts.height,
            "format": facts.format,
            "dhash": f"{facts.dhash:016x}",
        }
    if isinstance(outcome, Refused):
        told = {"decision": "rejected", "reason": outcome.reason}
        code = str(ReasonCode.UNREADABLE)
        return row | told | {"sha256": outcome.sha256 or None, "reason_code": code}
    return row | {"decision": sighting.left, "reason": outcome.reason}


def _require_some(rows: Sequence[Row], unit: int) -> None:
    """Raise BackfillProblem where a whole unit tells that its disk is gone."""
    if len(rows) >= _SUSPECT and all(row.get("decision") == "unread" for row in rows):
        raise BackfillProblem(
            f"None of the {len(rows):,} pictures of unit {unit} can be read "
            f"({rows[0]['reason']}); see whether {_folder(rows[0]['path'])} is there and may be "
            f"read."
        )


def _folder(path: str) -> str:
    return os.path.dirname(path)  # noqa: PTH120 - an address has no Path
