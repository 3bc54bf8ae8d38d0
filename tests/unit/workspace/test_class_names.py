"""The one gate for class names."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imgsort.errors import BadLabel
from imgsort.workspace.class_names import MAX_BYTES, checked_label

EVIL = st.sampled_from(
    [
        "/",
        "\\",
        "\0",
        "..",
        ".",
        "-",
        "~",
        "\u202e",
        "\u2066",
        "\u200d",
        "\u200c",
        "\n",
        "\x1b",
        " ",
    ]
)
NAMES = st.one_of(
    st.text(max_size=300),
    st.lists(st.one_of(EVIL, st.text(max_size=4)), max_size=8).map("".join),
)


BIDI_CONTROLS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def judged(name: str) -> str | BadLabel:
    try:
        return checked_label(name)
    except BadLabel as refusal:
        return refusal


@given(NAMES)
@example("../x")
@example("/etc")
@example("a/b")
@example("a\\b")
@example("cat\0")
@example("..")
@example("\u202egod")
@example("x" * 300)
@example("\ud800")
@example(" .hidden ")
def test_a_label_is_one_plain_folder_below_its_parent(name: str) -> None:
    """Whatever goes in: BadLabel, or a name that joins to exactly one component, and stays put."""
    label = judged(name)
    if isinstance(label, BadLabel):
        assert "can't be" in str(label)
        assert str(label).isprintable()
        return
    joined = Path("/sorted") / label
    assert joined.parent == Path("/sorted")
    assert joined.name == label
    assert label not in {"", ".", ".."}
    assert len(label.encode()) <= MAX_BYTES
    assert label == unicodedata.normalize("NFC", name.strip())
    assert checked_label(label) == label
    assert {"Cc", "Cs", "Zl", "Zp"}.isdisjoint(unicodedata.category(c) for c in label)
    assert BIDI_CONTROLS.isdisjoint(unicodedata.bidirectional(c) for c in label)


@given(NAMES)
def test_a_label_can_really_be_made(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    """mkdir takes every accepted name, and lists it unchanged."""
    label = judged(name)
    if isinstance(label, BadLabel):
        return
    parent = tmp_path_factory.mktemp("sorted")
    (parent / label).mkdir()
    assert [path.name for path in parent.iterdir()] == [label]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "can't be empty"),
        (" \t ", "can't be empty"),
        ("../x", "begins with '.'"),
        (".hidden", "begins with '.'"),
        ("-rf", "begins with '-'"),
        ("~root", "begins with '~'"),
        ("/etc", "a path, not one folder"),
        ("a/b", "a path, not one folder"),
        ("a\\b", "a path, not one folder"),
        ("cat\0", "a path, not one folder"),
        ("cat\ndog", "invisible characters"),
        ("cat\x1b[2J", "invisible characters"),
        ("cat\u202egnp", "invisible characters"),
        ("\u2067cat", "invisible characters"),
        ("cat\u200f", "invisible characters"),
        ("soft\u00adhyphen", "invisible characters"),
        ("c\u200bat", "invisible characters"),
        ("c\u200dat", "invisible characters"),
        ("cat\u200c", "invisible characters"),
        ("\u0645\u06cc\u200c\u200c\u062e\u0648", "invisible characters"),
        ("\u732b\u3000\u200d\u732b", "invisible characters"),
        ("\u200d", "invisible characters"),
        ("\u3164", "invisible characters"),
        ("\u2800", "invisible characters"),
        ("\u0301", "invisible characters"),
        ("\ud800", "invisible characters"),
        ("x" * 300, "longer than 120 bytes"),
        ("猫" * 41, "longer than 120 bytes"),
    ],
)
def test_a_refusal_says_why(name: str, why: str) -> None:
    """One sentence, on one line, whatever the name holds."""
    with pytest.raises(BadLabel) as refusal:
        checked_label(name)
    assert why in str(refusal.value)
    assert str(refusal.value).isprintable()
    assert len(str(refusal.value)) < 300


@pytest.mark.parametrize(
    "name",
    [
        "cat",
        "great_white_shark",
        "jack-o'-lantern",
        "St. Bernard",
        "Straße",
        "猫",
        "חתול",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "ক\u200dষ",
        "👨\u200d👩\u200d👧",
        "x" * MAX_BYTES,
    ],
)
def test_ordinary_names_of_any_language_pass_unchanged(name: str) -> None:
    """Joiners included where a script or an emoji needs them."""
    assert checked_label(name) == name


def test_names_that_look_the_same_are_the_same() -> None:
    """Decomposed é and composed é are one folder; blanks around a name don't count."""
    assert checked_label(" cafe\u0301\n") == "caf\u00e9"
