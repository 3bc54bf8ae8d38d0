"""Files whose bytes were changed in their place: their arrivals go on, and words follow pictures.

``arrivals.edited_from`` is the content that was there before, until somebody has looked whether the
new one shows the same picture. Every function takes an open connection: the caller owns the
transaction.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    bindparam,
    case,
    func,
    insert,
    or_,
    select,
    update,
)

from imgsort.records.journal import Decision
from imgsort.records.reasons import PUT_HERE, Reason, ReasonCode
from imgsort.records.same_picture import Edit, Looks
from imgsort.store.file_columns import identity_columns, identity_values
from imgsort.store.paths import Anchor
from imgsort.store.reasons import reason_columns
from imgsort.store.standing_labels import RETRACTED, stands
from imgsort.store.tables import ARRIVALS, IMAGES, LABELS, PREDICTIONS

UNREAD = "but it can't be read: "
"""In the sentence of an arrival whose file was adopted, or changed, and then opened in vain."""
_FILE = identity_columns(ARRIVALS)
_UNREAD = (
    ReasonCode.PUT_HERE_UNREADABLE,
    ReasonCode.FOUND_AGAIN_UNREADABLE,
    ReasonCode.CHANGED_UNREADABLE,
)


def change(
    connection: Connection, image_ids: dict[str, int], rows: Sequence[dict[str, Any]]
) -> None:
    """``rows``: arrival, sha256, identity and by_hand (the decision by the place), each of a file
    that has another content now. One that has its former content again is as it was."""
    if not rows:
        return
    before = func.coalesce(ARRIVALS.c.edited_from, ARRIVALS.c.image_id)
    image: BindParameter[int] = bindparam("image")
    nobody = ARRIVALS.c.model.is_(None)
    statement = (
        update(ARRIVALS)
        .where(ARRIVALS.c.id == bindparam("arrival"))
        .values(
            edited_from=case((before == image, None), else_=before),
            image_id=image,
            decision=case((nobody, bindparam("by_hand")), else_=ARRIVALS.c.decision),
            **{
                name: case(
                    (nobody, value),
                    (ARRIVALS.c.reason_code == ReasonCode.CHANGED_UNREADABLE, None),
                    else_=ARRIVALS.c[name],
                )
                for name, value in reason_columns(PUT_HERE).items()
            },
            missing_at=None,
            **{column.name: bindparam(f"new_{column.name}") for column in _FILE},
        )
    )
    values = [
        {
            "arrival": row["arrival"],
            "image": image_ids[row["sha256"]],
            "by_hand": row["by_hand"],
            **identity_values(row["identity"], "new_"),
        }
        for row in rows
    ]
    connection.execute(statement, values)


def edits(connection: Connection, anchor: Anchor, sha256: str) -> list[Edit]:
    """The arrivals that have this content now, and what they were before is to be compared."""
    former = IMAGES.alias("former")
    rows = connection.execute(
        select(
            *(ARRIVALS.c.id, ARRIVALS.c.path_bytes),
            *(former.c.dhash, former.c.captured_at, former.c.camera),
        )
        .join(IMAGES, IMAGES.c.id == ARRIVALS.c.image_id)
        .join(former, former.c.id == ARRIVALS.c.edited_from)
        .where(IMAGES.c.sha256 == sha256)
        .order_by(ARRIVALS.c.id)
    )
    return [
        Edit(
            row.id,
            anchor.absolute(row.path_bytes),
            Looks(None if row.dhash is None else int(row.dhash, 16), row.captured_at, row.camera),
        )
        for row in rows
    ]


def keep(connection: Connection, arrival_id: int) -> None:
    """It is the same picture: the word on it holds for the new bytes, unless people have spoken of
    those, and so do the side of the split and what the model said."""
    row = _edited(connection, arrival_id)
    if row is None:
        return
    _hand_on(connection, row.edited_from, row.image_id)
    side = select(IMAGES.c.split).where(IMAGES.c.id == row.edited_from).scalar_subquery()
    connection.execute(
        update(IMAGES)
        .where(IMAGES.c.id == row.image_id, IMAGES.c.split.is_(None))
        .values(split=side)
    )
    values: dict[str, Any] = {"edited_from": None}
    if row.model is not None:
        values |= _copy_prediction(connection, row)
    connection.execute(update(ARRIVALS).where(ARRIVALS.c.id == arrival_id).values(values))


def _hand_on(connection: Connection, former: int, image_id: int) -> None:
    """What was said of the former image; of one that people have spoken of, that it was drawn
    without regard to its class."""
    word, spoken = _word_on(connection, former), _word_on(connection, image_id)
    if word is None or (spoken and (spoken["representative"] or not word["representative"])):
        return
    said = word if spoken is None else {**spoken, "representative": True}
    connection.execute(insert(LABELS).values({**said, "image_id": image_id, "retracts": None}))


def part(connection: Connection, arrival_id: int, decision: Decision, now: datetime) -> None:
    """It is another picture: that which was there is missing, and this one put there by hand."""
    row = _edited(connection, arrival_id)
    if row is None:
        return
    arrival = ARRIVALS.c.id == arrival_id
    columns = [
        column
        for column in ARRIVALS.c
        if column.name not in {"id", "edited_from", "class_id", "confidence", "model"}
        and not column.name.startswith("src_")
    ]
    [there] = connection.execute(select(*columns).where(arrival)).mappings()
    new = dict(there) | {
        "decision": decision,
        **reason_columns(PUT_HERE),
        "arrived_at": now,
        "filed_at": now,
    }
    connection.execute(insert(ARRIVALS).values(new))
    size = select(IMAGES.c.size).where(IMAGES.c.id == row.edited_from).scalar_subquery()
    connection.execute(
        update(ARRIVALS)
        .where(arrival)
        .values(
            image_id=row.edited_from,
            edited_from=None,
            missing_at=now,
            **{"dev": 0, "ino": 0, "size": size, "mtime_ns": 0},
        )
    )


def _edited(connection: Connection, arrival_id: int) -> Any:
    return connection.execute(
        select(ARRIVALS.c.image_id, ARRIVALS.c.edited_from, ARRIVALS.c.model).where(
            ARRIVALS.c.id == arrival_id, ARRIVALS.c.edited_from.is_not(None)
        )
    ).one_or_none()


def _word_on(connection: Connection, image_id: int) -> dict[str, Any] | None:
    """The newest that stands, or that was taken back only for its picture couldn't be read."""
    later = LABELS.alias("later")
    unread = (
        select(later.c.id)
        .where(later.c.retracts == LABELS.c.id, later.c.kind == RETRACTED, later.c.run_id.is_(None))
        .exists()
    )
    columns = [column for column in LABELS.c if column.name not in {"id", "image_id", "retracts"}]
    row = (
        connection.execute(
            select(*columns)
            .join(IMAGES, IMAGES.c.id == LABELS.c.image_id)
            .where(
                LABELS.c.image_id == image_id,
                LABELS.c.kind != RETRACTED,
                or_(stands(), unread & IMAGES.c.width.is_(None)),
            )
            .order_by(LABELS.c.id.desc())
            .limit(1)
        )
        .mappings()
        .one_or_none()
    )
    return None if row is None else dict(row)


def note_unread(connection: Connection, sha256: str, reason: str, now: datetime) -> None:
    """A file put into a folder by hand, or changed there, is no picture, or none yet: its place
    says nothing of it. It isn't opened again until it changes."""
    image = select(IMAGES.c.id).where(IMAGES.c.sha256 == sha256).scalar_subquery()
    sentence = f"changed in its place, {UNREAD}{reason}"
    changed = Reason(ReasonCode.CHANGED_UNREADABLE, sentence)
    connection.execute(
        update(ARRIVALS)
        .where(
            ARRIVALS.c.image_id == image,
            ARRIVALS.c.edited_from.is_not(None),
            ARRIVALS.c.model.is_not(None),
        )
        .values(reason_columns(changed))
    )
    unsay_place(connection, image, now)


def unsay_place(connection: Connection, image: Any, now: datetime) -> None:
    """What the place of a file said of this image, an id or a query for one, is nobody's word."""
    rows = connection.execute(
        select(LABELS.c.id, LABELS.c.image_id).where(
            LABELS.c.image_id == image, LABELS.c.source == "move", stands()
        )
    ).all()
    values = {"kind": RETRACTED, "source": "move", "representative": False, "labelled_at": now}
    said = [values | {"image_id": row.image_id, "retracts": row.id} for row in rows]
    if said:
        connection.execute(insert(LABELS), said)


def is_uncompared() -> ColumnElement[bool]:
    """Of an arrival: was its file changed, and nobody has opened it since?"""
    code = ARRIVALS.c.reason_code
    unopened = code.is_(None) | code.not_in(_UNREAD)
    return ARRIVALS.c.edited_from.is_not(None) & unopened


def _copy_prediction(connection: Connection, row: Any) -> dict[str, str | None]:
    """What the model said of the picture before it was changed; the answer is its reason."""
    columns = [column for column in PREDICTIONS.c if column.name not in {"id", "image_id"}]
    said = (
        connection.execute(
            select(*columns).where(
                PREDICTIONS.c.image_id == row.edited_from, PREDICTIONS.c.model == row.model
            )
        )
        .mappings()
        .one_or_none()
    )
    if said is None:
        return reason_columns(None)
    known = select(PREDICTIONS.c.id).where(
        PREDICTIONS.c.image_id == row.image_id, PREDICTIONS.c.model == row.model
    )
    if connection.scalar(known) is None:
        connection.execute(insert(PREDICTIONS).values({**said, "image_id": row.image_id}))
    return {name: said[name] for name in ("reason", "reason_code")}
