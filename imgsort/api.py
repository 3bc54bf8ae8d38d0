"""imgsort for scripts and notebooks: ``imgsort.open(workspace)``.

What is here is public and stays as it is; every other module may change. Failures are
``imgsort.errors.ImgsortError``, one sentence each.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from os import PathLike, fspath
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from imgsort.records.log import LogFilter, LogRow, parse_since
from imgsort.workspace.workspace import Workspace

if TYPE_CHECKING:
    from imgsort.models.classify import Classified

__all__ = ["Labelling", "LogRow", "Prediction", "Session", "open_session"]

Named = str | PathLike[str]
"""A path as people give it."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the active model says of one picture."""

    path: Path
    label: str | None
    """The best class; None where there is none, or the picture can't be read."""
    confidence: float | None
    """Of the label, 0 to 1."""
    decision: Literal["filed", "unsure", "rejected"]
    reason: str | None
    """Why it is unsure or rejected, in words; None when it would be filed."""
    top: tuple[tuple[str, float], ...]
    """The best classes with their confidence, best first."""
    unlikeness: float | None
    """Above 1 it is unlike anything the model was trained on; None where the model can't tell."""
    reason_code: str | None
    """The reason in a word that never changes, as in `prediction_log`."""
    threshold: float | None
    """What the label's class needs to be filed; None where no confidence is enough."""
    model: int
    """Version of the model that was asked."""


@dataclass(frozen=True, slots=True)
class Labelling:
    """What became of a label."""

    labelled: int
    """Contents; each may have several files."""
    moved: tuple[Path, ...]
    """Where the files lie now that moved to the folder of their class."""
    left: tuple[tuple[Path, str], ...]
    """Files that could not be moved, and why."""
    run: int
    """For `imgsort undo --run`."""


class Session:
    """One workspace, opened by ``imgsort.open``. Use it in a ``with``, or call ``close``."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    @property
    def root(self) -> Path:
        """The workspace's folder."""
        return self._workspace.root

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Nothing stays open between two calls today; scripts that close are ready for more."""

    def classify(self, *paths: Named, top_k: int | None = None) -> list[Prediction]:
        """Predict files, and every picture below folders, without moving or recording anything.

        The model is loaded once a call: name many pictures at once.
        """
        from imgsort.models.classify import classify, pictures_in

        readable = self._workspace.config.decode.suffixes
        files = pictures_in([Path(path) for path in paths], readable)
        return [_prediction(one) for one in classify(self._workspace, files, top_k)]

    def log(  # noqa: PLR0913 - the conditions of `imgsort log`, each by its name
        self,
        *,
        label: str | None = None,
        below: float | None = None,
        since: datetime | str | None = None,
        model: int | None = None,
        unsure: bool = False,
        corrected: bool = False,
        limit: int | None = None,
    ) -> Iterator[LogRow]:
        """Rows of ``prediction_log`` that meet every condition, newest arrival first, read as they
        are asked for. ``since``: a time with its zone, or ``7d``, ``24h``, ``2026-11-22``."""
        from imgsort.store import Store

        if isinstance(since, str):
            since = parse_since(since, datetime.now().astimezone())
        wanted = LogFilter(label, below, since, model, unsure, corrected, limit)
        with Store.open(self._workspace.database, root=self.root) as store:
            yield from store.log.rows(wanted)

    def label(
        self,
        pictures: Named | int | Sequence[Named | int],
        label: str,
        *,
        new_class: bool = False,
    ) -> Labelling:
        """Say what pictures are, by path, id of the log, content hash or name, as `imgsort label`
        does: each moves to the folder of its class. ``new_class`` allows a class whose name may be
        a slip for another's."""
        from imgsort.labels.named_classes import new_classes, require_in_use, spoken
        from imgsort.labels.session import session

        several = [pictures] if isinstance(pictures, str | PathLike | int) else list(pictures)
        names = [str(one) if isinstance(one, int) else fspath(one) for one in several]
        with session(self._workspace, "label", lambda _: None) as now:
            labels, repeated = spoken(self._workspace, now.store, names, label)
            require_in_use(now.store, {label})
            new_classes(now.store, {label}, allowed=new_class)
            done = now.put(labels, repeated)
            now.summary = f"{len(done.labels):,} labelled, {len(done.moved):,} files moved"
        return Labelling(
            len(done.labels),
            tuple(one.path for one in done.moved),
            tuple((one.path, one.reason or "") for one in done.left),
            now.run_id,
        )


def open_session(workspace: Named = ".") -> Session:
    """The workspace at this path. Raises WorkspaceMissing or ConfigProblem."""
    return Session(Workspace.open(Path(workspace)))


def _prediction(one: "Classified") -> Prediction:
    said = one.verdict
    known = said is not None and bool(said.label)
    return Prediction(
        path=one.path,
        label=said.label if said and known else None,
        confidence=said.confidence if said and known else None,
        decision=said.decision if said else "rejected",
        reason=one.reason.sentence if one.reason else None,
        top=tuple((score.label, score.confidence) for score in said.top_k) if said else (),
        unlikeness=said.unlikeness if said else None,
        reason_code=one.reason.code.value if one.reason else None,
        threshold=one.threshold,
        model=one.model,
    )
