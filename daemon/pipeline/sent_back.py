"""A picture that was filed, and lies in the inbox again: its label is withdrawn, it is asked again.

The same model would only give the same answer, so then it goes to unsure/.
"""

import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from imgsort.daemon.pipeline.pipeline import InferenceStage
from imgsort.filing import InboxPicture
from imgsort.records.labels import NewLabel
from imgsort.records.reasons import SENT_BACK
from imgsort.store import Store
from imgsort.store.known_files import Whereabouts

MEMORY = timedelta(hours=1)
"""A picture dropped longer than this after its filed copy went is a new drop, unless it is that
very file."""


class SentBack:
    """An infer stage around another."""

    def __init__(
        self,
        inner: InferenceStage,
        store: Store,
        run_id: int,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._inner = inner
        self._store = store
        self._run_id = run_id
        self._now = now

    def judge(self, batch: Sequence[InboxPicture]) -> list[InboxPicture]:
        """As the inner stage judges, but for pictures that were sent back."""
        judged = self._inner.judge(batch)
        contents = {one.outcome.sha256 for one in judged if one.verdict is not None}
        filed = self._store.files.whereabouts(contents) if contents else []
        gone = [one for one in filed if not _is_there(one)]
        if not gone:
            return judged
        back = {one.arrival_id: one for one in gone}
        return [self._reconsidered(one, back) for one in judged]

    def _reconsidered(self, judged: InboxPicture, gone: dict[int, Whereabouts]) -> InboxPicture:
        """``gone``: filed pictures that are no longer at their place; one is taken at most."""
        if judged.verdict is None or judged.model is None:
            return judged
        sha256 = judged.outcome.sha256
        before = next((one for one in gone.values() if self._is_back(one, judged)), None)
        if before is None:
            return judged
        del gone[before.arrival_id]
        self._withdraw(before)
        if sha256 not in self._store.predictions.of([sha256], judged.model):
            return judged
        return replace(judged, verdict=replace(judged.verdict, decision="unsure", doubt=SENT_BACK))

    def _is_back(self, before: Whereabouts, judged: InboxPicture) -> bool:
        if before.sha256 != judged.outcome.sha256:
            return False
        recent = before.missing_at is None or self._now() - before.missing_at < MEMORY
        return recent or before.identity == judged.outcome.identity

    def _withdraw(self, before: Whereabouts) -> None:
        said = self._store.labels.current([before.sha256]).get(before.sha256)
        if said is None or said.kind != "withdrawn":
            word = NewLabel(before.sha256, "withdrawn", None, "move", False)
            self._store.labels.add(self._run_id, [word])
        self._store.files.mark_missing([before.arrival_id])


def _is_there(before: Whereabouts) -> bool:
    """As far as a glance tells: it may have been touched."""
    try:
        status = os.lstat(before.path)
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size == before.identity.size
