"""What turns pictures into verdicts right now: the active model on its backbone, in a runtime."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from imgsort.errors import ModelProblem
from imgsort.models.backbones import BACKBONES, InstalledBackbone
from imgsort.models.backbones.int8 import INT8, First, is_int8, record_of
from imgsort.models.heads.classifier import Classifier
from imgsort.models.registry import HEAD, ModelCard, Registry
from imgsort.models.runtimes import Runtime, idle_runtime, open_runtime
from imgsort.models.runtimes.choice import Machine, this_machine
from imgsort.models.screening import Screen
from imgsort.records.verdict import Verdict
from imgsort.store import Store
from imgsort.workspace.config import Config, ModelSettings
from imgsort.workspace.way_back import way_back_to_a_model
from imgsort.workspace.workspace import Workspace

MARGIN_UNKNOWN = 1.0
"""In log-odds: an int8 verdict of before is asked again when it is nearer than this to another
folder by the thresholds of now, and no screen is at work that says what it takes."""


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """What was made of N pictures."""

    verdicts: list[Verdict]
    embeddings: tuple[tuple[str, NDArray[np.intp], NDArray[np.float32]], ...]
    """For each precision: which of the pictures, and their embeddings."""


@dataclass(frozen=True)
class Serving:
    """The active model, loaded."""

    card: ModelCard
    backbone: InstalledBackbone
    runtime: Runtime
    classifier: Classifier
    top_k: int
    screen: Screen | None = None
    """What decides first, where nothing is close; ``runtime`` decides the rest."""

    def embed(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """[N, D] for uint8 RGB pictures [N, H, W, 3] at the backbone's input size."""
        return self.runtime.embed(pixels)

    def decide(self, embeddings: NDArray[np.float32]) -> list[Verdict]:
        """Verdicts for embeddings [N, D] of this backbone at this runtime's precision."""
        return self.classifier.judge(embeddings, self.top_k)

    def judge(self, pixels: NDArray[np.uint8]) -> list[Verdict]:
        """Both steps at once, for who has no use for the embeddings."""
        return self.decide(self.embed(pixels))

    @property
    def precision(self) -> str:
        """In words."""
        exact = self.runtime.precision
        if self.screen is None:
            return exact
        return f"{self.screen.runtime.precision} with {exact} where it is close"

    def look(self, pixels: NDArray[np.uint8]) -> Looked:
        """Verdicts that say at which precision they were found; decisions are as in ``runtime``'s.

        Every picture goes through the screen, where there is one, and those close to another folder
        through the runtime again.
        """
        everyone = np.arange(len(pixels))
        if self.screen is None:
            embedded = self.embed(pixels)
            verdicts = _at(self.runtime.precision, self.decide(embedded))
            return Looked(verdicts, ((self.runtime.precision, everyone, embedded),))
        coarse = self.screen.runtime.embed(pixels)
        judged, near = self.classifier.judge_nearness(coarse, self.top_k)
        verdicts = _at(self.screen.runtime.precision, judged)
        first = self.screen.runtime.precision, everyone, coarse
        close = np.flatnonzero(~near.clear(self.screen.margin))
        if not len(close):
            return Looked(verdicts, (first,))
        exact = self.embed(pixels[close])
        again = _at(self.runtime.precision, self.decide(exact))
        for place, verdict in zip(close.tolist(), again, strict=True):
            verdicts[place] = verdict
        return Looked(verdicts, (first, (self.runtime.precision, close, exact)))

    def decide_again(self, verdict: Verdict) -> Verdict | None:
        """A verdict this model gave before, under the thresholds of now.

        None where int8 gave it, and it would have to be asked again by these.
        """
        if is_int8(verdict.precision or "") and not is_int8(self.card.precision):
            margin = MARGIN_UNKNOWN if self.screen is None else self.screen.margin.odds
            if self.classifier.gap(verdict) < margin:
                return None
        return self.classifier.decide_again(verdict)

    def with_model(self, card: ModelCard, classifier: Classifier) -> "Serving":
        """The same backbone and runtime under another head, no screen yet. Raises ModelProblem."""
        if card != self.card:
            require_compatible(card, self.backbone, self.runtime.precision)
        _require_fit(card, classifier, self.backbone)
        return replace(self, card=card, classifier=classifier, screen=None)


def _at(precision: str, verdicts: list[Verdict]) -> list[Verdict]:
    return [replace(verdict, precision=precision) for verdict in verdicts]


def active_card(workspace: Workspace) -> ModelCard:
    """The active model's card. Raises ModelProblem where none is active."""
    registry = Registry(workspace.models)
    version = registry.active()
    if version is None and not (registry.versions() or registry.damaged()):
        raise ModelProblem(
            f"There is no model in {workspace.root}; {way_back_to_a_model(workspace.root)}."
        )
    if version is None:
        raise ModelProblem(
            f"No model is active in {workspace.root}; see `imgsort models list` and activate one "
            f"with `imgsort models activate V`."
        )
    card = registry.card(version)
    if card.backbone not in BACKBONES:
        raise _misfit(card, f"there is no backbone {card.backbone!r}")
    return card


def _require_fit(card: ModelCard, classifier: Classifier, backbone: InstalledBackbone) -> None:
    """Raise ModelProblem unless the head takes this backbone's embeddings, or their first part.

    One that would do with less than that part was made for another network.
    """
    narrow = bool(classifier.classes) and _takes(classifier, backbone.final - 1)
    if narrow or not _takes(classifier, backbone.width):
        raise _misfit(card, f"its head doesn't fit {card.backbone}")


def _takes(classifier: Classifier, width: int) -> bool:
    try:
        classifier.judge(np.zeros((1, width), np.float32), 1)
    except (ValueError, IndexError, TypeError):
        return False
    return True


def _misfit(card: ModelCard, why: str) -> ModelProblem:
    return ModelProblem(
        f"Model v{card.version} is damaged ({why}); activate another with `imgsort models activate "
        f"V`."
    )


def load_classifier(workspace: Workspace, store: Store, card: ModelCard) -> Classifier:
    """The head of one model with its classes' present names, under what holds in this workspace:
    ``model.confidence`` is a floor, and nothing is filed under a retired class."""
    config, retired = workspace.config.model, store.classes.retired()
    names = {**retired, **store.classes.names()}
    classifier = Registry(workspace.models).load(card.version, names, config.first_confidence)
    return classifier.limited(config.confidence, [one.id in retired for one in card.classes])


def open_serving(
    workspace: Workspace,
    store: Store,
    *,
    idle: bool = False,
    backbone: InstalledBackbone | None = None,
) -> Serving:
    """Load the active model and start its runtime. Raises ModelProblem, RuntimeUnavailable.

    ``idle``: the runtime starts when it is given its first picture, if ever. ``backbone``: another
    form of the model's own, one with inner layers.
    """
    return serving_of(workspace, store, active_card(workspace), idle=idle, backbone=backbone)


def serving_of(
    workspace: Workspace,
    store: Store,
    card: ModelCard,
    *,
    idle: bool = False,
    backbone: InstalledBackbone | None = None,
) -> Serving:
    """The same of any model."""
    classifier = load_classifier(workspace, store, card)
    backbone = backbone or InstalledBackbone.open(workspace.backbones, card.backbone_id)
    return assembled(card, classifier, backbone, workspace.config.model, idle=idle)


def assembled(
    card: ModelCard,
    classifier: Classifier,
    backbone: InstalledBackbone,
    config: ModelSettings,
    *,
    idle: bool = False,
) -> Serving:
    """A head on its backbone, in the runtime that ``config`` asks for."""
    _require_fit(card, classifier, backbone)
    runtime = (idle_runtime if idle else open_runtime)(
        backbone, device=config.device, precision=config.precision, batch_size=config.batch_size
    )
    require_compatible(card, backbone, runtime.precision)
    return Serving(card, backbone, runtime, classifier, config.top_k)


def screen_of(config: Config, serving: Serving) -> Screen | None:
    """The int8 form that may decide first under this model, its runtime started.

    None where it was not measured under it here, or found wanting. Raises ModelProblem or
    RuntimeUnavailable where its files are damaged, or made for another CPU.
    """
    if not may_screen(config, serving):
        return None
    record = record_of(serving.backbone)
    found = None if record is None else record.of(head_of(serving.card))
    first = None if found is None else found.first
    if record is None or first is None or not _holds(first, serving):
        return None
    at_hand = serving.screen
    if at_hand is not None and at_hand.runtime.precision == record.precision:
        return replace(at_hand, margin=first.margin, head=head_of(serving.card))
    runtime = open_runtime(serving.backbone, device="cpu", precision=INT8, batch_size=1)
    return Screen(runtime, first.margin, head_of(serving.card))


def _holds(first: First, serving: Serving) -> bool:
    """Was it measured under what is served now, and good?"""
    measured, served = first.exact, serving.runtime.precision
    return first.promised and measured == served and first.thresholds == serving.classifier.limits


def may_screen(config: Config, serving: Serving, machine: Machine | None = None) -> bool:
    """Is this a case for int8 first: by itself, on a CPU that multiplies int8 in hardware?"""
    machine = machine or this_machine()
    chosen = config.model.precision == "auto" and serving.runtime.name == "openvino"
    return chosen and machine.matrix_int8 and not is_int8(serving.card.precision)


def head_of(card: ModelCard) -> str:
    """The SHA-256 of a model's numbers."""
    return card.checksums[HEAD]


def require_compatible(card: ModelCard, backbone: InstalledBackbone, precision: str) -> None:
    """Raise ModelProblem where the head would see embeddings of another backbone.

    Or int8 ones that it was not measured on. The same the other way round, for a head that was
    trained on int8 ones. The floating-point precisions are close enough to each other to be
    exchanged.
    """
    if not backbone.stands_in_for(card.backbone_id):
        raise ModelProblem(
            f"Model v{card.version} looks through the backbone {card.backbone_id}, not "
            f"{backbone.id}; activate another with `imgsort models activate V`."
        )
    if card.precision == precision or not (is_int8(card.precision) or is_int8(precision)):
        return
    record = record_of(backbone)
    int8s = [each for each in (card.precision, precision) if is_int8(each)]
    if record is None or int8s != [record.precision]:
        raise ModelProblem(
            f"Model v{card.version} was made at {card.precision}, which is not comparable with "
            f"{precision}; activate another with `imgsort models activate V`, or "
            f"set model.precision back."
        )
    found = record.of(head_of(card))
    if found is not None and not found.alone:
        raise ModelProblem(
            f"Model v{card.version} needs float32's help where {precision} is close; set "
            f'model.precision to "auto" in config.toml.'
        )
    if found is None:
        raise ModelProblem(
            f"Model v{card.version} was made at {card.precision} and not yet measured at "
            f"{precision}; measure it with `imgsort quantize`, or set model.precision back."
        )
