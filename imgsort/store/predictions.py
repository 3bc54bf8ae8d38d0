"""Classes, models, and what each model said of each image."""

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, insert, select, update

from imgsort.errors import ModelProblem
from imgsort.records.reasons import Reason
from imgsort.records.verdict import Score, Verdict
from imgsort.store.chunks import rows_in
from imgsort.store.images import image_ids
from imgsort.store.prepared import insert_rows
from imgsort.store.reasons import reason_columns
from imgsort.store.tables import CLASSES, IMAGES, MODELS, PREDICTIONS, iso_utc
from imgsort.store.topic import Topic, now, reading, writing

if TYPE_CHECKING:
    from imgsort.records.model_card import ModelCard


_IN_USE_LAST = select(CLASSES.c.id, CLASSES.c.name).order_by(
    CLASSES.c.retired_at.is_(None), CLASSES.c.retired_at
)


def ensure_classes(connection: Connection, names: Iterable[str], now: datetime) -> dict[str, int]:
    """The id of each class by name; classes that don't exist yet are made, in the order given.

    A retired class is the one of its name where none in use has it: it stays retired.
    """
    wanted = list(dict.fromkeys(names))
    rows = rows_in(connection, _IN_USE_LAST, CLASSES.c.name, wanted)
    known = {row.name: row.id for row in rows}
    fresh = [{"name": name, "created_at": now} for name in wanted if name not in known]
    if fresh:
        statement = insert(CLASSES).returning(
            CLASSES.c.id, CLASSES.c.name, sort_by_parameter_order=True
        )
        known.update({row.name: row.id for row in connection.execute(statement, fresh)})
    return {name: known[name] for name in wanted}


def ensure_model(connection: Connection, card: "ModelCard") -> None:
    created_at = datetime.fromisoformat(card.created_at)
    known = connection.execute(
        select(MODELS.c.backbone_id, MODELS.c.created_at).where(MODELS.c.version == card.version)
    ).one_or_none()
    if known is None:
        values = {
            "version": card.version,
            "kind": card.kind,
            "backbone": card.backbone,
            "backbone_id": card.backbone_id,
            "precision": card.precision,
            "parent": card.parent,
            "created_at": created_at,
        }
        connection.execute(insert(MODELS).values(values))
    elif known.backbone_id != card.backbone_id or iso_utc(known.created_at) != iso_utc(created_at):
        # Its predictions would be taken for this one's.
        raise ModelProblem(
            f"The log knows another model {card.version}, of {iso_utc(known.created_at)}; put that "
            f"one's folder back under state/models, or start with an empty log."
        )


def class_ids_of(
    connection: Connection, verdicts: Iterable[Verdict], now: datetime
) -> dict[str, int]:
    """The ids of every class these verdicts name. A verdict of no class at all has label ""."""
    labels = (label for verdict in verdicts for label in _labels(verdict) if label)
    return ensure_classes(connection, labels, now)


def _labels(verdict: Verdict) -> list[str]:
    return [verdict.label, *(score.label for score in verdict.top_k)]


_PREDICTED = select(PREDICTIONS.c.image_id, PREDICTIONS.c.model, PREDICTIONS.c.precision)


def ensure_predictions(
    connection: Connection,
    verdicts: Mapping[tuple[int, int], Verdict],
    classes: Mapping[str, int],
    now: datetime,
) -> None:
    """Write down each verdict by image and model, if there is none of them yet; again where it was
    found at another precision than that one."""
    images = {image_id for image_id, _ in verdicts}
    rows = rows_in(connection, _PREDICTED, PREDICTIONS.c.image_id, images)
    known = {(row.image_id, row.model): row.precision for row in rows}
    fresh = [
        (*key, now, *_values(verdict, classes))
        for key, verdict in verdicts.items()
        if key not in known
    ]
    insert_rows(connection, PREDICTIONS, ("image_id", "model", "predicted_at", *_VERDICT), fresh)
    for (image_id, model), before in known.items():
        verdict = verdicts.get((image_id, model))
        if verdict is not None and verdict.precision not in {None, before}:
            said = dict(zip(_VERDICT, _values(verdict, classes), strict=True))
            _replace(connection, image_id, model, {"predicted_at": now, **said})


def _replace(connection: Connection, image_id: int, model: int, values: dict[str, Any]) -> None:
    connection.execute(
        update(PREDICTIONS)
        .where(PREDICTIONS.c.image_id == image_id, PREDICTIONS.c.model == model)
        .values(values)
    )


def record_verdicts(
    connection: Connection, model: int, verdicts: Mapping[str, Verdict], now: datetime
) -> None:
    """What ``model`` says now of known images, by sha256; an earlier decision of its is renewed."""
    known = image_ids(connection, verdicts)
    classes = class_ids_of(connection, (verdicts[sha256] for sha256 in known), now)
    said = {(image_id, model): verdicts[sha256] for sha256, image_id in known.items()}
    ensure_predictions(connection, said, classes, now)
    renewed = [
        {"judged": image_id, "now": verdict.decision, **_why(verdict)}
        for (image_id, _), verdict in said.items()
    ]
    if renewed:
        connection.execute(
            update(PREDICTIONS)
            .where(PREDICTIONS.c.image_id == bindparam("judged"), PREDICTIONS.c.model == model)
            .values(
                decision=bindparam("now"), reason=bindparam("why"), reason_code=bindparam("code")
            ),
            renewed,
        )


def _why(verdict: Verdict) -> dict[str, str | None]:
    columns = reason_columns(verdict.doubt)
    return {"why": columns["reason"], "code": columns["reason_code"]}


_VERDICT = (
    *("class_id", "confidence", "decision", "reason", "reason_code"),
    *("top_k", "unlikeness", "precision"),
)


def _values(verdict: Verdict, classes: Mapping[str, int]) -> tuple[Any, ...]:
    return (
        *(classes.get(verdict.label), verdict.confidence, verdict.decision),
        *reason_columns(verdict.doubt).values(),
        *(_TOP_K.encode(_ranked(verdict, classes)), verdict.unlikeness, verdict.precision),
    )


_TOP_K = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def _ranked(verdict: Verdict, classes: Mapping[str, int]) -> list[dict[str, Any]]:
    return [
        {"label": one.label, "confidence": one.confidence, "class_id": classes[one.label]}
        for one in verdict.top_k
    ]


_SAID = (
    select(
        *(IMAGES.c.sha256, PREDICTIONS.c.class_id, PREDICTIONS.c.confidence),
        *(PREDICTIONS.c.decision, PREDICTIONS.c.reason, PREDICTIONS.c.reason_code),
        *(PREDICTIONS.c.top_k, PREDICTIONS.c.unlikeness, PREDICTIONS.c.precision),
    )
    .join(PREDICTIONS, PREDICTIONS.c.image_id == IMAGES.c.id)
    .where(PREDICTIONS.c.model == bindparam("asked_model"))
)


def predictions_for(
    connection: Connection, sha256s: Collection[str], model: int
) -> dict[str, Verdict]:
    """What this model has already said of these images, under the names the classes have now."""
    rows = list(rows_in(connection, _SAID, IMAGES.c.sha256, sha256s, asked_model=model))
    if not rows:
        return {}  # as for nearly every picture: there may be a thousand names
    names = {row.id: row.name for row in connection.execute(select(CLASSES.c.id, CLASSES.c.name))}
    return {
        row.sha256: Verdict(
            label=names.get(row.class_id, ""),
            confidence=row.confidence,
            decision=row.decision,
            doubt=Reason.of(row.reason_code, row.reason),
            top_k=_scores(row.top_k, names),
            unlikeness=row.unlikeness,
            precision=row.precision,
        )
        for row in rows
    }


def _scores(top_k: str, names: Mapping[int, str]) -> tuple[Score, ...]:
    return tuple(Score(names[one["class_id"]], one["confidence"]) for one in json.loads(top_k))


class PredictionTopic(Topic):
    """Models, and what each said of images."""

    add_model = writing(ensure_model)
    of = reading(predictions_for)

    def record(self, model: int, verdicts: Mapping[str, Verdict]) -> None:
        """What ``model`` says now of images that are known, by sha256."""
        with self.write() as connection:
            record_verdicts(connection, model, verdicts, now())
