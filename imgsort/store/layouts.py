"""How pictures lie below sorted/, as far as the log tells: the stations' and the classes' names.

Every function takes an open connection: the caller owns the transaction.
"""

import os
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, exists, insert, select

from imgsort.records.class_part import Reading
from imgsort.records.files import Layout
from imgsort.store.tables import ARRIVALS, CLASSES, RUNS
from imgsort.store.topic import Topic, now, reading
from imgsort.workspace.template import Template
from imgsort.workspace.workspace import Workspace

if TYPE_CHECKING:
    from imgsort.store.store import Store

_KIND = "layout"
"""Of the run that says since when stations have come before classes here."""


def layout_of(workspace: Workspace, store: "Store") -> Layout:
    """The picture folders, and how to tell a picture's class by its place in them: the first folder
    below sorted/ wherever no template has ever put another one there."""
    layout = Layout.of(workspace)
    if not puts_stations_first(workspace, store):
        return layout
    template = Template.parse(workspace.config.filing.template)
    names, subfolders = store.layouts.names()
    return replace(layout, reading=Reading.of(template, names, subfolders))


def puts_stations_first(workspace: Workspace, store: "Store") -> bool:
    """Does this template, or did an earlier one?"""
    before = Template.parse(workspace.config.filing.template).before
    return bool(before) or store.layouts.had_stations_first()


def note_stations_first(workspace: Workspace, store: "Store") -> None:
    """Remember for good that a template puts stations before classes, before any picture moves."""
    template = workspace.config.filing.template
    if Template.parse(template).before and not store.layouts.had_stations_first():
        store.layouts.note_stations_first(template)


def names(connection: Connection) -> tuple[set[str], set[str]]:
    """Of all classes, the retired too; and every folder of the inbox that a picture came from."""
    ways = connection.scalars(select(ARRIVALS.c.subfolder_bytes).distinct())
    return set(connection.scalars(select(CLASSES.c.name))), {os.fsdecode(way) for way in ways}


def had_stations_first(connection: Connection) -> bool:
    return bool(connection.scalar(select(exists().where(RUNS.c.kind == _KIND))))


def _note(connection: Connection, template: str, now: datetime) -> None:
    summary = f"stations come before classes: {template}"
    values = {"kind": _KIND, "started_at": now, "ended_at": now, "summary": summary}
    connection.execute(insert(RUNS).values(values))


class LayoutTopic(Topic):
    """How pictures lie below sorted/."""

    names = reading(names)
    had_stations_first = reading(had_stations_first)

    def note_stations_first(self, template: str) -> None:
        with self.write() as connection:
            _note(connection, template, now())
