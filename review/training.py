"""`imgsort retrain`, started from the page, and any other that runs."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from imgsort.care.retrain_state import RetrainState, read_retrain_state
from imgsort.disk.display import display
from imgsort.review.asked import Asked
from imgsort.review.call_refused import CallRefused
from imgsort.workspace.workspace import Workspace

if TYPE_CHECKING:
    from imgsort.review.host import Host

MOST_VIEWS = 32
IN_WORDS = {
    "starting": "getting ready",
    "looking for moved images": "looking for pictures that were moved",
    "embedding what is not yet": "looking at the labelled pictures",
    "adding the inner layers to the backbone": "getting ready to see textures too",
    "training": "learning from your labels",
    "testing": "testing on pictures it hasn't seen",
    "writing the report": "writing the report",
}
_PATIENCE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Child:
    """A training that this page started."""

    process: subprocess.Popen[bytes]
    started_at: str


class Trainings:
    """What is known of trainings here. It lives on when the page ends; only its owner can stop it.

    Threads may share it.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lock = threading.Lock()
        self._child: _Child | None = None
        self._stopped = False

    def start(self, views: int) -> None:
        """Raises CallRefused while one runs."""
        with self._lock:
            if self._workspace.retrain_pid() is not None or self._runs():
                raise CallRefused(
                    "A training runs already; wait until it is done.", HTTPStatus.CONFLICT
                )
            # -P: a file that lies in the folder one happens to be in is never run.
            command = [sys.executable, "-P", "-m", "imgsort", "-C", str(self._workspace.root)]
            with self._output("wb") as output:
                process = subprocess.Popen(  # noqa: S603 - no shell, and nothing of the browser's
                    [*command, "retrain", "--augment", str(views)],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
            self._child, self._stopped = _Child(process, _now()), False

    def stop(self) -> None:
        """Raises CallRefused for one that somebody else started."""
        with self._lock:
            if not self._runs() or self._child is None:
                raise CallRefused(
                    "Only a training that this page started can be stopped here.",
                    HTTPStatus.CONFLICT,
                )
            self._stopped = True
            process = self._child.process
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                process.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_PATIENCE_SECONDS)
                return

    def as_dict(self) -> dict[str, Any]:
        """For the page."""
        with self._lock:
            state = read_retrain_state(self._workspace.retrain_file, self._workspace.retrain_pid)
            runs, child = self._runs(), self._child
            if child is not None and (state is None or (state.started_at or "") < child.started_at):
                state = self._before_its_first_word(child, runs)
        return _told(state, ours=runs, by_page=self._is_ours(state))

    def _before_its_first_word(self, child: _Child, runs: bool) -> RetrainState:
        """Its libraries are loading; or it couldn't even begin, and said why."""
        begun = RetrainState(pid=child.process.pid, started_at=child.started_at, stage="starting")
        if runs:
            return begun
        sentence = "The training was stopped." if self._stopped else self._last_words()
        outcome: Any = "stopped" if self._stopped else "failed"
        return RetrainState(
            *(child.process.pid, child.started_at, _now()), outcome=outcome, sentence=sentence
        )

    def _is_ours(self, state: RetrainState | None) -> bool:
        child = self._child
        return child is not None and state is not None and state.pid == child.process.pid

    def _runs(self) -> bool:
        return self._child is not None and self._child.process.poll() is None

    def _output(self, mode: str) -> Any:
        return (self._workspace.state / "retrain.log").open(mode)

    def _last_words(self) -> str:
        try:
            with self._output("rb") as output:
                output.seek(0, os.SEEK_END)
                output.seek(max(0, output.tell() - 2000))
                lines = output.read().decode(errors="replace").strip().splitlines()
        except OSError:
            lines = []
        return display(lines[-1]) if lines else "The training ended without a word."


def start(host: "Host", asked: Asked) -> Any:
    """POST /api/retrain {augment}."""
    views = asked.body.get("augment", 0)
    if type(views) is not int or not 0 <= views <= MOST_VIEWS:
        raise CallRefused(f"augment must be from 0 to {MOST_VIEWS}.")
    host.trainings.start(views)
    host.wake.set()
    return training_now(host)


def stop(host: "Host", asked: Asked) -> Any:
    """DELETE /api/retrain."""
    del asked
    host.trainings.stop()
    host.wake.set()
    return training_now(host)


def training_now(host: "Host") -> dict[str, Any]:
    new = host.store.counts.overview().labels_since_training
    return {**host.trainings.as_dict(), "new_labels": new}


def _told(state: RetrainState | None, *, ours: bool, by_page: bool) -> dict[str, Any]:
    state = state or RetrainState()
    running = state.pid is not None and state.ended_at is None
    known = running and state.done is not None and state.total
    return {
        "running": running,
        "ours": running and ours and by_page,
        "by": "page" if by_page else "other",
        "pid": state.pid,
        "stage": IN_WORDS.get(state.stage or "", state.stage) if running else None,
        "share": min(1.0, (state.done or 0) / (state.total or 1)) if known else None,
        "started_at": state.started_at,
        "ended_at": state.ended_at,
        "outcome": state.outcome,
        "version": state.version,
        "sentence": state.sentence,
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
