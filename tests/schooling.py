"""Labelled pictures made of numbers: what the trainer learns from, without a picture or a net."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imgsort.models.heads.classifier import Classifier, ImagenetHead
from imgsort.models.heads.learned import DenseLayer, Novelty, Taught
from imgsort.models.heads.learned_model import FOLDS, FirstModel, LearnedModel
from imgsort.records.model_card import ClassEntry, ModelCard
from imgsort.store.training import TrainingRecord
from imgsort.trainer.dataset.groups import Grouping
from imgsort.trainer.dataset.labelled_images import Material
from imgsort.trainer.dataset.split import LabelledImage
from imgsort.trainer.head.champion import Champion

CAT, DOG, SNAKE = 1, 2, 3
NAMES = {CAT: "cat", DOG: "dog", SNAKE: "snake", 4: "owl"}
WIDTH = 24
Floats = NDArray[np.float32]


def named(number: int) -> str:
    return f"{number:064x}"


def material(
    vectors: Floats, labels: Sequence[int], representative: Sequence[bool] | None = None
) -> Material:
    """Pictures numbered from 0 on, with these embeddings and classes."""
    spoken = [True] * len(labels) if representative is None else representative
    names = [named(at) for at in range(len(labels))]
    return Material(
        names=NAMES,
        labelled=tuple(LabelledImage(*one) for one in zip(names, labels, spoken, strict=True)),
        records={
            name: TrainingRecord(name, None, None, None, "", None, Path(f"{at}.png"), there=True)
            for at, name in enumerate(names)
        },
        vectors={name: row[None] for name, row in zip(names, vectors, strict=True)},
        blocks=(vectors.shape[1],),
        aside=(),
        unreadable=0,
    )


def blobs(count: int, classes: int, distance: float = 1.0, seed: int = 0) -> Material:
    """Of each class so many pictures around a centre of its own."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(7).normal(size=(classes, WIDTH)) * distance
    labels = np.tile(np.arange(classes), count)
    points = centres[labels] + rng.normal(size=(len(labels), WIDTH))
    return material(points.astype(np.float32), (labels + 1).tolist())


def apart(pictures: Sequence[LabelledImage], *links: tuple[str, str]) -> Grouping:
    """Every picture by itself, some of them linked."""
    return Grouping(tuple((picture.sha256,) for picture in pictures), links)


def card(kind: str, *ids: int, version: int = 1) -> ModelCard:
    return ModelCard(
        version=version,
        kind=kind,
        backbone="efficientnet-lite0",
        backbone_id="abc",
        precision="float32",
        classes=tuple(ClassEntry(number, NAMES[number]) for number in ids),
        temperature=1.0,
        thresholds=(0.7,) * len(ids),
        metrics={},
        parent=None,
        created_at="2026-11-28T00:00:00Z",
        checksums={},
    )


def first_model(*ids: int) -> Champion:
    """The model without labels, of these classes: it sees class n in the n-th number."""
    groups = np.stack([np.arange(WIDTH) == number - 1 for number in ids])
    weight, bias = np.eye(WIDTH, dtype=np.float32), np.zeros(WIDTH, np.float32)
    head = ImagenetHead([NAMES[number] for number in ids], weight, bias, groups)
    classifier = Classifier(head, [0.7] * len(ids))
    first = FirstModel(tuple(ids), weight, bias, groups, 1.0)
    return Champion(card("imagenet", *ids), classifier, (), {}, first, 0.7)


def leaning(column: int) -> Taught:
    """A head that says one class of three whatever it sees."""
    bias = np.where(np.arange(3) == column, 9, 0).astype(np.float32)
    return Taught(1.0, (DenseLayer(np.zeros((WIDTH, 3), np.float32), bias),))


def judging_champion(seen: Mapping[str, int]) -> Champion:
    """A learned model that says cat; the heads blind to folds 0 and 1 say dog, the others snake."""
    novelty = Novelty(np.eye(1, WIDTH, dtype=np.float32), np.zeros(1, np.uint8), 1, 9.0, 3)
    heads = tuple(leaning(1 if fold < 2 else 2) for fold in range(FOLDS))
    ids = (CAT, DOG, SNAKE)
    model = LearnedModel(ids, None, leaning(0), heads, 1.0, novelty, seen)
    served = model.classifier([NAMES[number] for number in ids], [0.5] * 3)
    return Champion.of(card("learned", *ids, version=2), model.tensors(), served, 0.7, None)
