"""Why a call is not answered as asked."""

from http import HTTPStatus
from typing import Any


class CallRefused(Exception):
    """What the page's own code hears; people seldom do, and never in a terminal."""

    def __init__(
        self,
        sentence: str = "That can't be done; reload the page.",
        status: int = HTTPStatus.BAD_REQUEST,
        **more: Any,
    ) -> None:
        """``more``: what a program wants to know of it."""
        super().__init__(sentence)
        self.status, self.more = int(status), more
