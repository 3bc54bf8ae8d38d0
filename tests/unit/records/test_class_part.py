"""Which folder below sorted/ is the class, by the template, the classes and the stations."""

from datetime import UTC, datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgsort.records.class_part import Reading
from imgsort.workspace.template import Template

CLASSES = {"cat", "dog", "barn", "lakeside"}
STATIONS = {"A", "north/7", "barn"}
"""One of them is called like a class."""
BY_FOLDER = "{folder1}/{label}/{name}"
BY_WAY = "{subfolder}/{label}/{name}"
BY_WAY_AND_YEAR = "{subfolder}/{label}/{year}/{name}"
CLASS_FIRST = "{label}/{name}"
"""In use again after another."""


def rendered(
    template: Template, label: str, subfolder: str, name: str = "IMG_1.jpg"
) -> tuple[str, ...]:
    """The folders from sorted/ to a picture."""
    path = template.render(
        label=label,
        name=name,
        arrived_at=datetime(2026, 11, 22, tzinfo=UTC),
        captured_at=None,
        camera=None,
        confidence=0.9,
        subfolder=subfolder,
    )
    return path.parts[:-1]


def class_in(template: str, way: str) -> str | None:
    folders = tuple(way.split("/"))
    part = Reading.of(Template.parse(template), CLASSES, STATIONS).class_part(folders)
    return None if part is None else folders[part]


@pytest.mark.parametrize(
    ("template", "way", "expected"),
    [
        (BY_FOLDER, "A/cat", "cat"),
        (BY_FOLDER, "A/cat/nice/ones", "cat"),
        (BY_FOLDER, "new station/cat", "cat"),
        (BY_FOLDER, "A/lynx", "lynx"),  # a new class
        (BY_FOLDER, "barn/cat", "cat"),
        (BY_FOLDER, "A/barn", "barn"),
        (BY_FOLDER, "unknown/cat", "cat"),
        (BY_WAY, "cat", "cat"),
        (BY_WAY, "north/7/cat", "cat"),
        (BY_WAY, "north/7/cat/nice/ones", "cat"),
        (BY_WAY, "north/7/lynx", "lynx"),
        (BY_WAY, "A/cat/7", "cat"),
        (BY_WAY, "barn/cat", "cat"),
        (BY_WAY_AND_YEAR, "north/7/cat/2026", "cat"),
        (BY_WAY_AND_YEAR, "cat/2026", "cat"),
        (CLASS_FIRST, "cat/2026/11", "cat"),
        (CLASS_FIRST, "lynx", "lynx"),
    ],
)
def test_the_template_says_where_the_class_is(template: str, way: str, expected: str) -> None:
    """Folders nested in a class belong to it, and a station may be called like a class."""
    assert class_in(template, way) == expected


@pytest.mark.parametrize(
    ("template", "way", "expected"),
    [
        (BY_FOLDER, "dog", "dog"),  # dropped there by hand
        (BY_FOLDER, "cat/2026/11", "cat"),
        (BY_FOLDER, "cat/A", "cat"),
        (BY_FOLDER, "cat/barn", "cat"),
        (BY_WAY, "cat/north/7", "cat"),
        (BY_WAY, "cat/barn", "cat"),
        (CLASS_FIRST, "A/cat", "cat"),
        (CLASS_FIRST, "north/7/cat", "cat"),
        (CLASS_FIRST, "barn/cat", "cat"),
    ],
)
def test_what_an_earlier_template_filed_keeps_its_class(
    template: str, way: str, expected: str
) -> None:
    """The names of classes and stations tell, whichever of them come first."""
    assert class_in(template, way) == expected


@pytest.mark.parametrize(
    ("template", "way"),
    [
        (BY_FOLDER, "A"),
        (BY_FOLDER, "barn"),
        (BY_FOLDER, "barn/lynx"),  # or barn/2026, of a barn
        (BY_FOLDER, "lynx"),
        (BY_FOLDER, "cat/dog"),
        (BY_FOLDER, "kitten/barn"),  # cat/barn, renamed
        (BY_FOLDER, "kitten/A"),
        (BY_FOLDER, "A/-no class"),
        (BY_FOLDER, "new/lynx/cat"),
        (BY_WAY, "north"),
        (BY_WAY, "north/7"),
        (BY_WAY, "barn"),  # loose in a station, or the class of one from right in the inbox
        (BY_WAY, "cat/dog"),
        (BY_WAY, "A/lynx/deep"),
        (CLASS_FIRST, "A"),
        (CLASS_FIRST, "A/lynx"),
        (CLASS_FIRST, "new station/cat"),
    ],
)
def test_in_doubt_no_folder_is_the_class(template: str, way: str) -> None:
    """Where two folders could be it, or none can, nothing is made up."""
    assert class_in(template, way) is None


EVERY = (
    *("{label}/{name}", "{label}/{folder1}/{name}", "{label}/{subfolder}/{name}"),
    *("{label}/{year}/{month}/{name}", BY_FOLDER, BY_WAY, BY_WAY_AND_YEAR),
    "{folder1}/{folder2}/{label}/{name}",
)


@pytest.mark.parametrize("now", EVERY)
@pytest.mark.parametrize("then", EVERY)
def test_no_change_of_the_template_makes_a_picture_another_class(then: str, now: str) -> None:
    """Filed by one and read by another it is what it was, or in doubt; also where stations are
    called like classes."""
    filed, read = Template.parse(then), Template.parse(now)
    if not filed.before and not read.before:
        return  # the first folder is the class, whatever it is called: nothing is read at all
    names = ("A", "7", "barn", "dog")
    ways = ["/".join(way) for count in range(3) for way in product(names, repeat=count)]
    for way, other, label in product(ways, ("", "A", "barn"), ("cat", "dog", "barn")):
        folders = rendered(filed, label, way)
        part = Reading.of(read, CLASSES, {way, other}).class_part(folders)
        assert part is None or folders[part] == label, folders


folder = st.one_of(
    st.sampled_from(["A", "north", "7", *sorted(CLASSES)]),
    st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=8),
)
a_template = st.sampled_from([
    BY_FOLDER, BY_WAY, BY_WAY_AND_YEAR,
    "{folder1}/{folder2}/{label}/{name}",
    "{folder2}/{label}/{camera}/{name}",
    "{folder1}/{label}/{subfolder}/{name}",
    "{subfolder}/{label}/{folder1}/{date}/{name}",
])  # fmt: skip


@given(
    template=a_template,
    label=st.sampled_from(sorted(CLASSES)),
    station=st.lists(folder, max_size=3).map("/".join),
    others=st.sets(st.lists(folder, max_size=3).map("/".join), max_size=3),
    name=folder,
)
def test_what_is_filed_is_read_as_what_it_was_filed_as(
    template: str, label: str, station: str, others: set[str], name: str
) -> None:
    """Whatever the stations are called: as that class, or in doubt none, never another. And without
    doubt where no station is called like a class."""
    parsed = Template.parse(template)
    reading = Reading.of(parsed, CLASSES, {station, *others})
    folders = rendered(parsed, label, station, name)
    part = reading.class_part(folders)
    read = None if part is None else folders[part]
    plain = not CLASSES & {one for way in (station, *others) for one in way.split("/")}
    assert read == label if plain else read in {label, None}
