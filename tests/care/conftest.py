"""A workspace with pictures that were filed, and no model that runs."""

from pathlib import Path

import pytest

from tests.desk import Desk

NAMES = ("cat-1.jpg", "cat-2.jpg", "dog-1.jpg", "unsure-dog-2.jpg", "broken-1.jpg")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk.at(tmp_path / "photos")
    made.file(*NAMES)
    return made
