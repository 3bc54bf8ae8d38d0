"""A person at the review page, without a browser: asks the desk as the page does."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from imgsort.review import calls
from imgsort.review.asked import Asked
from imgsort.review.desk import Desk as ReviewDesk
from tests.desk import Desk, content_hash


@dataclass
class Reviewer:
    """Knows the words that hold of the pictures it has seen, as the page does."""

    desk: Desk
    page: ReviewDesk
    told: list[dict[str, Any]] = field(default_factory=list)

    def ask(self, call: str, body: dict[str, Any] | None = None, **query: object) -> Any:
        """``POST /api/lists``, ``GET /api/lists/KEY``: as routed."""
        method, path = call.split(" ")
        for known_method, known, answer in calls.CALLS:
            place = _place(known, path)
            if method == known_method and place is not None:
                asked = Asked(
                    place, {key.strip("_"): str(one) for key, one in query.items()}, body or {}
                )
                return answer(self.page, asked)
        raise LookupError(call)

    def open(
        self, view: str, of: object = None, **more: object
    ) -> tuple[str, list[dict[str, Any]]]:
        """The list's key, and its first rows."""
        made = self.ask("POST /api/lists", {"view": view, "of": of, **more})
        return made["list"], self.ask(f"GET /api/lists/{made['list']}")["rows"]

    def names(self, view: str, of: object = None, **more: object) -> list[str]:
        return [row["name"] for row in self.open(view, of, **more)[1]]

    def row(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ask(f"GET /api/pictures/{content_hash(name)}")
        return found

    def say(
        self, say: object, *names: str, act: str | None = None, audit: int | None = None
    ) -> dict[str, Any]:
        """Say it of pictures as they are now."""
        return self.say_of(say, [self.row(name) for name in names], act=act, audit=audit)

    def say_of(
        self,
        say: object,
        rows: list[dict[str, Any]],
        *,
        act: str | None = None,
        audit: int | None = None,
    ) -> dict[str, Any]:
        """Say it of pictures as they were when these rows were read."""
        pictures = [
            {"sha256": row["sha256"], "word": row["word"], "shown": row["guess"]} for row in rows
        ]
        body = {"act": act or str(uuid4()), "say": say, "pictures": pictures, "audit": audit}
        answer: dict[str, Any] = self.ask("POST /api/acts", body)
        return answer

    def undo(self, said: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self.ask(f"POST /api/acts/{said['act']}/undo")
        return answer

    def redo(self, said: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self.ask(f"POST /api/acts/{said['act']}/redo")
        return answer

    def class_id(self, name: str) -> int:
        [found] = [
            one["id"] for one in self.ask("GET /api/classes")["classes"] if one["name"] == name
        ]
        number: int = found
        return number


def outcomes(answer: dict[str, Any]) -> list[str]:
    return [one["outcome"] for one in answer["pictures"]]


@contextmanager
def reviewing(desk: Desk) -> Iterator[Reviewer]:
    """The page's desk, opened as the server opens it."""
    page = ReviewDesk.open(desk.workspace)
    reviewer = Reviewer(desk, page)
    page.on_act = reviewer.told.append
    try:
        yield reviewer
    finally:
        page.close()


def _place(pattern: str, path: str) -> dict[str, str] | None:
    wanted, given = pattern.split("/"), path.split("/")
    place: dict[str, str] = {}
    if len(wanted) != len(given):
        return None
    for one, part in zip(wanted, given, strict=True):
        if one.startswith("{"):
            place[one.strip("{}")] = part
        elif one != part:
            return None
    return place
