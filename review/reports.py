"""Models, and what their tests said."""

from typing import TYPE_CHECKING, Any

from imgsort.review.asked import Asked, not_there

if TYPE_CHECKING:
    from imgsort.review.host import Host


def models(host: "Host", asked: Asked) -> Any:
    """GET /api/models."""
    del host, asked
    raise not_there("such thing")


def activate(host: "Host", asked: Asked) -> Any:
    """POST /api/models/{version}/activate."""
    del host, asked
    raise not_there("such thing")


def roll_back(host: "Host", asked: Asked) -> Any:
    """POST /api/models/rollback."""
    del host, asked
    raise not_there("such thing")


def report(host: "Host", asked: Asked) -> Any:
    """GET /api/reports/{version}."""
    del host, asked
    raise not_there("such thing")


def cell(host: "Host", asked: Asked) -> Any:
    """GET /api/reports/{version}/cell?truth=&said=."""
    del host, asked
    raise not_there("such thing")
