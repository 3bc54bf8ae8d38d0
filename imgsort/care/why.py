"""Why does a picture lie where it lies? Everything that is known of it, in one answer."""

from dataclasses import asdict, dataclass
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
    labels = {
        sha256: label.class_name
        for sha256, label in store.labels.current().items()
        if label.class_name is not None and sha256 != picture.sha256
    }
    if not labels:
        return []
    asked = embeddings_for(workspace, store, serving, {picture.sha256: picture.path})
    if asked.missing:
        notes.append(f"It can't be compared with others: {asked.missing[picture.sha256]}.")
        return []
    own = serving.backbone.final
    with EmbeddingStore.open(workspace.embeddings) as kept:
        stored = kept.get(serving.backbone.id, serving.runtime.precision, labels, first=own)
    if len(stored) < len(labels):
        notes.append(
            f"{len(labels) - len(stored):,} labelled pictures have no stored embedding and were "
            f"not compared; `imgsort retrain` completes them."
        )
    return _nearest(asked.plain(picture.sha256)[:own], stored, labels, store)


def _nearest(
    asked: Floats, stored: dict[str, Floats], labels: dict[str, str], store: Store
) -> list[Neighbour]:
    if not stored:
        return []
    keys = list(stored)
    cosines = unit(np.stack([stored[key] for key in keys])) @ unit(asked[None])[0]
    best = [keys[place] for place in np.argsort(-cosines, kind="stable")[:NEIGHBOURS]]
    paths = {one.sha256: one.path for one in store.pictures.with_contents(best) if not one.missing}
    cosine = dict(zip(keys, cosines.tolist(), strict=True))
    return [Neighbour(paths.get(key), key, labels[key], cosine[key]) for key in best]
