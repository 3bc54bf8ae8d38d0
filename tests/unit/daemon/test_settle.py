"""Which files have stopped changing."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from imgsort.daemon.inbox.open_writers import writer_of
from imgsort.daemon.inbox.settle import Watched, Writer, remaining, seen
from imgsort.disk.identity import Identity

QUIET = 1.0
WHOLE = Identity(dev=1, ino=2, size=300, mtime_ns=4)
LONGER = Identity(dev=1, ino=2, size=600, mtime_ns=5)


def test_a_file_is_settled_once_it_looked_the_same_for_the_quiet_time() -> None:
    """Written in place: the quiet time counts from the first look that saw it so."""
    first = seen(None, WHOLE, Writer.UNKNOWN, 10.0)
    again = seen(first, WHOLE, Writer.NONE, 10.6)
    assert remaining(first, Writer.UNKNOWN, 10.0, QUIET) == 1.0
    assert remaining(again, Writer.NONE, 10.6, QUIET) == pytest.approx(0.4)
    assert remaining(seen(again, WHOLE, Writer.NONE, 11.0), Writer.NONE, 11.0, QUIET) == 0.0


def test_a_change_starts_the_quiet_time_anew() -> None:
    """A file that grew between two looks waits the whole quiet time again."""
    first = seen(None, WHOLE, Writer.UNKNOWN, 10.0)
    grown = seen(first, LONGER, Writer.NONE, 10.9)
    assert grown == Watched(LONGER, 10.9, whole=False)
    assert remaining(grown, Writer.NONE, 10.9, QUIET) == 1.0


def test_a_renamed_file_is_settled_at_once() -> None:
    """Who renames a file into the inbox has finished it."""
    renamed = seen(None, WHOLE, Writer.NONE, 10.0, renamed=True)
    assert remaining(renamed, Writer.NONE, 10.0, QUIET) == 0.0


def test_a_rename_is_believed_where_the_kernel_does_not_tell_of_writers() -> None:
    """Another's file, or a file system without leases: the rename itself must do."""
    renamed = seen(None, WHOLE, Writer.UNKNOWN, 10.0, renamed=True)
    assert remaining(renamed, Writer.UNKNOWN, 10.0, QUIET) == 0.0


@pytest.mark.parametrize("renamed", [False, True])
def test_a_file_open_for_writing_is_never_settled(renamed: bool) -> None:
    """A writer who pauses longer than the quiet time still has the file."""
    paused = seen(None, WHOLE, Writer.OPEN, 10.0, renamed=renamed)
    later = seen(paused, WHOLE, Writer.OPEN, 500.0)
    assert remaining(later, Writer.OPEN, 500.0, QUIET) == QUIET
    closed = seen(later, WHOLE, Writer.NONE, 501.0)
    assert remaining(closed, Writer.NONE, 500.5, QUIET) == 0.5


def test_a_file_renamed_while_it_is_written_waits_for_its_writer(tmp_path: Path) -> None:
    """The kernel's own word, asked with a read lease."""
    path = tmp_path / "cat.jpg"
    with path.open("wb") as writing:
        writing.write(b"half")
        writing.flush()
        reading = os.open(path, os.O_RDONLY)
        assert writer_of(reading) is Writer.OPEN
    assert writer_of(reading) is Writer.NONE
    assert writer_of(reading) is Writer.NONE
    os.close(reading)
    path.write_bytes(b"whole")  # nothing of the lease is left that would block a writer
    assert path.read_bytes() == b"whole"


def test_the_kernel_not_saying_is_no_open_writer(tmp_path: Path) -> None:
    """What isn't a file on a disk has no leases."""
    reading, writing = os.pipe()
    assert writer_of(reading) is Writer.UNKNOWN
    os.close(reading)
    os.close(writing)


def test_what_is_no_picture_waits_before_it_is_rejected() -> None:
    """It may be half of one, whose other half comes after the file was closed in between."""
    half = replace(seen(None, WHOLE, Writer.NONE, 10.0), refused=True)
    assert remaining(half, Writer.NONE, 11.0, QUIET, 15.0) == 14.0
    assert remaining(half, Writer.NONE, 25.0, QUIET, 15.0) == 0.0
    grown = seen(half, LONGER, Writer.NONE, 12.0)
    assert not grown.refused
    assert remaining(grown, Writer.NONE, 12.0, QUIET, 15.0) == QUIET


def test_it_waits_longer_where_nobody_tells_of_its_writers() -> None:
    """Another user's upload may have stalled with the file open."""
    half = replace(seen(None, WHOLE, Writer.UNKNOWN, 10.0), refused=True)
    assert remaining(half, Writer.UNKNOWN, 30.0, QUIET, 15.0) == 40.0
    renamed = replace(seen(None, WHOLE, Writer.UNKNOWN, 10.0, renamed=True), refused=True)
    assert remaining(renamed, Writer.UNKNOWN, 30.0, QUIET, 15.0) == 40.0


def test_a_finished_file_that_is_no_picture_is_rejected_at_once() -> None:
    """It was renamed in, and nobody has it open: nothing more will come."""
    renamed = replace(seen(None, WHOLE, Writer.NONE, 10.0, renamed=True), refused=True)
    assert remaining(renamed, Writer.NONE, 10.0, QUIET, 15.0) == 0.0
