"""Carries alarms to a command or a webhook, in a thread of its own: nobody waits for either."""

import queue
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress

from imgsort.daemon.log_output import LOG, Notices

QUEUED = 32
"""The oldest goes first when more wait: who is told late is told what is so now."""
COMMAND_SECONDS = 30.0
WEBHOOK_SECONDS = 10.0
AGAIN_SECONDS = (5.0, 30.0, 120.0)
_FAILURES = (OSError, subprocess.SubprocessError, urllib.error.URLError, ValueError)


class Messenger:
    """``send`` returns at once. A message that can't be delivered is tried again, then told."""

    def __init__(self, name: str, deliver: Callable[[bytes], None], notices: Notices) -> None:
        self._name = name
        self._deliver = deliver
        self._notices = notices
        self._queue: queue.Queue[bytes | None] = queue.Queue(QUEUED)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"alert-{name}", daemon=True)
        self._thread.start()

    def send(self, body: bytes) -> None:
        while not self._ended.is_set():
            with suppress(queue.Full):
                self._queue.put_nowait(body)
                return
            with suppress(queue.Empty):
                self._queue.get_nowait()
            self._notices.each_minute(self._name, f"alerts are lost: {self._name} is too slow")

    def stop(self) -> None:
        """At once: a webhook that hangs holds nobody up. The thread ends with what it does."""
        self._ended.set()
        with suppress(queue.Full):
            self._queue.put_nowait(None)

    def _run(self) -> None:
        while not self._ended.is_set():
            body = self._queue.get()
            if body is not None:
                self._carry(body)

    def _carry(self, body: bytes) -> None:
        problem: Exception | None = None
        for pause in (0.0, *AGAIN_SECONDS):
            if self._ended.wait(pause):
                return
            try:
                self._deliver(body)
            except _FAILURES as failure:
                problem = failure
            except Exception as failure:  # noqa: BLE001  (told; http.client raises what it likes)
                problem = failure
                self._notices.failed(f"alert.{self._name}", failure)
            else:
                return
            self._notices.each_minute(
                f"alert.{self._name}", f"alert.{self._name} does not work ({_why(problem)})"
            )
        LOG.error("an alert was given up: alert.%s does not work (%s)", self._name, _why(problem))


def call_command(command: Sequence[str], body: bytes) -> None:
    """Run it without a shell, the JSON on its stdin. Raises what _FAILURES says."""
    subprocess.run(  # noqa: S603 - the workspace's owner wrote it into config.toml
        list(command),
        input=body,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=COMMAND_SECONDS,
        check=True,
    )


def call_webhook(url: str, body: bytes) -> None:
    """POST the JSON. Raises what _FAILURES says; an answer of 400 and above is a failure too."""
    request = urllib.request.Request(  # noqa: S310 - the configuration takes http and https only
        url, body, {"Content-Type": "application/json", "User-Agent": "imgsort"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=WEBHOOK_SECONDS) as answer:  # noqa: S310
        answer.read(1024)


def _why(problem: Exception | None) -> str:
    """Never the URL or the command: a webhook's address is a secret."""
    if isinstance(problem, urllib.error.HTTPError):
        return f"it answers {problem.code}"
    if isinstance(problem, subprocess.CalledProcessError):
        return f"it ends with {problem.returncode}"
    reason = getattr(problem, "reason", problem)  # of a URLError
    if isinstance(reason, subprocess.TimeoutExpired | TimeoutError):
        return "it takes too long"
    if isinstance(problem, urllib.error.URLError):
        return str(getattr(reason, "strerror", None) or reason)
    return str(getattr(problem, "strerror", None) or type(problem).__name__)
