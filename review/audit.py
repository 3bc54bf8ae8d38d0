"""Audits on the page: drawn as `imgsort audit` draws them, answered in any number of sittings."""

import secrets
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from imgsort.labels.accuracy import Answer, estimate
from imgsort.labels.audit import draw_audit
from imgsort.records.audit_draw import AuditDraw
from imgsort.records.labels import HumanLabel
from imgsort.records.rows import SheetRow
from imgsort.review.asked import not_there
from imgsort.review.call_refused import CallRefused
from imgsort.store import Store
from imgsort.store.tables import iso_utc

_MOST = 10_000
NONE_OF_THESE = ""
"""The truth of a picture that somebody says is of no class: no guess was right."""


def draw(store: Store, body: dict[str, Any]) -> AuditDraw:
    """``{n, seed?, unsure?}``. Raises NothingToDo, CallRefused."""
    number, seed, unsure = body.get("n", 50), body.get("seed"), body.get("unsure", False)
    if not isinstance(number, int) or not 1 <= number <= _MOST:
        raise CallRefused(f"An audit has 1 to {_MOST:,} pictures.")
    if not isinstance(unsure, bool) or not (seed is None or (isinstance(seed, int) and seed >= 0)):
        raise CallRefused("seed is a number, unsure true or false.")
    run_id = store.runs.begin("audit")
    try:
        chosen = secrets.randbits(32) if seed is None else seed
        drawn = draw_audit(store, run_id, number, chosen, unsure=unsure)
        store.runs.end(run_id, f"drew {len(drawn.drawn)} of {drawn.candidates} pictures")
    except Exception:
        store.runs.end(run_id, "nothing was drawn")
        raise
    return _found(store, run_id)


def _found(store: Store, run_id: int) -> AuditDraw:
    audit = store.audits.of(run_id)
    if audit is None:
        raise not_there("such audit")
    return audit


def standing_of(store: Store, run_id: int) -> tuple[AuditDraw, dict[str, Any]]:
    """How far an audit is, and what it says so far."""
    audit = _found(store, run_id)
    rows = store.lists.rows(audit.arrival_ids)
    words = store.labels.current({row.sha256 for row in rows})
    answers = list(_answers(rows, words))
    skipped = store.acts.skipped_in(run_id) & ({row.sha256 for row in rows} - {*words})
    return audit, {
        "run": audit.run_id,
        "seed": audit.seed,
        "candidates": audit.candidates,
        "drawn": len(audit.arrival_ids),
        "answered": len(answers),
        "skipped": len(skipped),
        "estimate": estimate(answers, len(skipped)).as_dict() if answers else None,
    }


def _answers(rows: Iterable[SheetRow], words: dict[str, HumanLabel]) -> Iterable[Answer]:
    for row in rows:
        word = words.get(row.sha256)
        if word is None or word.kind == "never_use":
            continue
        truth = word.class_name or NONE_OF_THESE
        filed = row.decision == "filed"
        yield Answer(row.sha256, truth, row.guess, filed, row.model)


def every(store: Store, most: int = 50) -> list[dict[str, Any]]:
    """The newest first."""
    audits = sorted(store.audits.all(), key=lambda one: -one.run_id)[:most]
    told = []
    for audit in audits:
        run = store.history.run(audit.run_id)
        if run is None:
            raise CallRefused("That audit has no run.", HTTPStatus.INTERNAL_SERVER_ERROR)
        _, standing = standing_of(store, audit.run_id)
        told.append({"at": iso_utc(run.started_at), **standing})
    return told
