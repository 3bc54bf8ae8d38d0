"""What the page says of pictures: taken from its JSON, checked, and nothing else believed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from imgsort.errors import BadLabel
from imgsort.records.labels import LabelKind
from imgsort.review.asked import number, sha256
from imgsort.review.call_refused import CallRefused
from imgsort.workspace.class_names import checked_label

Saying = Literal["is", "right", "none", "never", "skip"]
NewClass = Literal["no", "yes", "even so"]

MOST_PICTURES = 2000
"""Of one act: it is one transaction, and others who file wait for it."""
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_KINDS: Mapping[Saying, LabelKind] = {
    "is": "label",
    "right": "label",
    "none": "withdrawn",
    "never": "never_use",
}


@dataclass(frozen=True, slots=True)
class SeenPicture:
    """A content as the page knew it."""

    sha256: str
    word: int | None
    """The id of the word that held then."""
    shown: str | None
    """The class that was shown under it."""


@dataclass(frozen=True, slots=True)
class ActAsked:
    """What somebody does with one key."""

    act: str
    saying: Saying
    class_name: str | None
    new_class: NewClass
    pictures: tuple[SeenPicture, ...]
    audit: int | None
    """The run of the audit whose pictures these are."""

    @property
    def said(self) -> str:
        """For people and the log."""
        return self.class_name or self.saying

    @property
    def kind(self) -> LabelKind | None:
        """None where nothing is said."""
        return _KINDS.get(self.saying)

    def class_of(self, picture: SeenPicture) -> str | None:
        return picture.shown if self.saying == "right" else self.class_name

    def class_names(self) -> set[str]:
        names = (self.class_of(picture) for picture in self.pictures)
        return {name for name in names if name is not None}

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> "ActAsked":
        """Raises CallRefused, BadLabel."""
        saying, class_name, new_class = _say(body.get("say"))
        pictures = body.get("pictures")
        if not isinstance(pictures, list) or not 0 < len(pictures) <= MOST_PICTURES:
            raise CallRefused(f"One act is about 1 to {MOST_PICTURES:,} pictures.")
        seen = {one.sha256: one for one in map(_picture, pictures)}
        if saying == "right" and any(one.shown is None for one in seen.values()):
            raise CallRefused("Nothing is shown under it that could be right; say what it is.")
        audit = body.get("audit")
        return cls(
            act_id(body.get("act")),
            saying,
            class_name,
            new_class,
            tuple(seen.values()),
            None if audit is None else _id("audit", audit),
        )


def act_id(text: object) -> str:
    """A UUID, by which the page names an act. Raises CallRefused."""
    if not isinstance(text, str) or not _UUID.fullmatch(text):
        raise CallRefused("An act is named by a UUID.")
    return text


def _say(say: object) -> tuple[Saying, str | None, NewClass]:
    match say:
        case "right" | "none" | "never" | "skip":
            return say, None, "no"
        case {"is": str(name), **more}:
            return "is", checked_label(name), _new_class(more.get("new_class"))
    raise CallRefused("say is a class, right, none, never or skip.")


def _new_class(value: object) -> NewClass:
    match value:
        case True:
            return "yes"
        case False | None:
            return "no"
        case "even so":
            return "even so"
    raise CallRefused('new_class is true, false or "even so".')


def _picture(one: object) -> SeenPicture:
    match one:
        case {"sha256": str(content), **more}:
            word, shown = more.get("word"), more.get("shown")
            if shown is not None and not isinstance(shown, str):
                raise BadLabel
            return SeenPicture(
                sha256(content),
                None if word is None else _id("word", word),
                None if shown is None else checked_label(shown),
            )
    raise CallRefused("A picture is named by its SHA-256.")


def _id(name: str, value: object) -> int:
    return number(name, str(value) if isinstance(value, int) else "", 0, 2**62)
