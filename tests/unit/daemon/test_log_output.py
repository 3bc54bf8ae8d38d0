"""The daemon's log lines: as text, as JSON, and as the journal wants them."""

import json
import logging
import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from imgsort.daemon.log_output import LOG, Notices, fields, log_to_stderr


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    handlers, level = LOG.handlers[:], LOG.level
    LOG.propagate = False  # pytest keeps what it sees, and a report can't carry lone surrogates
    yield
    LOG.propagate = True
    LOG.handlers[:] = handlers
    LOG.setLevel(level)


def lines(capfd: pytest.CaptureFixture[str]) -> list[str]:
    return capfd.readouterr().err.splitlines()


def test_a_line_of_text(capfd: pytest.CaptureFixture[str]) -> None:
    """Stamped in UTC; fields are for JSON only."""
    log_to_stderr("info")
    LOG.info("filed %d", 3, extra=fields(filed=3))
    (line,) = lines(capfd)
    assert line.endswith("Z INFO filed 3")
    assert line[4:11] == f"-{line[5:7]}-{line[8:10]}T"


def test_a_line_of_json(capfd: pytest.CaptureFixture[str]) -> None:
    """One object, whatever the message holds."""
    log_to_stderr("info", "json")
    LOG.info("filed %s", "a\nb\x1b\u2028\udce9", extra=fields(event="batch", filed=3, seconds=0.5))
    LOG.debug("too fine")
    (line,) = lines(capfd)
    said: dict[str, Any] = json.loads(line)
    assert said.pop("time").endswith("Z")
    assert said == {
        "level": "info",
        "message": "filed a\nb\x1b\u2028\udce9",
        "event": "batch",
        "filed": 3,
        "seconds": 0.5,
    }


def test_an_exception_stays_in_its_object(capfd: pytest.CaptureFixture[str]) -> None:
    """Its many lines are one value."""
    log_to_stderr("info", "json")
    try:
        raise ValueError("wrong")
    except ValueError:
        LOG.exception("a bug")
    (line,) = lines(capfd)
    assert "ValueError: wrong" in json.loads(line)["exception"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_journal_stamps_and_grades(
    form: Any, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each line begins with its priority, and the journal takes that off again."""
    status = os.fstat(sys.stderr.fileno())
    monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
    log_to_stderr("debug", form)
    for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
        LOG.log(level, "said")
    told = lines(capfd)
    assert [line[:3] for line in told] == ["<7>", "<6>", "<4>", "<3>"]
    if form == "text":
        assert told[0] == "<7>said"
    else:
        assert [json.loads(line[3:])["level"] for line in told][1:] == ["info", "warning", "error"]


def test_a_stream_that_is_not_the_journals(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A child of a service whose stderr goes elsewhere."""
    monkeypatch.setenv("JOURNAL_STREAM", "1:1")
    log_to_stderr("info")
    LOG.info("said")
    assert lines(capfd)[0].endswith("Z INFO said")


def test_a_lasting_trouble_is_told_once_a_minute(capfd: pytest.CaptureFixture[str]) -> None:
    """Whatever it says by then."""
    log_to_stderr("info", "json")
    now = [0.0]
    notices = Notices(lambda: now[0])
    for second in range(0, 130, 5):
        now[0] = float(second)
        notices.each_minute("paused", f"at {second}")
    assert [json.loads(line)["message"] for line in lines(capfd)] == ["at 0", "at 60", "at 120"]
