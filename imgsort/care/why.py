"""Why does a picture lie where it lies? Everything that is known of it, in one answer."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from imgsort.disk.display import display
from imgsort.errors import ImgsortError, ModelProblem
from imgsort.models.embed import Floats, embeddings_for
from imgsort.models.embedding_cache import EmbeddingStore
from imgsort.models.heads.learned import unit
from imgsort.models.judge import judged_again
from imgsort.models.registry import ModelCard, Registry
from imgsort.models.serving import Serving, load_classifier
from imgsort.records.history import Move
from imgsort.records.labels import HumanLabel
from imgsort.records.log import LogRow
from imgsort.records.pictures import LoggedPicture
from imgsort.records.reasons import ReasonCode
from imgsort.records.verdict import Verdict
from imgsort.store import Store
from imgsort.store.chunks import parts
from imgsort.store.lookup import Finder, Name, Unmatched
from imgsort.store.tables import iso_utc
from imgsort.workspace.workspace import Workspace

NEIGHBOURS = 5


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A labelled picture that looks alike to the backbone."""

    path: Path | None
    """Where a file of it lies; None where none is left."""
    sha256: str
    label: str
    cosine: float


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one model says of the picture."""

    card: ModelCard
    verdict: Verdict
    threshold: float | None
    """What its best class needs to be filed; None where no confidence is enough, or it has none."""

    def as_dict(self) -> dict[str, Any]:
        verdict = self.verdict
        return {
            "model": self.card.version,
            "kind": self.card.kind,
            "backbone": self.card.backbone,
            "label": verdict.label or None,
            "confidence": verdict.confidence,
            "threshold": self.threshold,
            "decision": verdict.decision,
            "reason": verdict.reason,
            "reason_code": verdict.doubt and verdict.doubt.code.value,
            "unlikeness": verdict.unlikeness and round(verdict.unlikeness, 4),
            "top": [asdict(score) for score in verdict.top_k],
        }

    def line(self) -> str:
        """For people: ``v2 (dense, resnet50): cat 0.93, filed from 0.81 on``"""
        verdict, card = self.verdict, self.card
        model = f"v{card.version} ({card.kind}, {card.backbone})"
        if not verdict.label:
            return f"{model}: {verdict.reason}"
        needs = "never filed" if self.threshold is None else f"filed from {self.threshold:.2f} on"
        said = f"{model}: {verdict.label} {verdict.confidence:.2f}, {needs}"
        if verdict.doubt is None:
            return said
        told = verdict.doubt.code is ReasonCode.LOW_CONFIDENCE  # by the two numbers
        return f"{said}; unsure" if told else f"{said}; unsure, {verdict.reason}"

    def top(self) -> str:
        """``cat 0.93, dog 0.04``"""
        return ", ".join(f"{one.label} {one.confidence:.2f}" for one in self.verdict.top_k)


@dataclass(frozen=True, slots=True)
class Why:
    """The answer."""

    row: LogRow
    decided: Opinion | None
    """By the model that put it there; None where a human did, or where that model is gone."""
    now: Opinion | None
    """By the active model where that is another one."""
    neighbours: tuple[Neighbour, ...]
    moves: tuple[Move, ...]
    labels: tuple[HumanLabel, ...]
    notes: tuple[str, ...]
    """What could not be found out, in words."""

    def as_dict(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "row": asdict(self.row),
            "decided_by": self.decided and self.decided.as_dict(),
            "active_model": self.now and self.now.as_dict(),
            "nearest_labelled": [
                {
                    "path": one.path and display(one.path),
                    "sha256": one.sha256,
                    "label": one.label,
                    "cosine": round(one.cosine, 4),
                }
                for one in self.neighbours
            ],
            "moves": [
                {
                    "run": one.run_id,
                    "run_kind": one.run_kind,
                    "cause": one.cause,
                    "model": one.model,
                    "from": display(one.source),
                    "to": display(one.target),
                    "done_at": iso_utc(one.done_at),
                }
                for one in self.moves
            ],
            "labels": [
                {
                    "kind": one.kind,
                    "label": one.class_name,
                    "source": one.source,
                    "representative": one.representative,
                    "labelled_at": iso_utc(one.labelled_at),
                    "taken_back": one.taken_back,
                }
                for one in self.labels
            ],
            "notes": list(self.notes),
        }


def why(workspace: Workspace, store: Store, serving: Serving, name: str) -> Why:
    """``name``: a path, an id of the log, a hash or its beginning, an original name.

    Raises ImgsortError where that is nothing, or several pictures.
    """
    [found] = Finder(workspace, store, Path.cwd()).find([Name(name)])
    if isinstance(found, Unmatched):
        raise ImgsortError(f"{display(name)}: {found.reason}.")
    picture = found.pictures[0]
    row = store.log.arrival(picture.arrival_id)
    if row is None:
        raise ImgsortError(f"{display(name)} has just been taken back into the inbox; ask again.")
    [history] = store.history.of([picture.arrival_id])
    notes: list[str] = []
    decided = _decided(workspace, store, picture, notes)
    neighbours = _neighbours(workspace, store, serving, picture, notes)
    return Why(
        row=row,
        decided=decided,
        now=_now(workspace, store, serving, picture),
        neighbours=tuple(neighbours),
        moves=history.moves,
        labels=tuple(store.labels.history(picture.sha256)),
        notes=tuple(notes),
    )


def _decided(
    workspace: Workspace, store: Store, picture: LoggedPicture, notes: list[str]
) -> Opinion | None:
    if picture.model is None:
        notes.append("No model put it there: a person did, or it could not be read.")
        return None
    verdict = store.predictions.of([picture.sha256], picture.model).get(picture.sha256)
    try:
        card = Registry(workspace.models).card(picture.model)
        classifier = load_classifier(workspace, store, card)
    except ModelProblem as problem:
        notes.append(f"The model that put it there can't be asked: {problem}")
        return None
    return None if verdict is None else Opinion(card, verdict, classifier.needs(verdict.label))


def _now(
    workspace: Workspace, store: Store, serving: Serving, picture: LoggedPicture
) -> Opinion | None:
    if serving.card.version == picture.model:
        return None
    said = judged_again(workspace, store, serving, {picture.sha256: picture.path})
    verdict = said.verdicts.get(picture.sha256)
    if verdict is None:
        return None
    return Opinion(serving.card, verdict, serving.classifier.needs(verdict.label))


def _neighbours(
    workspace: Workspace, store: Store, serving: Serving, picture: LoggedPicture, notes: list[str]
) -> list[Neighbour]:
    """The nearest pictures with a label, by what is stored of the network's own embeddings."""
    labels = [one for one in store.labels.some_called() if one != picture.sha256]
    if not labels:
        return []
    asked = embeddings_for(workspace, store, serving, {picture.sha256: picture.path})
    if asked.missing:
        notes.append(f"It can't be compared with others: {asked.missing[picture.sha256]}.")
        return []
    own = serving.backbone.final
    nearest = _Nearest(unit(asked.plain(picture.sha256)[None, :own])[0])
    with EmbeddingStore.open(workspace.embeddings) as kept:
        for part in parts(labels):
            nearest.look_at(
                kept.get(serving.backbone.id, serving.runtime.precision, part, first=own)
            )
    if nearest.compared < len(labels):
        notes.append(
            f"{len(labels) - nearest.compared:,} labelled pictures have no stored embedding and "
            f"were not compared; `imgsort retrain` completes them."
        )
    return _named(nearest.best, store)


@dataclass(slots=True)
class _Nearest:
    """The few that are nearest of any number; memory stays flat."""

    asked: Floats
    """Of length 1."""
    compared: int = 0
    best: list[tuple[float, str]] = field(default_factory=list)
    """Cosine and content, the nearest first."""

    def look_at(self, vectors: Mapping[str, Floats]) -> None:
        if not vectors:
            return
        self.compared += len(vectors)
        cosines = unit(np.stack(list(vectors.values()))) @ self.asked
        self.best += zip(cosines.tolist(), vectors, strict=True)
        self.best.sort(key=lambda one: -one[0])
        del self.best[NEIGHBOURS:]


def _named(nearest: Sequence[tuple[float, str]], store: Store) -> list[Neighbour]:
    keys = [sha256 for _, sha256 in nearest]
    words = store.labels.current(keys)
    paths = {one.sha256: one.path for one in store.pictures.with_contents(keys) if not one.missing}
    return [
        Neighbour(paths.get(key), key, name, cosine)
        for cosine, key in nearest
        if (word := words.get(key)) is not None and (name := word.class_name) is not None
    ]
