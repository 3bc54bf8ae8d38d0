"""`imgsort retrain`, started from the page, and any other that runs."""

from typing import TYPE_CHECKING, Any

from imgsort.review.asked import Asked, not_there

if TYPE_CHECKING:
    from imgsort.review.host import Host


def start(host: "Host", asked: Asked) -> Any:
    """POST /api/retrain {augment}."""
    del host, asked
    raise not_there("such thing")


def stop(host: "Host", asked: Asked) -> Any:
    """DELETE /api/retrain."""
    del host, asked
    raise not_there("such thing")
