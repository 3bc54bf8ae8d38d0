"""int8 that has earned it: calibrated on some of the user's pictures, measured on the others."""

import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgsort.errors import ModelProblem, NothingToDo
from imgsort.images.outcome import NoAttempts, Picture
from imgsort.images.pool import open_decoder
from imgsort.models.agreement import Agreement, agreement
from imgsort.models.backbones import InstalledBackbone
from imgsort.models.backbones.int8 import (
    Graph,
    Measured,
    Record,
    is_int8,
    keep_graph,
    keep_record,
    record_of,
    recorded_graph,
    staging,
    verified_graph,
)
from imgsort.models.backbones.on_disk import CACHE
from imgsort.models.classify import pictures_in
from imgsort.models.heads.classifier import Classifier
from imgsort.models.int8_graph import quantize_graph, require_quantizer
from imgsort.models.registry import ModelCard
from imgsort.models.runtimes import Runtime
from imgsort.models.runtimes.choice import has_vnni
from imgsort.models.runtimes.compiled_cache import forget_all
from imgsort.models.serving import active_card, head_of, load_classifier
from imgsort.store import Store
from imgsort.workspace.workspace import Workspace

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]
Progress = Callable[[int, int], None]

LEAST_AGREEMENT = 0.98
LEAST_PICTURES = 100
CALIBRATION_SHARE = 1 / 3
SEED = 0
_AT_ONCE = 64
_SLICE = 16
"""Pictures after which the other form has its turn: a busy machine slows both alike."""


@dataclass(frozen=True, slots=True)
class QuantizeTerms:
    """What int8 must live up to."""

    count: int = 300
    """Pictures to work with, drawn at random."""
    again: bool = False
    """Make a new graph even if a sound one is there."""
    least_pictures: int = LEAST_PICTURES
    least_agreement: float = LEAST_AGREEMENT
    """Share of equal decisions."""


@dataclass(frozen=True, slots=True)
class Quantized:
    """What came of it."""

    card: ModelCard
    record: Record
    made: bool
    """False where the graph was there already and only this model's head was measured on it."""

    @property
    def measured(self) -> Measured:
        found = self.record.of(head_of(self.card))
        assert found is not None  # noqa: S101 - it was put there just now
        return found

    def as_dict(self) -> dict[str, Any]:
        """For scripts."""
        figures = self.measured
        return {
            "model": self.card.version,
            "backbone": self.card.backbone,
            "precision": self.record.precision,
            "made": self.made,
            "calibrated_on": len(self.record.calibrated_on),
            **asdict(figures.agreement),
            "decided_alike": figures.agreement.decided_alike,
            "labelled_alike": figures.agreement.labelled_alike,
            "lower_bound": figures.lower_bound,
            "speedup": figures.speedup,
        }


def own_pictures(workspace: Workspace, wanted: int) -> list[Path]:
    """What lies in sorted/ and unsure/; the inbox's too where that is less than ``wanted``."""
    readable = workspace.config.decode.suffixes
    found = pictures_in([workspace.sorted, workspace.unsure], readable)
    return found if len(found) >= wanted else [*found, *pictures_in([workspace.inbox], readable)]


def quantize(
    workspace: Workspace,
    paths: Sequence[Path],
    terms: QuantizeTerms,
    progress: Progress | None = None,
) -> Quantized:
    """Calibrate on some of ``paths`` and measure the active model on the others; keep int8 if good.

    A sound graph that is there already stays, for embeddings of it may be stored and heads trained
    on it; then what it wasn't calibrated on is measured. Raises NothingToDo with the figures,
    ModelProblem or RuntimeUnavailable; then nothing has changed.
    """
    require_quantizer()
    card = active_card(workspace)
    backbone = InstalledBackbone.open(workspace.backbones, card.backbone_id)
    classifier = _classifier(workspace, card)
    with staging(backbone) as folder:
        standing = _standing(backbone, card, again=terms.again)
        pictures = _decoded(workspace, backbone.input_size, paths, terms, progress)
        _require_enough(pictures, terms.least_pictures)
        if standing is None:
            made, held_out = _made(backbone, pictures, folder)
        else:
            made, held_out = standing, _not_calibrated_on(standing, pictures)
            _require_enough(held_out, terms.least_pictures // 2)
        pixels = np.stack(list(held_out.values()))
        measured = _measured(backbone, card, classifier, made.path, pixels)
        _require_agreement(measured.agreement, terms.least_agreement)
        record = made.record.with_measured(measured)
        if standing is None:
            keep_graph(backbone, made, record)
            forget_all(backbone.path / CACHE)  # what was compiled of the old graph with them
        else:
            keep_record(backbone, record)
    return Quantized(card, record, made=standing is None)


def _classifier(workspace: Workspace, card: ModelCard) -> Classifier:
    with Store.open(workspace.database, root=workspace.root) as store:
        classifier = load_classifier(workspace, store, card)
    if not classifier.classes:
        raise NothingToDo(
            f"Model v{card.version} knows no class, so there is no decision to compare; label "
            f"some pictures and run `imgsort retrain` first."
        )
    return classifier


def _standing(backbone: InstalledBackbone, card: ModelCard, *, again: bool) -> Graph | None:
    """The graph to keep; None where one is to be made."""
    trained_on_it = is_int8(card.precision)
    if again and not trained_on_it:
        return None
    record = record_of(backbone)
    if trained_on_it and (again or record is None or record.precision != card.precision):
        raise ModelProblem(
            f"Model v{card.version} was trained on {card.precision}, which another graph can't "
            f"stand in for; activate a model of another precision with `imgsort models activate V`."
        )
    return None if record is None else Graph(verified_graph(backbone, record), record)


def _made(
    backbone: InstalledBackbone, pictures: Mapping[str, Pixels], folder: Path
) -> tuple[Graph, dict[str, Pixels]]:
    """A graph calibrated on the first third, and the pictures it has not seen."""
    calibration = list(pictures)[: math.ceil(len(pictures) * CALIBRATION_SHARE)]
    path = quantize_graph(backbone, np.stack([pictures[key] for key in calibration]), folder)
    graph = recorded_graph(backbone, path, calibration, vnni=has_vnni())
    return graph, _not_calibrated_on(graph, pictures)


def _not_calibrated_on(graph: Graph, pictures: Mapping[str, Pixels]) -> dict[str, Pixels]:
    seen = set(graph.record.calibrated_on)
    return {sha256: pixels for sha256, pixels in pictures.items() if sha256 not in seen}


def _decoded(
    workspace: Workspace,
    size: int,
    paths: Sequence[Path],
    terms: QuantizeTerms,
    progress: Progress | None,
) -> dict[str, Pixels]:
    """``terms.count`` pictures drawn at random, each content once; fewer where there are fewer."""
    waiting = list(paths)
    random.Random(SEED).shuffle(waiting)  # noqa: S311 - a fair draw, nothing secret
    found: dict[str, Pixels] = {}
    with open_decoder(workspace.config.decode, size, NoAttempts()) as pool:
        while waiting and len(found) < terms.count:
            part, waiting = waiting[:_AT_ONCE], waiting[_AT_ONCE:]
            for outcome in [future.result() for future in [pool.submit(path) for path in part]]:
                if isinstance(outcome, Picture) and len(found) < terms.count:
                    found[outcome.sha256] = outcome.pixels
            if progress is not None:
                progress(len(found), min(terms.count, len(paths)))
    return found


def _measured(
    backbone: InstalledBackbone,
    card: ModelCard,
    classifier: Classifier,
    graph: Path,
    pixels: Pixels,
) -> Measured:
    """Both forms on the same pictures [N, S, S, 3], turn and turn about, so that rates compare."""
    from imgsort.models.runtimes.on_openvino import OpenvinoRuntime

    runtimes = OpenvinoRuntime(backbone, "float32"), OpenvinoRuntime(backbone, "int8", graph)
    for runtime in runtimes:  # the first call is slower
        runtime.embed(pixels[:_SLICE])
    slices = [pixels[start : start + _SLICE] for start in range(0, len(pixels), _SLICE)]
    timed = [[_timed(runtime, part) for runtime in runtimes] for part in slices]
    before, after = (np.concatenate([both[form][0] for both in timed]) for form in (0, 1))
    verdicts = classifier.judge(before, 1), classifier.judge(after, 1)
    own = backbone.final
    found = agreement(*verdicts, (before[:, :own], after[:, :own]))
    return Measured(
        head=head_of(card),
        model=card.version,
        speedup=median(full / small for (_, full), (_, small) in timed),
        lower_bound=found.lower_bound,
        agreement=found,
    )


def _timed(runtime: Runtime, pixels: Pixels) -> tuple[Floats, float]:
    began = time.perf_counter()
    embeddings = runtime.embed(pixels)
    return embeddings, time.perf_counter() - began


def _require_enough(pictures: Mapping[str, Pixels], least: int) -> None:
    if len(pictures) < least:
        raise NothingToDo(
            f"There are only {len(pictures)} pictures to work with, and int8 takes at least "
            f"{least} that differ, can be read and were not calibrated on before; let imgsort sort "
            f"some more, or name a folder of your pictures with --images."
        )


def _require_agreement(found: Agreement, least: float) -> None:
    if found.decided_alike < least:
        raise NothingToDo(
            f"int8 decided {found.same_decisions} of {found.pictures} pictures as float32 did "
            f"({found.decided_alike:.1%}), and it takes {least:.0%}; stay with float32: nothing "
            f"was kept."
        )
