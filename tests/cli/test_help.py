"""Help, however it is asked for."""

import shutil
import subprocess
import sys

import pytest

from imgsort import __version__
from imgsort.cli import registered
from imgsort.cli.groups import GROUPS
from tests.cli_runner import REPOSITORY, asked


@pytest.mark.parametrize(
    ("typed", "like"),
    [
        ("-h", "--help"),
        ("help", "--help"),
        ("help log", "log --help"),
        ("log -h", "log --help"),
        ("help models show", "models show --help"),
        ("models show -h", "models show --help"),
    ],
)
def test_help_is_asked_for_in_many_ways(typed: str, like: str) -> None:
    """All of them say the same, on stdout."""
    answer, expected = asked(*typed.split()), asked(*like.split())
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.split("\n", 1)[1].strip() == expected.out.split("\n", 1)[1].strip()


def test_help_of_nothing_is_a_usage_error() -> None:
    """It says how to see what there is."""
    code, said = asked("help", "models", "nosuch").said
    assert (code, "`imgsort help` lists those there are" in said) == (2, True)


@pytest.mark.parametrize("typed", ["--help", "models --help", "classes --help"])
def test_no_line_of_a_command_is_cut(typed: str) -> None:
    """Each stands there whole."""
    assert "..." not in asked(*typed.split()).out.split("\n", 1)[1].replace("[ARGS]...", "")


def test_every_command_has_its_group() -> None:
    """Once, with a line that fits 80 columns; no group names what there isn't."""
    listed = [name for group in GROUPS.values() for name in group]
    app = registered()
    commands = {one.name for one in app.registered_commands}
    commands |= {one.name for one in app.registered_groups}
    commands |= {
        one.callback.__name__
        for one in app.registered_commands
        if one.name is None and one.callback
    }
    assert sorted(listed) == sorted(name for name in commands if name)
    for group in GROUPS.values():
        width = 2 + max(map(len, group)) + 2
        assert [line for line in group.values() if width + len(line) > 78] == []


def test_it_is_a_module_too() -> None:
    """`python -m imgsort` is the program."""
    done = subprocess.run(
        [sys.executable, "-m", "imgsort", "--version"],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == f"imgsort {__version__}\n"


def test_the_manual_page_is_made_of_the_help() -> None:
    """Every command is in it; groff, where there is one, finds nothing wrong."""
    page = asked("help", "--man").out
    assert ".SS imgsort classes merge\n" in page
    assert ".B \\-\\-corrected\n" in page
    if (groff := shutil.which("groff")) is not None:
        done = subprocess.run(
            [groff, "-man", "-Tutf8", "-ww"],
            input=page, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stderr == ""
