"""One question of the page, and what is taken of it: nothing is a path, and nothing is trusted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from imgsort.review.call_refused import CallRefused

if TYPE_CHECKING:
    from imgsort.review.host import Host

Answerer = Callable[["Host", "Asked"], Any]
"""Runs in a thread of its own; what it gives is sent as JSON."""
_HASH_LENGTH = 64


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page sent."""

    place: Mapping[str, str] = field(default_factory=dict)
    """The variable parts of the URL, such as ``version``."""
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)

    def version(self) -> int:
        """The model's that the URL names."""
        return number("version", self.place.get("version", ""), 1, 10**9)

    def text(self, name: str, longest: int = 1000) -> str:
        """A text of the body."""
        value = self.body.get(name)
        if not isinstance(value, str) or len(value) > longest or "\0" in value:
            raise CallRefused(f"{name} must be a text of at most {longest:,} characters.")
        return value

    def yes(self, name: str) -> bool:
        """A yes or no of the body; no where it isn't there."""
        value = self.body.get(name, False)
        if not isinstance(value, bool):
            raise CallRefused(f"{name} must be true or false.")
        return value


def number(name: str, text: str, least: int, most: int) -> int:
    """A whole number as URLs have it. Raises CallRefused."""
    if not (text.isascii() and text.isdigit() and len(text) < 20):  # noqa: PLR2004
        raise CallRefused(f"{name} must be a number.")
    if not least <= int(text) <= most:
        raise CallRefused(f"{name} must be from {least:,} to {most:,}.")
    return int(text)


def sha256(text: str) -> str:
    """A SHA-256 in hexadecimal. Raises CallRefused."""
    if len(text) != _HASH_LENGTH or text.strip("0123456789abcdef"):
        raise CallRefused("A picture is named by its SHA-256.")
    return text


def not_there(what: str) -> CallRefused:
    return CallRefused(f"There is no {what} here.", HTTPStatus.NOT_FOUND)
