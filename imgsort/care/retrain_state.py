"""How the training that runs, or the last one, stands: written by it, read by whoever shows it.

Like the daemon's heartbeat it is no record: it may be lost at any time.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, Protocol

from imgsort.care.heartbeat import utc_now
from imgsort.disk.display import display
from imgsort.errors import ImgsortError, NothingToDo
from imgsort.records.tolerant import read_as

RetrainOutcome = Literal["serves", "stays", "nothing", "failed", "stopped"]
_BETWEEN_WRITES = 0.5
_KILLED = (
    "The training ended before it was done (it was killed, or memory ran out); the model that "
    "serves is the same as before."
)
_STOPPED = "The training was stopped; the model that serves is the same as before."


@dataclass(frozen=True, slots=True)
class RetrainState:
    """state/retrain.json."""

    pid: int | None = None
    started_at: str | None = None
    ended_at: str | None = None
    stage: str | None = None
    done: int | None = None
    """Of the present stage; None where nobody knows."""
    total: int | None = None
    outcome: RetrainOutcome | None = None
    version: int | None = None
    sentence: str | None = None


class StageWatch(Protocol):
    """Somebody who may want to see how it goes."""

    def stage(self, name: str) -> None: ...

    def progress(self, done: int, total: int) -> None: ...

    def tell(self, sentence: str) -> None: ...


class Written:
    """Tells another watcher, and the file."""

    def __init__(self, path: Path, also: StageWatch) -> None:
        self._path, self._also = path, also
        self._state = RetrainState(pid=os.getpid(), started_at=utc_now())
        self._last = 0.0

    def stage(self, name: str) -> None:
        self._also.stage(name)
        self._now(replace(self._state, stage=name, done=None, total=None))

    def progress(self, done: int, total: int) -> None:
        self._also.progress(done, total)
        state = replace(self._state, done=done, total=total)
        if time.monotonic() - self._last >= _BETWEEN_WRITES:
            self._now(state)
        else:
            self._state = state

    def tell(self, sentence: str) -> None:
        self._also.tell(sentence)

    def end(self, outcome: RetrainOutcome, sentence: str, version: int | None = None) -> None:
        ended = replace(self._state, ended_at=utc_now(), done=None, total=None)
        self._now(replace(ended, outcome=outcome, sentence=display(sentence), version=version))

    def _now(self, state: RetrainState) -> None:
        self._state, self._last = state, time.monotonic()
        part = self._path.with_name(f".{self._path.name}.part")
        with suppress(OSError):  # a full disk stops no training
            part.write_text(json.dumps(asdict(state), ensure_ascii=False) + "\n", encoding="utf-8")
            part.replace(self._path)


@contextmanager
def telling(path: Path, also: StageWatch) -> Iterator[Written]:
    """Have the file say how it ends, whatever ends it; the caller tells a good end itself."""
    written = Written(path, also)
    written.stage("starting")
    try:
        yield written
    except NothingToDo as reason:
        written.end("nothing", str(reason))
        raise
    except ImgsortError as problem:
        written.end("failed", str(problem))
        raise
    except KeyboardInterrupt:
        written.end("stopped", _STOPPED)
        raise
    except BaseException as bug:
        written.end(
            "failed", f"imgsort retrain failed ({type(bug).__name__}); see what it printed."
        )
        raise


def read_retrain_state(path: Path, running: Callable[[], int | None]) -> RetrainState | None:
    """What the file says; None where none was ever written. ``running`` gives the pid of who holds
    the lock: a training that was killed couldn't say so."""
    pid = running()
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None if pid is None else RetrainState(pid=pid)
    state = read_as(RetrainState, said) if isinstance(said, dict) else RetrainState()
    if pid is not None:
        return state if state.pid == pid and state.ended_at is None else RetrainState(pid=pid)
    if state.ended_at is None:
        return replace(state, ended_at=state.started_at, outcome="failed", sentence=_KILLED)
    return state
