"""What every command shares: help, exit codes, Ctrl-C, and a bug that is reported."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from imgsort import __version__
from imgsort.store import Store
from tests.cli_runner import asked, command, environment, imgsort, tree


@contextmanager
def at_a_terminal(*arguments: str | Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The command with a terminal on stdin and stderr; the other end of it comes along."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command(*arguments),
        env=environment(IMGSORT_TEST_LOADED=os.devnull, TERM="xterm", COLUMNS="80"),
        stdin=theirs,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield process, ours
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def shown(terminal: int, until: bytes | None = None) -> bytes:
    """What appears on the terminal, up to some text or to the end."""
    seen = b""
    while until is None or until not in seen:
        assert select.select([terminal], [], [], 60)[0], f"nothing for a minute after {seen!r}"
        try:
            more = os.read(terminal, 4096)
        except OSError:  # EIO: nobody is at the other end any more
            break
        if not more:
            break
        seen += more
    return seen


@pytest.mark.parametrize("options", ["--help", "--version", "init --help", "run --help"])
def test_help_comes_at_once(options: str) -> None:
    """Exit code 0, on stdout, and nothing heavy is loaded."""
    answer = imgsort(*options.split())
    assert (answer.code, answer.err, answer.loaded) == (0, "", frozenset())
    assert answer.out.startswith(f"imgsort {__version__}" if "version" in options else "Usage: ")


@pytest.mark.parametrize(
    "typed", ["nosuch", "log --nosuch", "log --below 2", "classify", "models x"]
)
def test_what_isnt_known_is_a_usage_error(typed: str) -> None:
    """Exit code 2, on stderr."""
    answer = asked(*typed.split())
    assert (answer.code, answer.out) == (2, "")
    assert "--help" in answer.err


def test_a_bug_is_kept_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    """Exit code 3, one sentence, and a file to send with what is needed to find it."""

    def broken(*_: object, **__: object) -> Store:
        raise LookupError("café \udcff")

    monkeypatch.setattr(tempfile, "tempdir", os.fspath(tmp_path))
    monkeypatch.setattr(Store, "open", broken)
    answer = asked("-C", home, "log")
    (kept,) = tmp_path.glob("imgsort-*.log")
    assert answer.said == (3, f"imgsort has a bug (LookupError); please send the file {kept}.")
    assert r"LookupError: café \udcff" in kept.read_text()
    monkeypatch.setattr(tempfile, "tempdir", os.fspath(tmp_path / "missing"))
    answer = asked("-C", home, "log")
    assert answer.said == (3, "imgsort has a bug (LookupError); please send the lines above.")
    assert "Traceback" in answer.err


def test_an_ambiguous_name_is_asked_about_at_a_terminal(tmp_path: Path) -> None:
    """The meanings are numbered; Ctrl-C at the question ends with 130 and leaves nothing."""
    with at_a_terminal("-C", tmp_path / "photos", "init", "--classes", "crane") as (
        process,
        screen,
    ):
        question = shown(screen, until=b"Which one? Number:").decode()
        assert "crane means several things:" in question
        assert "  1  crane: a kind of lifting device" in question
        assert "  2  crane: a kind of wading bird" in question
        time.sleep(1.0)  # a person isn't as quick: before the read begins, a signal doesn't end it
        process.send_signal(signal.SIGINT)
        assert shown(screen).decode().split() == ["Interrupted."]
        assert process.wait(timeout=60) == 130
    assert tree(tmp_path) == set()


def test_a_table_cuts_nothing_at_a_terminal() -> None:
    """A path that is wider than the screen goes on in the next line."""
    path = "/data/photos/unsure/" + "".join(f"{number:04}" for number in range(20)) + ".jpg"
    code = "import sys; from imgsort.cli.output import print_table as p; p(('id', 'picture'), [(7, "
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", f"{code}sys.argv[1])])", path],
        env=environment(TERM="xterm", COLUMNS="40"),
        stdout=theirs,
    )
    os.close(theirs)
    screen = re.sub(rb"\x1b\[[0-9;]*m", b"", shown(ours)).decode()
    assert process.wait(timeout=60) == 0
    os.close(ours)
    lines = screen.splitlines()
    assert max(map(len, lines)) <= 40
    assert "".join(line[2:].strip() for line in lines[1:]) == path


def test_progress_is_shown_to_people_only(home: Path, pictures: list[Path]) -> None:
    """A bar on a terminal; in a pipe stderr stays empty."""
    with at_a_terminal("-C", home, "classify", *pictures) as (process, screen):
        assert b"classifying" in shown(screen)
        assert process.wait(timeout=60) == 0
    assert imgsort("-C", home, "classify", *pictures).err == ""


def test_ctrl_c_ends_a_command_quietly(home: Path, pictures: list[Path]) -> None:
    """Exit code 130 and one word, no traceback."""
    with at_a_terminal("-C", home, "classify", *pictures * 200) as (process, screen):
        shown(screen, until=b"classifying")
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the decoder's processes too
        rest = shown(screen)
        assert process.wait(timeout=60) == 130
    assert rest.endswith(b"Interrupted.\r\n")
    assert b"Traceback" not in rest
