"""What the page may ask to see: which pictures of the log a view means, and in which order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from imgsort.labels.classes import folders_of
from imgsort.models.registry import Registry
from imgsort.records.class_changes import ClassStanding
from imgsort.records.log import parse_since
from imgsort.review.asked import not_there, number
from imgsort.review.call_refused import CallRefused
from imgsort.review.tested_models import judged_of, metrics_of
from imgsort.store import Store
from imgsort.store.layouts import layout_of
from imgsort.store.listing import Order, Wanted
from imgsort.workspace.workspace import Workspace

FOLDERS = ("unsure", "class", "rejected", "recent", "search")
"""Views that the log answers; the others have an order of their own."""
_LONGEST = 255


@dataclass(frozen=True, slots=True)
class Seems:
    """What a model that is asked now says of a picture."""

    label: str
    confidence: float


@dataclass(frozen=True, slots=True)
class View:
    """Which pictures, as far as a question to the log says it."""

    name: str
    of: Any
    wanted: Wanted
    order: Order
    whole: bool = False
    """It shows all that lies in a class."""


@dataclass(frozen=True, slots=True)
class Picked:
    """Contents in an order of their own, of a report."""

    sha256s: tuple[str, ...]
    seems: Mapping[str, Seems] = field(default_factory=dict)


def view_of(workspace: Workspace, store: Store, body: Mapping[str, Any]) -> View:
    """Of those in FOLDERS. Raises CallRefused."""
    name, of = str(body.get("view")), body.get("of")
    order = _order(body.get("order") or ("unsure_first" if name == "unsure" else "newest"))
    match name:
        case "unsure":
            wanted = Wanted(folders=(workspace.unsure,))
        case "rejected":
            wanted = Wanted(folders=(workspace.rejected,))
        case "recent":
            wanted = Wanted()
        case "class":
            wanted = Wanted(folders=_class_folders(workspace, store, of))
        case _:
            wanted = searched(of, datetime.now().astimezone())
    whole = name == "class" and not body.get("only")
    return View(name, of, _only(wanted, body.get("only")), order, whole)


def _order(name: object) -> Order:
    match name:
        case "unsure_first" | "sure_first" | "newest" | "oldest" | "name":
            return name
    raise CallRefused("order is unsure_first, sure_first, newest, oldest or name.")


def _class_folders(workspace: Workspace, store: Store, of: object) -> tuple[Path, ...]:
    name = store.classes.names().get(of if isinstance(of, int) else -1)
    if name is None:
        raise not_there("such class")
    return tuple(folders_of(workspace, layout_of(workspace, store), name))


def standings_of(workspace: Workspace, store: Store) -> list[ClassStanding]:
    """Every class with its pictures, in however many folders those lie."""
    layout = layout_of(workspace, store)
    standings = store.classes.standings(workspace.sorted)
    if layout.reading is None:
        return standings
    folders = {one.name: tuple(folders_of(workspace, layout, one.name)) for one in standings}
    counts = {name: store.lists.count(Wanted(folders=lying)) for name, lying in folders.items()}
    return [replace(one, pictures=counts[one.name]) for one in standings]


def _only(wanted: Wanted, only: object) -> Wanted:
    """Fewer of them: of one model, and such as somebody, or nobody, has spoken of."""
    match only:
        case None:
            return wanted
        case {**given} if not given.keys() - {"said", "model"}:
            said, model = given.get("said"), given.get("model")
            if said in {None, True, False} and (model is None or isinstance(model, int)):
                return replace(wanted, said=said, model=model)
    raise CallRefused("only is {said: true or false, model: a number}.")


def searched(of: object, now: datetime) -> Wanted:
    """{name, since, until, above, below, model, class}, each of them optional."""
    known = {"name", "since", "until", "above", "below", "model", "class"}
    if not isinstance(of, Mapping) or of.keys() - known:
        raise CallRefused(f"A search is made of {', '.join(sorted(known))}.")
    return Wanted(
        name=_text(of.get("name")),
        since=_moment(of.get("since"), now),
        until=_moment(of.get("until"), now),
        above=_share(of.get("above")),
        below=_share(of.get("below")),
        model=_id(of.get("model")),
        class_id=_id(of.get("class")),
    )


def _text(value: object) -> str | None:
    if value is None or (isinstance(value, str) and len(value) <= _LONGEST and "\0" not in value):
        return value or None
    raise CallRefused("A name is a text.")


def _moment(value: object, now: datetime) -> datetime | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise CallRefused("A time is a text such as 2026-11-22.")
    return parse_since(value, now)


def _share(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise CallRefused("A confidence is from 0 to 1.")
    return float(value)


def _id(value: object) -> int | None:
    return None if value is None else number("it", str(value), 0, 10**9)


def picked(workspace: Workspace, store: Store, body: Mapping[str, Any]) -> Picked:
    """Suspects or a cell of the matrix, without those that have been corrected since."""
    of = body.get("of")
    if body.get("view") == "suspects":
        version = of if isinstance(of, int) else newest_report(workspace)
        every = metrics_of(workspace, version).get("suspects", [])
    else:
        version, truth, said = _cell(of)
        judged = [one for one in judged_of(workspace, version) if one["said"] == said]
        every = sorted(
            (one for one in judged if one["truth"] == truth), key=lambda one: -one["confidence"]
        )
    stands = _as_they_were(workspace, store, version, every)
    return Picked(
        tuple(one["sha256"] for one in stands),
        {one["sha256"]: Seems(one["said"], one["confidence"]) for one in stands},
    )


def _as_they_were(
    workspace: Workspace, store: Store, version: int, every: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """Those that are called today what they were called in the report, whatever that class is
    called by now."""
    numbers = {one.name: one.id for one in Registry(workspace.models).card(version).classes}
    current = store.labels.current({one["sha256"] for one in every})
    return [
        one
        for one in every
        if (word := current.get(one["sha256"])) is not None
        and one["truth"] in {word.class_name, _name_of(numbers, word.class_id)}
    ]


def _name_of(numbers: Mapping[str, int], class_id: int | None) -> str | None:
    return next((name for name, number in numbers.items() if number == class_id), None)


def _cell(of: object) -> tuple[int, str, str]:
    match of:
        case [int(version), str(truth), str(said)]:
            return version, truth, said
    raise CallRefused("A cell is [version, truth, said].")


def newest_report(workspace: Workspace) -> int:
    """The newest version with a report. Raises CallRefused without one."""
    registry = Registry(workspace.models)
    for card in reversed(registry.versions()):
        if (registry.report(card.version) / "metrics.json").is_file():
            return card.version
    raise not_there("report yet: train a model first")
