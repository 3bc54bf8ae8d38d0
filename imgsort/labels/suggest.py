"""Which of the pictures that nobody has confirmed should a person look at now?"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgsort.disk.display import display
from imgsort.labels.next_pictures import most_telling, uncertainty
from imgsort.models.embed import Progress, embeddings_for
from imgsort.models.embedding_cache import EmbeddingStore
from imgsort.models.serving import Serving
from imgsort.reconcile.apply import apply_reconcile
from imgsort.records.pictures import LoggedPicture
from imgsort.records.verdict import Verdict
from imgsort.store import Store
from imgsort.store.layouts import layout_of
from imgsort.workspace.workspace import Workspace

Floats = NDArray[np.float32]
_AT_ONCE = 2000
_SHORTLIST = 2000
"""The most uncertain pictures, among which different ones are picked."""
_MOST_ASKED = 10_000
_MOST_COMPARED = 5_000
"""Pictures with a label, of any number of them, that others shall differ from."""
_MOST_DECODED = 500
"""Pictures without a stored embedding that are opened for the question, the newest first."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A picture whose label would help."""

    picture: LoggedPicture
    verdict: Verdict
    uncertainty: float
    """0 to 1."""

    @property
    def between(self) -> str:
        """``cat 0.48, dog 0.44``"""
        best = self.verdict.top_k[:2]
        return ", ".join(f"{display(score.label)} {score.confidence:.2f}" for score in best)

    def as_dict(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "id": self.picture.arrival_id,
            "path": display(self.picture.path),
            "sha256": self.picture.sha256,
            "decision": self.picture.decision,
            "uncertainty": round(self.uncertainty, 4),
            "top": [asdict(score) for score in self.verdict.top_k],
        }


@dataclass(frozen=True, slots=True)
class Suggestions:
    """The answer, the most telling picture first."""

    listed: tuple[Suggestion, ...]
    looked_at: int
    left_out: int
    """Pictures that have no embedding and were not opened for one."""
    surer: int
    """Pictures that were not asked about, for models were surer of them."""


@dataclass(frozen=True, slots=True, eq=False)
class _Candidate:
    sha256: str
    embedding: Floats
    uncertain: float


@dataclass(slots=True)
class _Shortlist:
    """The most uncertain of all that were looked at; memory stays flat."""

    serving: Serving
    looked_at: int = 0
    best: list[_Candidate] = field(default_factory=list)

    def look_at(self, vectors: Mapping[str, Floats]) -> None:
        if not vectors:
            return
        embeddings = np.stack(list(vectors.values()))
        with np.errstate(all="ignore"):
            uncertain = uncertainty(self.serving.classifier.head.scores(embeddings))
        self.looked_at += len(vectors)
        self.best += [
            _Candidate(sha256, vector, float(value))
            for (sha256, vector), value in zip(vectors.items(), uncertain, strict=True)
        ]
        self.best.sort(key=lambda one: -one.uncertain)
        del self.best[_SHORTLIST:]

    def most_telling(self, labelled: Mapping[str, Floats], count: int) -> list[_Candidate]:
        """By the embeddings' first part, of which ``labelled`` has no more either."""
        if not self.best:
            return []
        own = self.serving.backbone.final
        embeddings = np.stack([one.embedding[:own] for one in self.best])
        known = (
            np.stack(list(labelled.values()))
            if labelled
            else np.zeros((0, embeddings.shape[1]), np.float32)
        )
        uncertain = np.array([one.uncertain for one in self.best], np.float32)
        return [self.best[place] for place in most_telling(embeddings, uncertain, known, count)]


def suggestions(  # noqa: PLR0913 - where, what, and how
    workspace: Workspace,
    store: Store,
    serving: Serving,
    count: int,
    progress: Progress | None = None,
    *,
    look: bool = True,
) -> Suggestions:
    """At most ``count`` pictures, each content once, from unsure/ and the class folders alike.

    Of more than ``_MOST_ASKED`` those are asked about that the models of the time were least sure
    of. ``look``: first learn what was moved by hand.
    """
    if look:
        apply_reconcile(workspace, store, None)
    least_sure, every = store.lists.least_sure(_MOST_ASKED)
    files = store.lists.files(sorted(least_sure))
    layout = layout_of(workspace, store)
    asked = {
        one.sha256: one for one in files if layout.place_of(one.path).room in {"class", "unsure"}
    }
    shortlist = _Shortlist(serving)
    lacking: list[str] = []
    space = serving.backbone.id, serving.runtime.precision
    with EmbeddingStore.open(workspace.embeddings) as kept:
        for part in _parts(asked):
            vectors = kept.get(*space, part)
            shortlist.look_at(vectors)
            lacking += [sha256 for sha256 in part if sha256 not in vectors]
        called = store.labels.some_called(_MOST_COMPARED)
        seen = kept.get(*space, called, first=serving.backbone.final)
    newest = sorted(lacking, key=lambda sha256: -asked[sha256].arrival_id)[:_MOST_DECODED]
    computed = embeddings_for(
        workspace,
        store,
        serving,
        {sha256: Path(asked[sha256].path) for sha256 in newest},
        progress=progress,
    )
    shortlist.look_at({sha256: computed.plain(sha256) for sha256 in computed.vectors})
    chosen = shortlist.most_telling(seen, count)
    verdicts = serving.decide(np.stack([one.embedding for one in chosen])) if chosen else []
    logged = store.pictures.by_ids([asked[one.sha256].arrival_id for one in chosen])
    pictures = {one.sha256: one for one in logged}
    listed = (
        Suggestion(pictures[one.sha256], verdict, one.uncertain)
        for one, verdict in zip(chosen, verdicts, strict=True)
        if one.sha256 in pictures
    )
    left_out = len(lacking) - len(computed.vectors)
    return Suggestions(tuple(listed), shortlist.looked_at, left_out, every - len(least_sure))


def _parts(sha256s: Iterable[str]) -> Iterable[list[str]]:
    rest = iter(sha256s)
    while part := list(islice(rest, _AT_ONCE)):
        yield part
