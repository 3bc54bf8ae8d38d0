"""What a run leaves in the inbox is named by kind."""

import pytest

from imgsort.daemon.inbox.left_over import kind_of, told
from imgsort.daemon.service.summary import RunSummary


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("MVI_1.MP4", "video"),
        ("a.avi", "video"),
        ("IMG_1.CR3", "raw"),
        ("stations.csv", "other"),
        ("notes", "other"),
    ],
)
def test_kinds_go_by_the_name(name: str, kind: str) -> None:
    """Films, a camera's raw pictures, and the rest."""
    assert kind_of(name) == kind


def test_the_last_line_names_what_is_left() -> None:
    """So that nobody looks for two films among the sorted pictures."""
    assert told({"other": 2, "video": 2, "raw": 1}) == "2 videos, 1 RAW, 2 others"
    summary = RunSummary(1, 0, 0, 0, left_for_kind={"video": 2, "raw": 1})
    assert str(summary).endswith("3 files are left in the inbox: 2 videos, 1 RAW.")
    assert "left in the inbox" not in str(RunSummary(1, 0, 0, 0))
