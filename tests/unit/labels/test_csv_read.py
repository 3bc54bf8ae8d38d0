"""Label files as spreadsheets, scripts and imgsort itself write them."""

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgsort.labels.csv_read import BadLabelFile, parse_labels, read_labels
from imgsort.labels.csv_write import ExportedLabel, write_labels
from imgsort.store.lookup import Name

HASH = "ab" * 32


def said(text: str | bytes) -> list[tuple[str, str, str | None]]:
    data = text.encode() if isinstance(text, str) else text
    lines = parse_labels(data, "labels.csv").lines
    return [(line.picture.kind, line.picture.text, line.class_name) for line in lines]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("path,label\na.jpg,cat\n", ("file", "a.jpg", "cat")),
        ("Label;File name\ncat;my pictures/a.jpg\n", ("file", "my pictures/a.jpg", "cat")),
        ("sha256\tclass\n" + HASH + "\tdog\n", ("sha256", HASH, "dog")),
        ("original name|category\na.jpg|dog\n", ("name", "a.jpg", "dog")),
        ("id,human_label,label,arrived_at\n7,dog,cat,\n", ("id", "7", "dog")),
        ("arrival_id,label\n7,dog\n", ("id", "7", "dog")),
        ("id,label\n7,dog\n", ("file", "7", "dog")),
        ("id,human_label\n7,dog\n", ("file", "7", "dog")),
        ("id,file_name,label\n7,a.jpg,dog\n", ("file", "a.jpg", "dog")),
        (",name,label,id\n0,a.jpg,dog,7\n", ("name", "a.jpg", "dog")),
        ("annotator,id,image,label\n1,7,/data/a.jpg,dog\n", ("file", "/data/a.jpg", "dog")),
        ("hash,image,label\nd41d8cd98f,a.jpg,dog\n", ("file", "a.jpg", "dog")),
        ("digest,label\nabcdef012345,dog\n", ("sha256", "abcdef012345", "dog")),
        ("a.jpg,cat\nb.jpg,dog\n", ("file", "a.jpg", "cat")),
        ("cat,a.jpg\ndog,b.jpg\n", ("file", "a.jpg", "cat")),
        (f"{HASH},cat\n", ("file", HASH, "cat")),
        ("17;cat\n", ("file", "17", "cat")),
        ('name,label\n"a, b\n.jpg",cat\n', ("name", "a, b\n.jpg", "cat")),
        ("name,label\n'=cmd|' /C calc'!A0.jpg,cat\n", ("name", "=cmd|' /C calc'!A0.jpg", "cat")),
        ("name,label\n''-a.jpg,'@cat\n", ("name", "'-a.jpg", "@cat")),
    ],
)
def test_columns_are_guessed(text: str, expected: tuple[str, str, str]) -> None:
    """Headings, their order, the separator and formula escapes are all made out."""
    assert said(text)[0] == expected


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(encoding: str) -> None:
    """What spreadsheets save is read: UTF-8 with and without its mark, UTF-16, Windows."""
    assert said("name,label\nköter.jpg,hündchen\n".encode(encoding)) == [
        ("name", "köter.jpg", "hündchen")
    ]


def test_the_guess_is_said() -> None:
    """A person sees what was taken for what."""
    read = parse_labels(b"File,Class\na.jpg,cat\n", "x")
    assert read.said() == "Read 'Class' as label, 'File' as path."
    assert parse_labels(b"a.jpg,cat\n", "x").said() == (
        "Read 'column 1' as path, 'column 2' as label."
    )


def test_rows_are_judged_one_by_one() -> None:
    """A bad row is told with its line, a row without a label is counted, the rest stands."""
    read = parse_labels(b"path,label\na.jpg,x/y\nb.jpg,\n,cat\n\nc.jpg,cat\n", "x")
    assert [(bad.line, bad.text) for bad in read.bad] == [(2, "a.jpg"), (4, "cat")]
    assert "it is a path" in read.bad[0].reason
    assert read.blank == 1
    assert [(line.line, line.picture) for line in read.lines] == [(6, Name("c.jpg", "file"))]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty; add a first line such as path,label"),
        (b"a,b,c\nd,e,f\n", "3 columns and no headings"),
        (b"cat\n", "1 column and no headings"),
        (b"x,y\ncat,dog\n", "which column is the picture"),
        (b"path,sha256\na,b\n", "no column for the class"),
        (b"label,kind\na,b\n", "no column that tells the picture"),
        (b"\x00\x01\x02", "is no text"),
        (b'path,label\n"' + b"x" * 200_000, "is no CSV"),
    ],
)
def test_files_without_sense(data: bytes, message: str) -> None:
    """One sentence says what is wrong and what to do."""
    with pytest.raises(BadLabelFile, match=message):
        parse_labels(data, "labels.csv")


def test_a_missing_file(tmp_path: Path) -> None:
    """The file is named."""
    with pytest.raises(BadLabelFile, match="can't be read"):
        read_labels(tmp_path / "none.csv")


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), min_size=1, max_size=30),
    st.booleans(),
)
def test_an_export_is_read_back(name: str, representative: bool) -> None:
    """Whatever a picture is called, an exported row comes back as it was."""
    moment = "2026-11-22T18:30:00.123Z"
    out = io.StringIO(newline="")
    label = ExportedLabel(HASH, "=cat", "label", "cli", representative, moment, name)
    gone = ExportedLabel("cd" * 32, "", "withdrawn", "move", False, moment, name)
    write_labels([label, gone], out)

    read = parse_labels(out.getvalue().encode(), "export.csv")

    assert read.bad == ()
    first, second = read.lines
    assert (first.picture, first.class_name) == (Name(HASH, "sha256"), "=cat")
    assert first.representative is representative
    assert first.labelled_at == datetime(2026, 11, 22, 18, 30, 0, 123000, UTC)
    assert (second.kind, second.class_name) == ("withdrawn", None)
