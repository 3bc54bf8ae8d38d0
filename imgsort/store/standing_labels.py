"""Which words still stand: all but retractions and what a retraction took back.

A row of the kind ``retracted`` says nothing of the picture; it names the row that an undo took
back. Every reader of labels asks for those that stand, so what was said before holds again.
"""

from typing import Any

from sqlalchemy import ColumnElement, FromClause, ScalarSelect, Select, exists, func, select

from imgsort.store.tables import ARRIVALS, LABELS

RETRACTED = "retracted"


def stands(labels: FromClause = LABELS) -> ColumnElement[bool]:
    """The condition; ``labels`` is the table or an alias of it."""
    later = LABELS.alias("retraction")
    taken_back = exists().where(later.c.retracts == labels.c.id, later.c.kind == RETRACTED)
    return (labels.c.kind != RETRACTED) & ~taken_back


def newest_labels(*conditions: ColumnElement[bool]) -> Select[int]:
    """The ids of the newest word that stands on each image, of those that meet the conditions."""
    return select(func.max(LABELS.c.id)).where(*conditions, stands()).group_by(LABELS.c.image_id)


def newest_label_of_arrival(column: ColumnElement[Any]) -> ScalarSelect[Any]:
    """This column of the newest word that stands on the image of the arrival that is asked for."""
    return (
        select(column)
        .where(LABELS.c.image_id == ARRIVALS.c.image_id, stands())
        .order_by(LABELS.c.id.desc())
        .limit(1)
        .correlate(ARRIVALS)
        .scalar_subquery()
    )


def is_here() -> ColumnElement[bool]:
    """Is the label of a content that some arrival has, if only a missing one?

    The former bytes of an edited picture keep their word, should they come again, and count for
    nothing meanwhile.
    """
    return exists().where(ARRIVALS.c.image_id == LABELS.c.image_id)


def spoken_of() -> Select[int]:
    """The images of which somebody says what they are, or that they are not to be used."""
    holding = LABELS.alias("holding")
    return select(holding.c.image_id).where(
        holding.c.id.in_(newest_labels()), holding.c.kind != "withdrawn"
    )


def answered() -> Select[int]:
    """The images that somebody has looked at and said something of, if only that it is none of
    the classes."""
    word = LABELS.alias("answer")
    return select(word.c.image_id).where(stands(word))
