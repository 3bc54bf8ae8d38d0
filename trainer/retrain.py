"""From what a human said to a better model, or to a plain word why the old one stays."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from imgsort.care.retrain_state import RetrainOutcome, telling
from imgsort.disk.failpoints import failpoint
from imgsort.errors import ModelProblem, NothingToDo
from imgsort.models.backbones.int8 import is_int8
from imgsort.models.backbones.on_disk import InstalledBackbone
from imgsort.models.backbones.upgrade import with_inner_layers
from imgsort.models.embed import Embedded, Views, embeddings_for
from imgsort.models.heads.learned_model import FirstModel
from imgsort.models.registry import Registry
from imgsort.models.serving import Serving, active_card, open_serving
from imgsort.reconcile.apply import apply_reconcile
from imgsort.records.labels import HumanLabel
from imgsort.records.model_card import ModelCard
from imgsort.store import Store
from imgsort.trainer import report
from imgsort.trainer.dataset.augment import augment
from imgsort.trainer.dataset.labelled_images import Material, collect
from imgsort.trainer.dataset.population import Population, looked_through
from imgsort.trainer.dataset.split import deal
from imgsort.trainer.evaluation import preconditions as readiness
from imgsort.trainer.evaluation.comparison import Options, Training, TrainingTerms
from imgsort.trainer.evaluation.outcome import draft_of, numbered, tested
from imgsort.trainer.evaluation.results import Findings
from imgsort.trainer.head.challenger import train
from imgsort.trainer.head.champion import Champion
from imgsort.trainer.head.vocabulary import LabelVocabulary, vocabulary
from imgsort.trainer.priority import make_way
from imgsort.workspace.workspace import Workspace

__all__ = ["Options", "Outcome", "Progress", "retrain"]

INNER_LAYERS = (
    "From now on the network's inner layers are looked at too, where textures are told apart: the "
    "labelled pictures are embedded anew, this once."
)
INT8_STAYS = (
    "int8 goes on without the inner layers, which tell textures apart: it was measured without "
    'them. To have both, set model.precision to "auto", type `imgsort retrain`, then `imgsort '
    "quantize`."
)


class Progress(Protocol):
    """Somebody who may want to see how it goes."""

    def stage(self, name: str) -> None:
        """Another step begins."""

    def progress(self, done: int, total: int) -> None:
        """The present step has come so far."""

    def tell(self, sentence: str) -> None:
        """Something has changed that a person should know of."""


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
    watch: Progress

    @property
    def registry(self) -> Registry:
        return Registry(self.workspace.models)


def retrain(workspace: Workspace, options: Options, watch: Progress) -> Outcome:
    """Raises NothingToDo, with the next step, where there is nothing to learn or to compare.

    Whatever happens on the way, the serving model stays until another is activated in one step.
    """
    with (
        workspace.retrain_lock(),
        telling(workspace.retrain_file, watch) as told,
        Store.open(workspace.database, root=workspace.root) as store,
    ):
        if workspace.daemon_pid() is not None:
            make_way()
        run_id = store.runs.begin("retrain")
        summary = "interrupted by an error"
        try:
            outcome = _retrained(_Work(workspace, store, run_id, options, told))
            summary = outcome.findings.verdict.sentence
        except NothingToDo as reason:
            summary = str(reason)
            raise
        finally:
            store.runs.end(run_id, summary)
        ended: RetrainOutcome = "serves" if outcome.findings.promoted else "stays"
        told.end(ended, summary, outcome.card.version)
    return outcome


def _retrained(work: _Work) -> Outcome:
    store, watch = work.store, work.watch
    watch.stage("looking for moved images")
    apply_reconcile(work.workspace, store, work.run_id)
    _require_new_labels(work)
    labels, names = store.labels.current(), store.classes.names()
    serving = _serving(work)
    terms = _terms(work, serving, labels, names)
    _require_change(work, terms)

    watch.stage("embedding what is not yet")
    population = Population(store.training.strata_of_labelled(), store.training.arrived())
    labels = _census(labels, population)
    backbone = serving.backbone
    material = collect(
        labels,
        store.training.records(),
        names,
        (backbone.final, *backbone.inner),
        _embedder(work, serving),
    )
    readiness.require_labels(material.labelled, names)
    _require_fair_test(work, material)
    champion = _champion(work, serving, material)
    grouping = material.grouping()
    dealt = deal(material.labelled, grouping, champion.seen)
    known = _vocabulary(work, champion, material, labels)
    failpoint("retrain-dealt")

    watch.stage("training")
    challenger = train(material, dealt, champion, known.unlabelled, terms.target_precision)
    failpoint("retrain-trained")

    watch.stage("testing")
    tries = _tries(work, champion, len(material.labelled))
    trained = Training(
        *(terms, material, grouping, dealt, champion, challenger, known.retired),
        *(population, tries),
    )
    findings = tested(trained, watch.progress)

    watch.stage("writing the report")
    return _published(work, trained, findings)


def _published(work: _Work, trained: Training, findings: Findings) -> Outcome:
    """From the last look at what serves to the activation nobody else can activate anything."""
    registry = work.registry
    with registry.held():
        findings = _still_wanted(registry.active(), trained.champion, findings)
        card = registry.publish(draft_of(trained, findings), _reporter(work, findings))
        failpoint("retrain-published")
        work.store.predictions.add_model(card)
        failpoint("retrain-recorded")
        if findings.promoted:
            registry.activate(card.version)
    return Outcome(card, numbered(findings, card.version), registry.report(card.version))


def _serving(work: _Work) -> Serving:
    """The active model, on the form of its backbone that sees the inner layers too.

    Not where int8 is at work: that was measured on the form it has.
    """
    card, precision = active_card(work.workspace), work.workspace.config.model.precision
    backbone = InstalledBackbone.open(work.workspace.backbones, card.backbone_id)
    if not backbone.inner and (is_int8(precision) or is_int8(card.precision)):
        work.watch.tell(INT8_STAYS)
    elif not backbone.inner:
        work.watch.stage("adding the inner layers to the backbone")
        backbone = with_inner_layers(backbone, work.workspace.backbones)
        work.watch.tell(INNER_LAYERS)
    return open_serving(work.workspace, work.store, backbone=backbone)


def _census(labels: Mapping[str, HumanLabel], population: Population) -> dict[str, HumanLabel]:
    """Where every picture of a kind has a label nobody can have picked: they all speak for it."""
    strata = population.strata
    spoken = {sha256: stratum for sha256, stratum in strata.items() if sha256 in labels}
    whole = looked_through(spoken, population.arrived)
    return {
        sha256: replace(label, representative=True) if strata.get(sha256) in whole else label
        for sha256, label in labels.items()
    }


def _vocabulary(
    work: _Work, champion: Champion, material: Material, labels: Mapping[str, HumanLabel]
) -> LabelVocabulary:
    labelled = {picture.label for picture in material.labelled}
    unlabelled = champion.unlabelled(labelled, material.names)
    if work.options.keep_imagenet:
        return LabelVocabulary(unlabelled, ())
    return vocabulary(
        labelled,
        unlabelled,
        () if champion.first is None else champion.first.ids,
        material.names,
        named=any(label.source == "import" for label in labels.values()),
    )


def _tries(work: _Work, champion: Champion, labels: int) -> int:
    """Trainings that this champion has stood up to; of those on far fewer labels little is left."""
    counts = [
        card.training.labels
        for card in work.registry.versions()
        if card.parent == champion.card.version
    ]
    return sum(count is not None and 2 * count >= labels for count in counts)


def _still_wanted(serves: int | None, champion: Champion, findings: Findings) -> Findings:
    """A person who activates another model meanwhile has spoken last."""
    if not findings.promoted or serves == champion.card.version:
        return findings
    sentence = (
        f"v{serves} was activated while this was trained and compared with "
        f"v{champion.card.version}, so nothing is changed; type `imgsort retrain --force` to train "
        f"again and take the result."
    )
    verdict = replace(findings.verdict, promoted=False, provisional=False, sentence=sentence)
    return replace(findings, verdict=verdict, promoted=False, forced=False)


def _require_new_labels(work: _Work) -> None:
    given, wanted = work.store.counts.overview().labels_since_training, work.options.if_new_labels
    if given < wanted:
        raise NothingToDo(
            f"{given} new label{'' if given == 1 else 's'} since the last training, and "
            f"{wanted} were to be waited for; nothing was done."
        )


def _terms(
    work: _Work, serving: Serving, labels: Mapping[str, HumanLabel], names: Mapping[int, str]
) -> TrainingTerms:
    learning = work.workspace.config.learning
    digest = hashlib.sha256()
    for part in (
        serving.backbone.id,
        serving.runtime.precision,
        work.options.views,
        work.options.keep_imagenet,
        learning.target_precision,
        learning.gate_margin,
        *sorted(
            f"{label.sha256} {label.class_id} {label.representative}"
            for label in labels.values()
            if label.class_id in names
        ),
    ):
        digest.update(f"{part}\n".encode())
    return TrainingTerms(
        options=work.options,
        target_precision=learning.target_precision,
        gate_margin=learning.gate_margin,
        trained_on=digest.hexdigest(),
        precision=serving.runtime.precision,
        backbone_id=serving.backbone.id,
    )


def _require_change(work: _Work, terms: TrainingTerms) -> None:
    trained = [card for card in work.registry.versions() if card.training.trained_on is not None]
    unchanged = trained and trained[-1].training.trained_on == terms.trained_on
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
    views = Views(tuple(range(1, work.options.views + 1)), augment)
    return partial(
        embeddings_for,
        work.workspace,
        work.store,
        serving,
        views=views,
        progress=work.watch.progress,
    )


def _require_fair_test(work: _Work, material: Material) -> None:
    if work.options.force:
        return
    sorted_folder = work.workspace.config.folders.sorted
    readiness.require_representative(
        material.labelled,
        [
            readiness.ClassFolderSize(f"{sorted_folder}/{each.name}", each.images)
            for each in work.store.counts.overview().classes
        ],
    )


def _champion(work: _Work, serving: Serving, material: Material) -> Champion:
    card = serving.card
    champion = Champion.of(
        card,
        work.registry.tensors(card.version),
        serving.classifier,
        work.workspace.config.model.first_confidence,
        _first_model(work, card),
    )
    learned = [name for name, record in material.records.items() if record.side != "holdout"]
    floor = work.workspace.config.model.confidence or 0.0
    return replace(champion.having_seen(learned), floor=floor)


def _first_model(work: _Work, card: ModelCard) -> FirstModel | None:
    """The newest model without labels on the same backbone that is still there."""
    for other in reversed(work.registry.versions()):
        if other.kind == "imagenet" and other.backbone == card.backbone:
            try:
                return FirstModel.of(other, work.registry.tensors(other.version))
            except ModelProblem:
                continue
    return None


def _reporter(work: _Work, findings: Findings) -> Callable[[Path, int], None]:
    def write(folder: Path, version: int) -> None:
        here = work.workspace
        thumbnails = report.Thumbnails.of(
            findings, here.config.decode, here.picture_folders, work.watch.progress
        )
        report.write(folder, numbered(findings, version), here.root, thumbnails)

    return write
