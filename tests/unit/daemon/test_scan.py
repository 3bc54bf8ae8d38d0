"""Which names in the inbox are looked at, and what a walk leaves alone."""

import os
import socket
import unicodedata
from pathlib import Path

import pytest

from imgsort.daemon.inbox.file_kinds import FileKind, NameRules
from imgsort.daemon.inbox.scan import ORPHANS, Survey, Walk
from imgsort.daemon.inbox.scan_schedule import Rounds
from imgsort.images import READABLE_SUFFIXES

NAMES = NameRules(READABLE_SUFFIXES, sidecars=(".xmp", ".json"))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("cat.jpg", FileKind.PICTURE),
        ("CAT.JPEG", FileKind.PICTURE),
        ("a.b.c.webp", FileKind.PICTURE),
        ("cat", FileKind.NAMELESS),
        ("cat.jpg.part", FileKind.WRITING),
        ("cat.jpg.PARTIAL", FileKind.WRITING),
        ("cat.jpg.crdownload", FileKind.WRITING),
        ("cat.tmp", FileKind.WRITING),
        (".cat.jpg", FileKind.WRITING),
        (".cat.jpg.Xk3f9a", FileKind.WRITING),
        (".syncthing.cat.jpg.tmp", FileKind.WRITING),
        ("~syncthing~cat.jpg.tmp", FileKind.WRITING),
        ("~$cat.jpg", FileKind.WRITING),
        ("Thumbs.db", FileKind.LITTER),
        ("desktop.ini", FileKind.LITTER),
        (".DS_Store", FileKind.LITTER),
        ("._cat.jpg", FileKind.LITTER),
        ("cat.cr3", FileKind.UNSUPPORTED),
        ("cat.mp4", FileKind.UNSUPPORTED),
        ("cat.jpg.txt", FileKind.UNSUPPORTED),
        ("\udcff.jpg", FileKind.PICTURE),
    ],
)
def test_a_name_tells_what_becomes_of_its_file(name: str, kind: FileKind) -> None:
    """Written by somebody, litter, not ours to read, or a picture."""
    assert NAMES.kind(name) is kind


@pytest.mark.parametrize(
    ("pattern", "ignored"),
    [
        ("*_proof.*", True),
        ("trip/*", True),
        ("trip/a_proof.jpg", True),
        ("/trip/a_proof.jpg", True),
        ("./trip/a_proof.jpg", True),
        ("*/a_proof.jpg", True),
        ("/a_proof.jpg", False),
        ("trip/a_proof.jpg/", False),
        ("rip/*", False),
        ("other/*", False),
        ("*.png", False),
    ],
)
def test_the_users_patterns_are_ignored(pattern: str, ignored: bool) -> None:
    """A pattern with a slash matches the way from the inbox, another the bare name."""
    names = NameRules(READABLE_SUFFIXES, ignore=(pattern,))
    assert (names.kind("a_proof.jpg", "trip/") is FileKind.IGNORED) == ignored


@pytest.mark.parametrize(
    ("pattern", "entered"),
    [
        ("2024/private", False),
        ("2024/private/", False),
        ("/2024/private", False),
        ("private", False),
        ("private/", False),
        ("2024/*", False),
        ("private/2024", True),
        ("2023/private", True),
    ],
)
def test_the_users_patterns_name_folders_too(pattern: str, entered: bool) -> None:
    """A folder that is named by its way, or by its name alone, is not looked into."""
    names = NameRules(READABLE_SUFFIXES, ignore=(pattern,))
    assert names.enters("private", "2024/") == entered
    assert names.reaches("2024/private/a.jpg") == entered


def test_a_pattern_fits_a_name_that_macos_wrote() -> None:
    """Composed or decomposed: it is the same name to who wrote the pattern."""
    decomposed = unicodedata.normalize("NFD", "Käfer")
    assert not NameRules(READABLE_SUFFIXES, ignore=("Käfer",)).enters(decomposed)
    assert not NameRules(READABLE_SUFFIXES, ignore=(f"2024/{decomposed}",)).enters("Käfer", "2024/")


@pytest.mark.parametrize(
    ("way", "reached"),
    [
        ("cat.jpg", True),
        ("trip/day one/cat.jpg", True),
        ("@eaDir/cat.jpg", False),
        ("trip/__MACOSX/cat.jpg", False),
        (".stversions/cat.jpg", False),
    ],
)
def test_a_hint_from_a_folder_that_is_not_walked_counts_for_nothing(
    way: str, reached: bool
) -> None:
    """Events and walks agree about litter folders."""
    assert NAMES.reaches(way) == reached


def walked(inbox: Path, names: NameRules = NAMES) -> tuple[set[str], Survey]:
    survey = Survey()
    found = {path.removeprefix(f"{inbox}/") for path in Walk(inbox, names, survey)}
    return found, survey


def test_a_walk_finds_pictures_in_all_subfolders(tmp_path: Path) -> None:
    """However deep, and whatever bytes are in the names."""
    deep = tmp_path / "trip" / "day one"
    deep.mkdir(parents=True)
    odd = os.fsdecode(b"caf\xe9\n.png")
    for path in (tmp_path / "a.jpg", deep / "b.JPG", deep / odd):
        path.write_bytes(b"x")
    found, survey = walked(tmp_path)
    assert found == {"a.jpg", "trip/day one/b.JPG", f"trip/day one/{odd}"}
    assert survey.complete


def test_a_walk_counts_what_it_leaves_alone(tmp_path: Path) -> None:
    """Ignored ones by number, unsupported ones by name."""
    for name in (".hidden.jpg", "Thumbs.db", "a.jpg.part", "b.mp4", "c.cr3"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "@eaDir").mkdir()
    (tmp_path / "@eaDir" / "d.jpg").write_bytes(b"x")
    found, survey = walked(tmp_path)
    assert found == set()
    assert (survey.ignored, survey.writing) == (3, 1)
    assert sorted(survey.unsupported.examples) == ["b.mp4", "c.cr3"]


def test_only_the_first_few_names_are_kept(tmp_path: Path) -> None:
    """A folder of a thousand videos doesn't fill the status."""
    for number in range(50):
        (tmp_path / f"{number}.mp4").write_bytes(b"x")
    _, survey = walked(tmp_path)
    assert (survey.unsupported.count, len(survey.unsupported.examples)) == (50, 20)


def test_links_pipes_and_sockets_are_never_opened(tmp_path: Path) -> None:
    """Whatever they are called, they are listed and left; a folder's pictures are looked at."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.jpg").write_bytes(b"x")
    inbox = tmp_path / "inbox"
    (inbox / "folder.jpg").mkdir(parents=True)
    (inbox / "folder.jpg" / "in.jpg").write_bytes(b"x")
    (inbox / "link.jpg").symlink_to(outside / "secret.jpg")
    (inbox / "links").symlink_to(outside)
    os.mkfifo(inbox / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.fspath(inbox / "socket.jpg"))
    found, survey = walked(inbox)
    assert found == {"folder.jpg/in.jpg"}
    assert sorted(survey.special.examples) == [
        "folder.jpg",
        "link.jpg",
        "links",
        "pipe.jpg",
        "socket.jpg",
    ]


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (b"\xff\xd8\xff\xe0", {"nameless"}),
        (b"\x89PNG\r\n\x1a\n", {"nameless"}),
        (b"RIFF\0\0\0\0WEBPVP8 ", {"nameless"}),
        (b"\0\0\0\x1cftypavif", {"nameless"}),
        (b"#!/bin/sh\n", set()),
        (b"", set()),
    ],
)
def test_a_file_without_a_suffix_is_known_by_its_first_bytes(
    tmp_path: Path, start: bytes, expected: set[str]
) -> None:
    """Messengers and cameras drop pictures without one."""
    (tmp_path / "nameless").write_bytes(start)
    found, survey = walked(tmp_path)
    assert found == expected
    assert survey.unsupported.count == 1 - len(expected)


def test_a_sidecar_is_unsupported_only_without_its_picture(tmp_path: Path) -> None:
    """What travels with a picture is not complained about."""
    for name in ("a.JPG", "a.xmp", "a.JPG.json", "a.CR3", "b.xmp", "c.CR3", "d.png", "d.png.xmp"):
        (tmp_path / name).write_bytes(b"x")
    _, survey = walked(tmp_path)
    assert sorted(survey.unsupported.examples) == ["b.xmp", "c.CR3"]


def test_rounds_walk_no_farther_than_there_is_room(tmp_path: Path) -> None:
    """The inbox itself is the queue: the rest is walked when there is room again."""
    for number in range(10):
        (tmp_path / f"{number}.jpg").write_bytes(b"x")
    rounds = Rounds(tmp_path, NAMES, clock=lambda: 0.0)
    first = rounds.step(4, now=0.0, scan_seconds=30.0)
    assert (len(first), rounds.unfinished) == (4, True)
    rest = rounds.step(100, now=1.0, scan_seconds=30.0)
    assert len({*first, *rest}) == 10
    assert not rounds.unfinished


def test_rounds_begin_again_after_scan_seconds_or_when_asked(tmp_path: Path) -> None:
    """What no event told of is found by the next walk."""
    rounds = Rounds(tmp_path, NAMES, clock=lambda: 0.0)
    assert rounds.step(9, now=0.0, scan_seconds=30.0) == []
    (tmp_path / "late.jpg").write_bytes(b"x")
    assert rounds.step(9, now=29.0, scan_seconds=30.0) == []
    assert rounds.step(9, now=30.0, scan_seconds=30.0) == [f"{tmp_path}/late.jpg"]
    rounds.soon()
    assert rounds.step(9, now=1.0, scan_seconds=30.0) == [f"{tmp_path}/late.jpg"]


def test_a_workspace_inside_the_inbox_is_left_to_its_own_daemon(tmp_path: Path) -> None:
    """What it has filed, and what waits in it, is none of ours; it is named."""
    inner = tmp_path / "2024" / "inner"
    for folder in ("inbox", "sorted/cat", "state"):
        (inner / folder).mkdir(parents=True)
        (inner / folder / "a.jpg").write_bytes(b"x")
    (inner / "config.toml").touch()
    (tmp_path / "2024" / "ours.jpg").write_bytes(b"x")
    survey = Survey()

    assert list(Walk(tmp_path, NAMES, survey)) == [str(tmp_path / "2024" / "ours.jpg")]
    assert survey.workspaces.examples == ["2024/inner"]


def test_of_very_many_orphans_each_gets_its_turn() -> None:
    """Sidecars of no picture don't keep a late one from its picture for ever."""
    came_up = set[str]()
    for _ in range(40):
        survey = Survey()
        for number in range(2 * ORPHANS):
            survey.add_orphan(f"{number}.xmp")
        assert len({*survey.orphans}) == ORPHANS
        came_up.update(survey.orphans)
    assert len(came_up) == 2 * ORPHANS
