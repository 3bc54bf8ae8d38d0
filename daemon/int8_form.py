"""int8 by itself: once enough is filed, a process beside the daemon makes and measures the form.

The thread here waits for it, and starts the runtime of what may be used; the pipeline takes that
between two batches.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from imgsort.daemon.log_output import LOG, Notices
from imgsort.daemon.pipeline.active_model import ActiveModel
from imgsort.disk.durable import replace_file
from imgsort.errors import ImgsortError
from imgsort.models.quantize_by_itself import COUNT
from imgsort.models.serving import Serving, head_of, may_screen, screen_of
from imgsort.store import Store
from imgsort.workspace.workspace import Workspace

SETTLED_SECONDS = 120.0
"""A daemon that was just started has other things to do."""
EVERY_SECONDS = 60.0
REFUSED = "int8-refused.json"
"""Beside the backbone's files: what was tried last, and on how many pictures."""
_NICEST = 19
MORE = 2
"""After a refusal it is tried again with another head, or with so many times the pictures."""


class Int8Form:
    """``tick`` asks whether it is time; the work is done beside."""

    def __init__(
        self,
        workspace: Workspace,
        store: Store,
        model: ActiveModel,
        notices: Notices,
        *,
        least: int = COUNT,
    ) -> None:
        self.workspace = workspace
        """May be replaced when the configuration is read again."""
        self._store = store
        self._model = model
        self._notices = notices
        self._least = least
        self.not_before = time.monotonic() + SETTLED_SECONDS
        """When it looks next, in monotonic seconds."""
        self._stopping = False
        self._child: subprocess.Popen[str] | None = None
        self._thread: threading.Thread | None = None

    def tick(self) -> None:
        """Returns at once."""
        now = time.monotonic()
        if now < self.not_before or self.is_working or self._stopping:
            return
        self.not_before = now + EVERY_SECONDS
        serving = self._model.serving
        if serving.screen is not None or not may_screen(self.workspace.config, serving):
            return
        self._thread = threading.Thread(target=self._run, args=(serving,), name="int8", daemon=True)
        self._thread.start()

    @property
    def is_working(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def stop(self, seconds: float = 10.0) -> None:
        """Give up what is under way; nothing of it stays. May be called twice."""
        self._stopping = True
        child = self._child
        if child is not None and child.poll() is None:
            child.send_signal(signal.SIGTERM)
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self, serving: Serving) -> None:
        with suppress(OSError):  # of this thread only, as Linux has it
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICEST)
        try:
            self._work(serving)
        except (ImgsortError, OSError) as problem:  # the database is busy; it is tried again
            LOG.debug("int8 has to wait: %s", problem)
        except Exception as failure:  # noqa: BLE001  (told)
            self._notices.failed("making the int8 form", failure)

    def _work(self, serving: Serving) -> None:
        if self._offered(serving) is None:
            return
        overview, before = self._store.counts.overview(), _refused(serving)
        least = max(self._least, MORE * before.get(head_of(serving.card), 0))
        if overview.filed + overview.unsure < least:
            return
        LOG.info("making the int8 form from %d pictures, beside the work", least)
        why = self._made(least) or self._offered(serving)
        if why is None or self._stopping:
            return
        LOG.info("int8 is not used: %s", why)
        text = json.dumps({"why": why, "pictures": {head_of(serving.card): least}})
        with suppress(OSError):
            replace_file(_place(serving), f"{text}\n".encode())

    def _offered(self, serving: Serving) -> str | None:
        """None where there is one, measured and good: it is taken between two batches."""
        try:
            screen = screen_of(self.workspace.config, serving)
        except ImgsortError as problem:
            return str(problem)
        if screen is None:
            return "it was not measured under the model in use"
        self._model.offer(screen)
        return None

    def _made(self, count: int) -> str | None:
        """Why it can't be used, in one sentence."""
        command = [sys.executable, "-m", "imgsort.models.quantize_by_itself"]
        self._child = subprocess.Popen(  # noqa: S603 - a fixed command
            [*command, str(self.workspace.root), str(count)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        out, _ = self._child.communicate()
        try:
            why = json.loads(out)["why"]
        except (ValueError, KeyError, TypeError):
            return f"the process that makes it ended with {self._child.returncode}"
        return None if why is None else str(why)


def _place(serving: Serving) -> Path:
    return serving.backbone.path / REFUSED


def _refused(serving: Serving) -> dict[str, int]:
    """The head and the number of pictures of the last refusal."""
    try:
        pictures = json.loads(_place(serving).read_bytes())["pictures"]
        return {str(head): int(count) for head, count in pictures.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
