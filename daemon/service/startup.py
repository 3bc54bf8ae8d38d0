"""Begin the daemon's work, and wait where a trouble passes: nobody has to start it again."""

import queue
from contextlib import ExitStack, suppress
from dataclasses import replace

from imgsort.care.heartbeat import FULL, Heartbeat, write_status
from imgsort.daemon.log_output import LOG, Notices
from imgsort.daemon.service.sd_notify import notify
from imgsort.daemon.service.signals import Command, Commands
from imgsort.daemon.service.wiring import Works, wired
from imgsort.errors import (
    ConfigProblem,
    FilingPaused,
    ImgsortError,
    ModelProblem,
    StoreBusy,
    StoreFull,
)
from imgsort.workspace.workspace import Workspace

RETRY_SECONDS = 5.0
PASSING = (StoreFull, StoreBusy, FilingPaused, ModelProblem)


def begun(
    workspace: Workspace, stack: ExitStack, wanted: Commands, health: Heartbeat, *, once: bool
) -> Works | None:
    """Everything wired together; ``stack`` closes it. None if it was told to stop before that.

    With ``once`` it waits for nothing. Raises what ``wired`` does but for troubles that pass.
    """
    notices, waited = Notices(), False
    while True:
        with ExitStack() as attempt:
            try:
                works = wired(workspace, attempt, once=once)
            except (*PASSING, OSError) as problem:
                if once or not _passes(problem):
                    raise
                trouble = _in_words(problem)
            else:
                stack.enter_context(attempt.pop_all())
                if waited:
                    LOG.info("going on: the trouble is over")
                return works
        waited = True
        _say(workspace, health, trouble)
        notices.each_minute(
            "paused", f"paused: {trouble.removesuffix('.')}; imgsort goes on by itself"
        )
        command = _told(wanted)
        if command is Command.DRAIN:
            return None
        if command is Command.RELOAD:
            workspace = _reread(workspace)


def _passes(problem: ImgsortError | OSError) -> bool:
    return isinstance(problem, PASSING) or getattr(problem, "errno", None) in FULL


def _in_words(problem: ImgsortError | OSError) -> str:
    if isinstance(problem, OSError):
        return f"{problem.filename or 'A folder'}: the disk is full; make room on it."
    return str(problem)


def _told(wanted: Commands) -> Command | None:
    try:
        return wanted.get(timeout=RETRY_SECONDS)
    except queue.Empty:
        return None


def _say(workspace: Workspace, health: Heartbeat, trouble: str) -> None:
    """Waiting is working: systemd would restart it for nothing."""
    notify("READY=1", "WATCHDOG=1", f"STATUS=paused: {trouble}")
    with suppress(OSError):
        paused = replace(health, state="paused", paused_reason=trouble, last_error=trouble)
        write_status(workspace.status_file, paused)


def _reread(workspace: Workspace) -> Workspace:
    try:
        return Workspace.open(workspace.root)
    except ConfigProblem as problem:
        LOG.error("config.toml was not taken over: %s", problem)
        return workspace
