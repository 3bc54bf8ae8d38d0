"""Who is told that something is wrong: soon, once, and never for nothing."""

import http.server
import json
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imgsort.care.alarm import AlarmRules, AlarmWindow, Moment, alarms
from imgsort.daemon.alarm_messenger import QUEUED, Messenger
from imgsort.daemon.alarm_watch import Alarms
from imgsort.daemon.log_output import Notices
from imgsort.workspace.config import AlertSettings

LIMIT = AlarmRules(minutes=2.0, unsure_over=0.2)


def told_after(seed: int, shares: Callable[[float], float], seconds: int) -> float | None:
    """When an alarm starts in a stream of 2 pictures a second, looked at every 2 seconds."""
    chance = random.Random(seed)  # noqa: S311 - a stream that can be repeated
    window, on = AlarmWindow(120.0), dict[str, str]()
    for half in range(2 * seconds):
        now = half / 2
        word = "unsure" if chance.random() < shares(now) else "filed"
        window.add(now, Counter({word: 1}))
        if half % 4 == 0:
            on = alarms(LIMIT, Moment(now, window.counts(now), now), on)
            if on:
                return now
    return None


@pytest.mark.parametrize("seed", range(40))
def test_a_dimmed_camera_is_told_within_two_minutes(seed: int) -> None:
    """After ten usual minutes at 10 % unsure, 30 %."""
    told = told_after(seed, lambda now: 0.1 if now < 600 else 0.3, 900)
    assert told is not None
    assert 600 < told <= 720


@pytest.mark.parametrize(
    ("minutes", "seconds", "last", "lasting"),
    [
        (0.5, 35.2, "last 30 seconds are", "for 35 seconds"),
        (1.0, 61.4, "last minute are", "for 1 minute"),
        (1.5, 150.0, "last 1.5 minutes are", "for 2.5 minutes"),
        (10.0, 723.9, "last 10 minutes are", "for 12 minutes"),
    ],
)
def test_a_span_of_time_reads_well(minutes: float, seconds: float, last: str, lasting: str) -> None:
    """One minute is no "1 minutes", half a one not "0 minutes"."""
    rules = AlarmRules(minutes, unsure_over=0.2, nothing_minutes=minutes)
    told = alarms(rules, Moment(seconds, {"unsure": 50}, 0.0), {})
    assert last in told["unsure"]
    assert lasting in told["nothing"]


@pytest.mark.parametrize("seed", range(20))
def test_an_ordinary_stream_alarms_nobody(seed: int) -> None:
    """Ten minutes at the usual share, the first pictures included."""
    assert told_after(1000 + seed, lambda _: 0.1, 600) is None


@pytest.mark.parametrize(
    ("rules", "moment", "expected"),
    [
        (AlarmRules(), Moment(1e6, {"unsure": 100}, 0.0, 0, 0.0, "x", ("s",)), set()),
        (LIMIT, Moment(60.0, {"unsure": 5, "filed": 5}, 60.0), set()),
        (LIMIT, Moment(60.0, {"unsure": 50, "filed": 50}, 60.0), {"unsure"}),
        (
            AlarmRules(rejected_over=0.1),
            Moment(9.0, {"rejected": 30, "filed": 9}, 9.0),
            {"rejected"},
        ),
        (AlarmRules(nothing_minutes=5), Moment(301.0, {}, 0.0), {"nothing"}),
        (AlarmRules(nothing_minutes=5), Moment(299.0, {}, 0.0), set()),
        (AlarmRules(nothing_minutes=5), Moment(301.0, {}, 0.0, 3, 10.0, "full"), set()),
        (
            AlarmRules(paused_minutes=1),
            Moment(99.0, {}, 0.0, 3, 10.0, "The disk is full."),
            {"paused"},
        ),
        (AlarmRules(drift=True), Moment(9.0, {}, 9.0, signs=("This week …",)), {"drift"}),
    ],
)
def test_the_rules(rules: AlarmRules, moment: Moment, expected: set[str]) -> None:
    """Each alone, with few pictures, and while a pause explains the quiet."""
    assert alarms(rules, moment, {}).keys() == expected


def test_an_alarm_holds_until_the_share_is_below_the_limit() -> None:
    """It doesn't flicker while chance plays around the limit."""
    moment = Moment(60.0, {"unsure": 21, "filed": 79}, 60.0)
    assert alarms(LIMIT, moment, {}) == {}
    assert alarms(LIMIT, moment, {"unsure": "before"}).keys() == {"unsure"}
    over = Moment(60.0, {"unsure": 19, "filed": 81}, 60.0)
    assert alarms(LIMIT, over, {"unsure": "before"}) == {}


def test_a_long_window_takes_no_more_memory() -> None:
    """A day at a hundred pictures a second is sixty slots, and counts what is in it."""
    window = AlarmWindow(86_400.0)
    for second in range(0, 200_000, 10):
        window.add(float(second), {"filed": 1000})
    assert len(window._slots) <= 62
    assert window.counts(200_000.0)["filed"] == pytest.approx(8_640_000, rel=0.03)


class Hook(http.server.BaseHTTPRequestHandler):
    bodies: list[dict[str, object]]
    answer = 200

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.bodies.append(json.loads(self.rfile.read(length)))
        self.send_response(self.answer)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hook() -> Iterator[tuple[str, list[dict[str, object]]]]:
    bodies: list[dict[str, object]] = []
    handler = type("Handler", (Hook,), {"bodies": bodies})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/x", bodies
    server.shutdown()
    server.server_close()


def wait_for(condition: Callable[[], object]) -> None:
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_both_ways_are_told_once_of_the_start_and_once_of_the_end(
    tmp_path: Path, hook: tuple[str, list[dict[str, object]]]
) -> None:
    """A command and a webhook get the same JSON; a restart in between tells nothing twice."""
    url, bodies = hook
    kept = tmp_path / "kept"
    script = f"import sys; open({str(kept)!r}, 'ab').write(sys.stdin.buffer.read() + b'\\n')"
    config = AlertSettings(
        command=(sys.executable, "-c", script), webhook=url, minutes=1.0, unsure_over=0.2
    )
    one = Alarms(Path("/srv/photos"), tmp_path, config, Notices(), 0.0)
    one.took(1.0, {"unsure": 60, "filed": 40})
    for now in (2.0, 4.0, 6.0):
        one.look(now, None, 0, None)
    wait_for(lambda: len(bodies) == 1 and kept.exists())
    one.stop()
    two = Alarms(Path("/srv/photos"), tmp_path, config, Notices(), 0.0)
    two.took(1.0, {"unsure": 60, "filed": 40})
    two.look(2.0, None, 0, None)
    two.took(100.0, {"filed": 100})
    two.look(101.0, None, 0, None)
    two.look(103.0, None, 0, None)
    wait_for(lambda: len(bodies) == 2 and len(kept.read_bytes().splitlines()) == 2)
    two.stop()

    assert [(one["rule"], one["event"]) for one in bodies] == [
        ("unsure", "started"),
        ("unsure", "ended"),
    ]
    assert bodies[0]["counts"] == {"filed": 40, "unsure": 60, "rejected": 0}
    assert "60% of the 100 pictures" in str(bodies[0]["message"])
    assert [json.loads(line) for line in kept.read_bytes().splitlines()] == bodies


def test_a_webhook_that_hangs_holds_nobody_up() -> None:
    """Sending returns at once, the queue is bounded, stopping waits for nothing."""
    begun, over = threading.Event(), threading.Event()

    def hang(_: bytes) -> None:
        begun.set()
        over.wait(30)

    messenger = Messenger("webhook", hang, Notices())
    messenger.send(b"first")
    assert begun.wait(10)
    began = time.monotonic()
    for number in range(10 * QUEUED):
        messenger.send(b"%d" % number)
    messenger.stop()
    assert time.monotonic() - began < 1.0
    assert messenger._queue.qsize() <= QUEUED
    over.set()


def test_what_fails_is_tried_again_and_its_address_is_never_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody listens, then somebody does."""
    import imgsort.daemon.alarm_messenger as module

    monkeypatch.setattr(module, "AGAIN_SECONDS", (0.05, 0.05, 0.05))
    address = "http://127.0.0.1:9/services/T0SECRET"
    messenger = Messenger("webhook", lambda body: module.call_webhook(address, body), Notices())
    messenger.send(b"{}")
    wait_for(lambda: "given up" in caplog.text)
    messenger.stop()
    assert "alert.webhook does not work" in caplog.text
    assert "SECRET" not in caplog.text
