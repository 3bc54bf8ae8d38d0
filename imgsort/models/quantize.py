"""int8 that has earned it: calibrated on some of the user's pictures, measured on the others."""

import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgsort.errors import ModelProblem, NothingToDo, RuntimeUnavailable
from imgsort.images.outcome import NoAttempts, Picture
from imgsort.images.pool import open_decoder
from imgsort.models.agreement import agreement
from imgsort.models.backbones import InstalledBackbone
from imgsort.models.backbones.int8 import (
    INT8,
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
from imgsort.models.registry import ModelCard, Registry
from imgsort.models.runtimes import Runtime
from imgsort.models.runtimes.choice import choose, has_vnni, this_machine
from imgsort.models.runtimes.compiled_cache import forget_all
from imgsort.models.screening import Pair, Promise, first_of
from imgsort.models.serving import active_card, head_of, load_classifier
from imgsort.store import Store
from imgsort.workspace.config import Config
from imgsort.workspace.workspace import Workspace

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]
Progress = Callable[[int, int], None]

LEAST_AGREEMENT = 0.98
LEAST_PICTURES = 100
CALIBRATION_SHARE = 1 / 3
MOST_CALIBRATION = 300
MARGIN_SHARE = 1 / 4
"""Of the pictures that were not calibrated on."""
LEAST_PROMISE = 0.999
LEAST_SPEEDUP = 1.1
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
    """Share of equal decisions, for int8 to decide by itself."""
    least_promise: float = LEAST_PROMISE
    """The lower bound of that share, for int8 to be used by itself with float32 where it is
    close."""
    least_speedup: float = LEAST_SPEEDUP
    """And what it must be worth."""

    @property
    def promise(self) -> Promise:
        return Promise(self.least_promise, self.least_speedup)


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
            "alone": figures.alone,
            "first": None if figures.first is None else asdict(figures.first),
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
        shelf = _shelf(folder, min(terms.count, len(paths)), backbone.input_size)
        pictures = _decoded(workspace, shelf, paths, terms, progress)
        _require_enough(pictures, terms.least_pictures)
        if standing is None:
            made, held_out = _made(backbone, pictures, folder)
        else:
            made, held_out = standing, _not_calibrated_on(standing, pictures)
            _require_enough(held_out, terms.least_pictures // 2)
        exact = exact_precision(workspace.config)
        pair = _compared(backbone, made.path, exact, list(held_out.values()))
        unlearned = ~np.isin(list(held_out), list(_learned_from(workspace, card)))
        measured = _measured(card, classifier, backbone.final, pair, unlearned, exact, terms)
        _require_good(measured, terms)
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
    """A graph calibrated on the first third, 300 at most, and the pictures it has not seen."""
    share = math.ceil(len(pictures) * CALIBRATION_SHARE)
    calibration = list(pictures)[: min(share, MOST_CALIBRATION)]
    path = quantize_graph(backbone, np.stack([pictures[key] for key in calibration]), folder)
    graph = recorded_graph(backbone, path, calibration, vnni=has_vnni())
    return graph, _not_calibrated_on(graph, pictures)


def _not_calibrated_on(graph: Graph, pictures: Mapping[str, Pixels]) -> dict[str, Pixels]:
    seen = set(graph.record.calibrated_on)
    return {sha256: pixels for sha256, pixels in pictures.items() if sha256 not in seen}


def _shelf(folder: Path, count: int, size: int) -> Pixels:
    """Room for ``count`` pictures in a file: thousands of them would fill the memory."""
    shape = (max(count, 1), size, size, 3)
    try:
        return np.memmap(folder / "pictures", np.uint8, "w+", shape=shape)
    except OSError as problem:
        raise RuntimeUnavailable(
            f"The int8 form can't be written to {folder.parent}; make room there, then try again."
        ) from problem


def _decoded(
    workspace: Workspace,
    shelf: Pixels,
    paths: Sequence[Path],
    terms: QuantizeTerms,
    progress: Progress | None,
) -> dict[str, Pixels]:
    """``terms.count`` pictures drawn at random, each content once; fewer where there are fewer."""
    waiting = list(paths)
    random.Random(SEED).shuffle(waiting)  # noqa: S311 - a fair draw, nothing secret
    found: dict[str, Pixels] = {}
    with open_decoder(workspace.config.decode, shelf.shape[1], NoAttempts()) as pool:
        while waiting and len(found) < terms.count:
            part, waiting = waiting[:_AT_ONCE], waiting[_AT_ONCE:]
            for outcome in [future.result() for future in [pool.submit(path) for path in part]]:
                fresh = isinstance(outcome, Picture) and outcome.sha256 not in found
                if isinstance(outcome, Picture) and fresh and len(found) < terms.count:
                    place = shelf[len(found)]
                    place[:] = outcome.pixels
                    found[outcome.sha256] = place
            if progress is not None:
                progress(len(found), min(terms.count, len(paths)))
    return found


def _learned_from(workspace: Workspace, card: ModelCard) -> set[str]:
    """SHA-256 of each picture the model was trained on: of those it is surer than of others."""
    seen = Registry(workspace.models).tensors(card.version).get("seen.sha256")
    return set() if seen is None else {row.tobytes().hex() for row in np.asarray(seen, np.uint8)}


def exact_precision(config: Config) -> str:
    """What float32 stands for on this CPU, where int8 is not sure."""
    wanted = config.model.precision
    floating = "auto" if is_int8(wanted) else wanted
    return choose("cpu", floating, this_machine()).precision


def _compared(
    backbone: InstalledBackbone, graph: Path, exact: str, pictures: Sequence[Pixels]
) -> Pair:
    """Both forms on the same pictures, turn and turn about, so that rates compare."""
    from imgsort.models.runtimes.on_openvino import OpenvinoRuntime

    runtimes = OpenvinoRuntime(backbone, exact), OpenvinoRuntime(backbone, INT8, graph)
    for runtime in runtimes:  # the first call is slower
        runtime.embed(np.stack(pictures[:_SLICE]))
    starts = range(0, len(pictures), _SLICE)
    slices = (np.stack(pictures[start : start + _SLICE]) for start in starts)
    timed = [[_timed(runtime, part) for runtime in runtimes] for part in slices]
    before, after = (np.concatenate([both[form][0] for both in timed]) for form in (0, 1))
    return Pair(before, after, median(full / small for (_, full), (_, small) in timed))


def _measured(  # noqa: PLR0913, PLR0917 - a model, what both forms say of pictures, and the terms
    card: ModelCard,
    classifier: Classifier,
    own: int,
    pair: Pair,
    unlearned: NDArray[np.bool_],
    exact: str,
    terms: QuantizeTerms,
) -> Measured:
    """``own``: length of the network's own embedding, first in each row."""
    verdicts = classifier.judge(pair.exact, 1), classifier.judge(pair.coarse, 1)
    found = agreement(*verdicts, (pair.exact[:, :own], pair.coarse[:, :own]))
    fresh = replace(pair, exact=pair.exact[unlearned], coarse=pair.coarse[unlearned])
    chosen_on = math.ceil(len(fresh.exact) * MARGIN_SHARE)
    return Measured(
        head=head_of(card),
        model=card.version,
        speedup=pair.speedup,
        lower_bound=found.lower_bound,
        agreement=found,
        alone=found.decided_alike >= terms.least_agreement,
        first=first_of(classifier, fresh, exact, chosen_on, terms.promise),
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


def _require_good(measured: Measured, terms: QuantizeTerms) -> None:
    """By itself, or with the exact network where it is close."""
    found, first = measured.agreement, measured.first
    if not (measured.alone or (first is not None and first.promised)):
        raise NothingToDo(
            f"int8 decided {found.same_decisions} of {found.pictures} pictures as float32 did "
            f"({found.decided_alike:.1%}), and it takes {terms.least_agreement:.0%}; stay with "
            f"float32: nothing was kept."
        )
