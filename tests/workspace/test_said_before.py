"""What a person said of a content holds for each of its files, those that come later too."""

from pathlib import Path

import pytest

from tests.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """The same bytes twice in sorted/cat; one of the two is moved to sorted/dog by hand."""
    desk = Desk.at(tmp_path / "photos")
    desk.file_all({"cat-1.jpg": "cat-1.jpg", "cat-2.jpg": "cat-1.jpg"})
    (desk.workspace.sorted / "dog").mkdir()
    (desk.workspace.sorted / "cat/cat-1.jpg").rename(desk.workspace.sorted / "dog/cat-1.jpg")
    return desk


def test_the_copy_of_a_corrected_picture_can_be_called_the_same(desk: Desk) -> None:
    """It goes there, and nothing is written down twice; then there is nothing to do."""
    said = desk.type("label", "sorted/cat/cat-2.jpg", "dog")
    assert (said.code, "1 file moved" in said.out) == (0, True)
    assert desk.tree() == ["sorted/dog/cat-1.jpg", "sorted/dog/cat-2.jpg"]
    assert desk.count_labels() == 1
    assert desk.type("label", "sorted/dog/cat-2.jpg", "dog").code == 4
    assert desk.type("undo", "--last").code == 0
    assert desk.tree() == ["sorted/cat/cat-2.jpg", "sorted/dog/cat-1.jpg"]
    assert desk.agrees()


def test_a_copy_that_stayed_is_told_with_the_way_out(desk: Desk) -> None:
    """Until it is brought after its picture, or removed."""
    told = desk.type("label", "sorted/dog/cat-1.jpg", "dog").err  # any command tells what it sees
    assert "1 copies" not in told
    assert "(sorted/cat/cat-2.jpg); `imgsort label sorted/cat/cat-2.jpg dog` brings it" in told
    desk.type("label", "sorted/cat/cat-2.jpg", "dog")
    assert "copy of a picture" not in desk.type("label", "sorted/dog/cat-1.jpg", "dog").err


def test_a_copy_is_told_only_of_what_it_is_called(desk: Desk) -> None:
    """Copies beside each other, and copies of what nobody has spoken of, are nobody's business."""
    desk.file_all({"dog-1.jpg": "dog-1.jpg", "dog-2.jpg": "dog-1.jpg"})
    (desk.workspace.sorted / "cat/cat-2.jpg").unlink()
    desk.type("confirm", "sorted/dog")
    assert "cop" not in desk.type("confirm", "sorted/dog").err


def test_a_new_copy_goes_where_the_person_said(desk: Desk) -> None:
    """The log keeps what the model says of it, and that it is wrong."""
    desk.type("label", "sorted/cat/cat-2.jpg", "dog")
    desk.file_all({"cat-3.jpg": "cat-1.jpg", "unsure-cat-4.jpg": "cat-1.jpg"})
    assert "sorted/dog/cat-3.jpg" in desk.tree()
    assert "sorted/dog/unsure-cat-4.jpg" in desk.tree()
    rows = desk.log("SELECT label, decision, human_label, is_correct FROM prediction_log")
    assert rows[2:] == [("cat", "filed", "dog", 0), ("cat", "unsure", "dog", 0)]
    assert (desk.count_labels(), desk.agrees()) == (1, True)


def test_a_new_copy_of_what_is_never_to_be_used_is_not_filed(desk: Desk) -> None:
    """It goes to rejected/ beside the other."""
    (desk.workspace.sorted / "dog/cat-1.jpg").rename(desk.workspace.rejected / "cat-1.jpg")
    desk.type("confirm", "sorted/cat")
    desk.file_all({"cat-3.jpg": "cat-1.jpg"})
    assert "rejected/cat-3.jpg" in desk.tree()


def test_a_word_that_was_taken_back_leads_nowhere(desk: Desk) -> None:
    """After the undo of a slip new copies go where the model says."""
    desk.file("dog-7.jpg")
    desk.type("label", "dog-7.jpg", "snake")
    desk.type("undo", "--last")
    desk.file_all({"dog-8.jpg": "dog-7.jpg"})
    assert "sorted/dog/dog-8.jpg" in desk.tree()
