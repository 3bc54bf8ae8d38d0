"""`report` on a metrics.json that isn't what `retrain` wrote."""

from pathlib import Path

import pytest

from imgsort.models.registry import Registry
from tests.desk import Desk


@pytest.mark.parametrize("text", [None, "{", "[]", "{}", '{"summary": 5}', "null"])
def test_a_damaged_report_is_one_sentence(tmp_path: Path, text: str | None) -> None:
    """Missing, half a file, or JSON of something else: the page beside it is named."""
    desk = Desk.at(tmp_path / "photos")
    folder = Registry(desk.workspace.models).report(1)
    folder.mkdir()
    (folder / "index.html").write_text("<p>It is better.")
    if text is not None:
        (folder / "metrics.json").write_text(text)
    said = desk.type("report")
    assert (said.code, said.out) == (1, "")
    assert "is missing or damaged; the page beside it may still open in a browser." in said.err
