"""What open tabs are told, and how failures are put into words for them."""

import asyncio
import json
from collections.abc import Callable

import pytest

from imgsort.errors import ImgsortError, StorageFailed, StoreBusy, StoreFull, WorkspaceProblem
from imgsort.review.call_refused import CallRefused
from imgsort.review.events import RING, Events
from imgsort.review.news import since
from imgsort.review.replies import failed
from imgsort.store.overview import LogTally


async def heard(events: Events, last: int | None, count: int) -> list[str]:
    """The first lines that a tab is sent, without the data."""
    stream = events.listen(last)
    told = [(await anext(stream)).decode() for _ in range(count)]
    await stream.aclose()  # type: ignore[attr-defined]
    return told


def told(events: Events, last: int | None, count: int) -> list[str]:
    return asyncio.run(heard(events, last, count))


def test_a_tab_catches_up() -> None:
    """With what it missed, and nothing twice; a new one has missed nothing."""
    events = Events()
    for number in range(1, 5):
        events.tell("label", {"number": number})
    greeting, *rest = told(events, 2, 3)
    assert greeting == ": hello\n\n"
    assert rest == [
        f'id: {number}\nevent: label\ndata: {{"number": {number}}}\n\n' for number in (3, 4)
    ]
    assert told(events, 4, 1) == [": hello\n\n"]
    assert told(events, None, 1) == [": hello\n\n"]


@pytest.mark.parametrize("last", [0, 3, RING + 100])
def test_a_tab_that_was_away_too_long_reloads(last: int) -> None:
    """Or one whose server was started anew, and counts from one again."""
    events = Events()
    for number in range(RING + 10):
        events.tell("log", number)
    assert told(events, last, 1)[0].startswith("event: reload\n")


def test_a_name_can_not_break_a_line() -> None:
    """An event is lines: what comes from outside stays inside of its one."""
    events = Events()
    events.tell("log", {"filed": {"a\n\nevent: model\ndata: 1\r\u2028": 1}})
    [_, line] = told(events, 0, 2)
    assert line.count("\n") == 4
    assert json.loads(line.split("data: ", 1)[1]) == {
        "filed": {"a\n\nevent: model\ndata: 1\r\u2028": 1}
    }


def test_a_tab_that_does_not_read_costs_little() -> None:
    """Its stream ends after a thousand; it comes back and asks for everything anew."""

    async def slow() -> int:
        events = Events()
        stream = events.listen(None)
        await anext(stream)
        for number in range(3 * RING):
            events.tell("log", number)
            await asyncio.sleep(0)
        await asyncio.sleep(0.05)
        return len([line async for line in stream])

    assert asyncio.run(slow()) <= RING


def test_the_end_ends_every_stream() -> None:
    """So that the server can end; one that comes later ends at once."""

    async def ended() -> list[int]:
        events = Events()
        stream = events.listen(None)
        await anext(stream)
        events.close()
        rest = len([line async for line in stream])
        return [rest, len([line async for line in events.listen(None)])]

    assert asyncio.run(ended()) == [0, 1]


def test_two_tallies_tell_what_came() -> None:
    """More of something; what an undo took away is no arrival."""
    before = LogTally({"filed": 5, "unsure": 1}, {"cat": 5}, 7)
    now = LogTally({"filed": 6, "unsure": 3}, {"cat": 4, "dog": 2}, 7)
    assert since(before, now) == {"unsure": 2, "rejected": 0, "filed": {"dog": 2}, "spoken": False}


@pytest.mark.parametrize(
    ("problem", "status"),
    [
        (StoreBusy, 423),
        (StoreFull, 507),
        (StorageFailed, 503),
        (WorkspaceProblem, 503),
        (ImgsortError, 409),
    ],
)
def test_what_passes_by_itself_is_told_apart(
    problem: Callable[[str], ImgsortError], status: int
) -> None:
    """By its number: the page keeps the act and asks again, or says that it can't be done."""
    answer = failed(problem("The disk is full; make room."))
    assert answer.status_code == status
    assert json.loads(bytes(answer.body)) == {"error": "The disk is full; make room."}


def test_a_bug_is_told_without_a_traceback() -> None:
    """That is in what the program printed, as the sentence says."""
    answer = failed(LookupError("/srv/somebody/secret"))
    assert answer.status_code == 500
    assert "secret" not in bytes(answer.body).decode()
    assert "LookupError" in bytes(answer.body).decode()
    refused = failed(CallRefused("Unknown class.", 409, unknown=True))
    assert json.loads(bytes(refused.body)) == {"error": "Unknown class.", "unknown": True}
