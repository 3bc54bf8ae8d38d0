"""Photographs of one tile under several lights: no head may learn one and be tested on another."""

from itertools import product
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from imgsort.images import ImageFacts, ImageLimits, decode
from imgsort.models.backbones import InstalledBackbone
from imgsort.models.heads.learned_model import FOLDS
from imgsort.models.runtimes import open_runtime
from imgsort.trainer.dataset.groups import Grouping, group
from imgsort.trainer.dataset.near_duplicates import MAX_DISTANCE, MIN_COSINE, Shot
from imgsort.trainer.dataset.split import LabelledImage, deal

ALIKE = 0.99
"""Correlation of 32 x 32 grey pixels from which on two photographs show the same."""


@pytest.fixture(scope="module")
def tiles(test_data: Path) -> list[tuple[str, NDArray[np.uint8], ImageFacts]]:
    """Every magnetic tile: its class, its pixels, its facts."""
    limits = ImageLimits(max_pixels=64_000_000, max_bytes=256_000_000)
    paths = sorted((test_data / "magnetic_tile").rglob("*.jpg"))
    if not paths:
        pytest.skip("the test data has no magnetic_tile")
    return [(path.parent.name, *decode(path.read_bytes(), 224, limits)) for path in paths]


@pytest.fixture(scope="module")
def embeddings(
    tiles: list[tuple[str, NDArray[np.uint8], ImageFacts]], lite0: InstalledBackbone
) -> NDArray[np.float32]:
    runtime = open_runtime(lite0, device="cpu", precision="float32", batch_size=32)
    pixels = np.stack([pixels for _, pixels, _ in tiles])
    parts = [runtime.embed(pixels[at : at + 32]) for at in range(0, len(pixels), 32)]
    return np.concatenate(parts)


def test_no_head_judges_a_near_duplicate_of_what_it_learned(
    tiles: list[tuple[str, NDArray[np.uint8], ImageFacts]], embeddings: NDArray[np.float32]
) -> None:
    """Neither by imgsort's own measure nor pixel by pixel; dealt at random there are dozens."""
    names = [f"{at:064x}" for at in range(len(tiles))]
    kinds = sorted({kind for kind, *_ in tiles})
    labelled = [
        LabelledImage(name, kinds.index(kind), True)
        for name, (kind, *_) in zip(names, tiles, strict=True)
    ]
    shots = [Shot(name, facts.dhash) for name, (*_, facts) in zip(names, tiles, strict=True)]
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    grey = np.stack([outline(pixels) for _, pixels, _ in tiles])

    def met(grouping: Grouping) -> tuple[int, int]:
        """Pictures that judge, alike to one that trains: by imgsort's measure, pixel by pixel."""
        dealt = deal(labelled, grouping, {})
        near = pixelwise = 0
        for fold in range(FOLDS):
            inside = [at for at, name in enumerate(names) if dealt.folds[name] == fold]
            judge = [at for at in inside if dealt.may_judge(names[at])]
            learn = sorted(set(range(len(tiles))) - set(inside))
            assert 0.1 * len(tiles) <= len(judge) <= len(inside) <= 0.3 * len(tiles)
            near += sum(
                (tiles[one][2].dhash ^ tiles[other][2].dhash).bit_count() <= MAX_DISTANCE
                and float(unit[one] @ unit[other]) >= MIN_COSINE
                for one, other in product(learn, judge)
            )
            pixelwise += int((grey[learn] @ grey[judge].T >= ALIKE).sum())
        return near, pixelwise

    assert met(group(shots, embeddings)) == (0, 0)
    randomly = met(Grouping(tuple((name,) for name in names), ()))
    assert min(randomly) >= 10


def outline(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float64).ravel()
    small -= small.mean()
    return np.asarray(small / max(float(np.linalg.norm(small)), 1e-9), np.float64)
