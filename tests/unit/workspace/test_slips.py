"""A slip of the pen is told from a new class."""

import pytest

from imgsort.workspace.slips import edits, slip

KNOWN = ("cat", "dog", "elephant", "crocodile", "type 1", "A")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ct", "cat"),
        ("dgo", "dog"),
        ("dogz", "dog"),
        ("Dgo", "dog"),
        ("elephnt", "elephant"),
        ("elefant", "elephant"),
        ("crocodil", "crocodile"),
        ("typ 1", "type 1"),
    ],
)
def test_a_slip_is_suspected(typed: str, meant: str) -> None:
    """A letter more, fewer, another or swapped; two in a long name."""
    assert slip(typed, KNOWN) == meant


@pytest.mark.parametrize("typed", ["snake", "lynx", "horse", "type 2", "type 11", "B", "cow"])
def test_a_new_class_is_none(typed: str) -> None:
    """Neither another word, nor the next of a series, nor a single letter."""
    assert slip(typed, KNOWN) is None


@pytest.mark.parametrize(
    ("one", "other", "number"),
    [("", "", 0), ("", "ab", 2), ("ab", "ba", 1), ("kitten", "sitting", 3), ("ca", "abc", 3)],
)
def test_edits_are_counted(one: str, other: str, number: int) -> None:
    """Worked out by hand; the last is where optimal string alignment and Damerau's differ."""
    assert (edits(one, other), edits(other, one)) == (number, number)
