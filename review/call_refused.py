"""Why a call is not answered as asked."""

from http import HTTPStatus
from typing import Any

from imgsort.errors import ImgsortError


class CallRefused(ImgsortError):
    """That can't be done; reload the page."""

    def __init__(
        self, sentence: str | None = None, status: int = HTTPStatus.BAD_REQUEST, **more: Any
    ) -> None:
        """``more``: what a program wants to know of it."""
        super().__init__(sentence)
        self.status, self.more = int(status), more
