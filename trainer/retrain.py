"""From what a human said to a better model, or to a plain word why the old one stays."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from imgsort.embeddings import EmbeddingStore
from imgsort.errors import NothingToDo
from imgsort.failpoints import failpoint
from imgsort.labelling import HumanLabel
from imgsort.modelcard import ModelCard
from imgsort.reconciling import apply_reconcile
from imgsort.registry import Registry
from imgsort.serving import Serving, open_serving
from imgsort.store import Store
from imgsort.trainer import readiness, report
from imgsort.trainer.augment import augment
from imgsort.trainer.challenger import train
from imgsort.trainer.champion import Champion
from imgsort.trainer.conclude import Options, Terms, Trained, draft_of, numbered, tested
from imgsort.trainer.dataset import Split, split
from imgsort.trainer.embed import embeddings_for
from imgsort.trainer.findings import Findings
from imgsort.trainer.gentle import make_way
from imgsort.trainer.lessons import lessons
from imgsort.trainer.material import Embedded, Material, collect, with_assumed
from imgsort.workspace import Workspace

MOST_ASSUMED = 3_000
"""Of the filed pictures that nobody spoke of the newest so many are looked at."""

__all__ = ["Options", "Outcome", "Watch", "retrain"]


class Watch(Protocol):
    """Somebody who may want to see how it goes."""

    def stage(self, name: str) -> None:
        """Another step begins."""

    def progress(self, done: int, total: int) -> None:
        """The present step has come so far."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished training; the model is published, and serves if ``findings.promoted``."""

    card: ModelCard
    findings: Findings
    report: Path


@dataclass(frozen=True, slots=True)
class _Work:
    """What every step has at hand."""

    workspace: Workspace
    store: Store
    run_id: int
    options: Options
    watch: Watch

    @property
    def registry(self) -> Registry:
        return Registry(self.workspace.models)


def retrain(workspace: Workspace, options: Options, watch: Watch) -> Outcome:
    """Raises NothingToDo, with the next step, where there is nothing to learn or to compare.

    Whatever happens on the way, the serving model stays until another is activated in one step.
    """
    with (
        workspace.retrain_lock(),
        Store.open(workspace.database, root=workspace.root) as store,
    ):
        if workspace.daemon_pid() is not None:
            make_way()
        run_id = store.begin_run("retrain")
        summary = "interrupted by an error"
        try:
            outcome = _retrained(_Work(workspace, store, run_id, options, watch))
            summary = outcome.findings.verdict.sentence
        except NothingToDo as reason:
            summary = str(reason)
            raise
        finally:
            store.end_run(run_id, summary)
    return outcome


def _retrained(work: _Work) -> Outcome:
    store, watch = work.store, work.watch
    watch.stage("looking for moved images")
    apply_reconcile(work.workspace, store, work.run_id)
    _require_new_labels(work)
    labels, names = store.current_labels(), store.class_names()
    serving = open_serving(work.workspace, store)
    terms = _terms(work, serving, labels, names)
    _require_change(work, terms)

    watch.stage("embedding what is not yet")
    champion = _champion(work, serving)
    material = collect(labels, store.training_records(), names, _embedder(work, serving))
    readiness.require_labels(material.labelled, names)
    material = _with_assumed(work, serving, material)
    grouping = material.grouping()
    parts = split(material.labelled, grouping, material.holdout_share)
    readiness.require_trainable(parts, names)
    _require_fair_test(work, parts)
    store.freeze_splits(parts.assigned)
    failpoint("retrain-split")

    watch.stage("training")
    assumed = material.assumed_apart(parts, grouping)
    taught = lessons(material, parts.training, assumed, grouping)
    challenger = train(material, parts.training, taught, champion, terms.target_precision)
    failpoint("retrain-trained")

    watch.stage("testing")
    trained = Trained(terms, material, grouping, parts, taught, champion, challenger)
    findings = tested(trained, watch.progress)

    watch.stage("writing the report")
    card = work.registry.publish(draft_of(trained, findings), _reporter(work, findings))
    failpoint("retrain-published")
    store.add_model(card)
    failpoint("retrain-recorded")
    if findings.promoted:
        work.registry.activate(card.version)
    return Outcome(card, numbered(findings, card.version), work.registry.report(card.version))


def _require_new_labels(work: _Work) -> None:
    given, wanted = work.store.overview().labels_since_training, work.options.if_new_labels
    if given < wanted:
        raise NothingToDo(
            f"{given} new label{'' if given == 1 else 's'} since the last training, and "
            f"{wanted} were to be waited for; nothing was done."
        )


def _terms(
    work: _Work, serving: Serving, labels: Mapping[str, HumanLabel], names: Mapping[int, str]
) -> Terms:
    learning = work.workspace.config.learning
    digest = hashlib.sha256()
    for part in (
        serving.backbone.id,
        serving.runtime.precision,
        work.options.views,
        learning.target_precision,
        learning.gate_margin,
        *sorted(
            f"{label.sha256} {label.class_id} {label.representative}"
            for label in labels.values()
            if label.class_id in names
        ),
    ):
        digest.update(f"{part}\n".encode())
    return Terms(
        options=work.options,
        target_precision=learning.target_precision,
        gate_margin=learning.gate_margin,
        trained_on=digest.hexdigest(),
        precision=serving.runtime.precision,
    )


def _require_change(work: _Work, terms: Terms) -> None:
    trained = [card for card in work.registry.versions() if "trained_on" in card.metrics]
    unchanged = trained and trained[-1].metrics["trained_on"] == terms.trained_on
    if work.options.force or not unchanged:
        return
    version = trained[-1].version
    serves = (
        ""
        if work.registry.active() == version
        else f", which doesn't serve (`imgsort models activate {version}` would make it)"
    )
    raise NothingToDo(
        f"Nothing has changed since v{version} was trained{serves}; label more images first, or "
        f"train all the same with --force."
    )


def _embedder(work: _Work, serving: Serving) -> Callable[[Mapping[str, Path]], Embedded]:
    return partial(
        embeddings_for,
        work.workspace,
        work.store,
        serving,
        views=range(1, work.options.views + 1),
        augment=augment,
        progress=work.watch.progress,
    )


def _with_assumed(work: _Work, serving: Serving, material: Material) -> Material:
    filed = work.store.filed_unlabelled(MOST_ASSUMED)
    with EmbeddingStore.open(work.workspace.embeddings) as stored:
        space = serving.backbone.id, serving.runtime.precision
        vectors = stored.get(*space, list(filed))
    return with_assumed(material, filed, vectors, serving.classifier)


def _require_fair_test(work: _Work, parts: Split) -> None:
    if work.options.force:
        return
    sorted_folder = work.workspace.config.folders.sorted
    readiness.require_representative(
        parts,
        [
            readiness.Folder(f"{sorted_folder}/{each.name}", each.images)
            for each in work.store.overview().classes
        ],
    )


def _champion(work: _Work, serving: Serving) -> Champion:
    tensors = work.registry.tensors(serving.card.version)
    confidence = work.workspace.config.model.first_confidence
    return Champion.of(serving.card, tensors, serving.classifier, confidence)


def _reporter(work: _Work, findings: Findings) -> Callable[[Path, int], None]:
    def write(folder: Path, version: int) -> None:
        here = work.workspace
        thumbnails = report.Thumbnails.of(
            findings, here.config.decode, here.picture_folders, work.watch.progress
        )
        report.write(folder, numbered(findings, version), here.root, thumbnails)

    return write
