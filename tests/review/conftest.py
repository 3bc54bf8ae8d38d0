"""The page's server without a browser: the whole application, on real workspaces."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.review.visitor import Review, review_of


@pytest.fixture
def review(tmp_path: Path) -> Iterator[Review]:
    with review_of(tmp_path / "photos") as made:
        yield made
