"""The page's server without a browser: the whole application, on real workspaces."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.desk import Desk
from tests.review.reviewer import Reviewer, reviewing
from tests.review.visitor import Review, review_of


@pytest.fixture
def review(tmp_path: Path) -> Iterator[Review]:
    with review_of(tmp_path / "photos") as made:
        yield made


@pytest.fixture
def person(desk: Desk) -> Iterator[Reviewer]:
    """Who reviews the desk of the module that asks."""
    with reviewing(desk) as reviewer:
        yield reviewer
