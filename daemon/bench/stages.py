"""One stage at a time, with every core at work as in the daemon."""

import multiprocessing
import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imgsort.daemon.bench.results import Stage
from imgsort.disk.identity import Identity, open_regular, sha256_of
from imgsort.filing import Candidate, Filer, InboxPicture
from imgsort.images import ImageLimits, decode, settle_in
from imgsort.images.outcome import Picture
from imgsort.models.serving import Serving

_LIMITS = ImageLimits(max_pixels=200_000_000, max_bytes=1 << 30)


@dataclass(frozen=True, slots=True)
class StageShare:
    """What one process did: images, wall and processor seconds."""

    images: int
    read_wall: float
    read_core: float
    decode_wall: float
    decode_core: float


def measure_reading(paths: Sequence[Path], size: int, cores: int) -> tuple[Stage, Stage]:
    """Read-and-hash, then decode-and-resize, each in as many processes as there are cores."""
    context = multiprocessing.get_context("spawn")
    shares = [list(paths[core::cores]) for core in range(cores)]
    with ProcessPoolExecutor(cores, mp_context=context) as pool:
        list(pool.map(_read, shares, [size] * cores))  # every process loads its codecs first
        done = list(pool.map(_read, shares, [size] * cores))
    images = sum(share.images for share in done)
    return (
        _stage(images, [s.read_wall for s in done], [s.read_core for s in done]),
        _stage(images, [s.decode_wall for s in done], [s.decode_core for s in done]),
    )


def _stage(images: int, walls: list[float], cores: list[float]) -> Stage:
    return Stage(images / max(walls), sum(cores) / images)


def _read(paths: list[Path], size: int) -> StageShare:
    settle_in(_LIMITS)
    wall, core = time.perf_counter(), time.process_time()
    contents = []
    for path in paths:
        descriptor = open_regular(path)
        with os.fdopen(descriptor, "rb") as file:
            sha256_of(descriptor)
            contents.append(file.read())
    read = time.perf_counter() - wall, time.process_time() - core
    wall, core = time.perf_counter(), time.process_time()
    for data in contents:
        decode(data, size, _LIMITS)
    decoded = time.perf_counter() - wall, time.process_time() - core
    return StageShare(len(paths), read[0], read[1], decoded[0], decoded[1])


def measure_bare(serving: Serving, pixels: NDArray[np.uint8], batch_size: int) -> float:
    """Images per second of the model alone, ``pixels`` [N, H, W, 3] in memory."""
    began = time.perf_counter()
    for start in range(0, len(pixels), batch_size):
        serving.runtime.embed(pixels[start : start + batch_size])
    return len(pixels) / (time.perf_counter() - began)


def measure_embedding(serving: Serving, pixels: NDArray[np.uint8], batch_size: int) -> Stage:
    """The model with its head."""
    wall, core = time.perf_counter(), time.process_time()
    for start in range(0, len(pixels), batch_size):
        serving.judge(pixels[start : start + batch_size])
    return Stage(
        len(pixels) / (time.perf_counter() - wall), (time.process_time() - core) / len(pixels)
    )


def measure_filing(
    filer: Filer, serving: Serving, pictures: Sequence[Picture], batch_size: int
) -> Stage:
    """Record and move what was judged before."""
    batches = []
    for start in range(0, len(pictures), batch_size):
        batch = pictures[start : start + batch_size]
        verdicts = serving.judge(np.stack([picture.pixels for picture in batch]))
        now, version = datetime.now(UTC), serving.card.version
        batches.append(
            [
                InboxPicture(Candidate(picture.path, b"", now, 0.0), picture, verdict, version)
                for picture, verdict in zip(batch, verdicts, strict=True)
            ]
        )
    wall, core = time.perf_counter(), time.process_time()
    for judged in batches:
        filer.file(judged)
    return Stage(
        len(pictures) / (time.perf_counter() - wall), (time.process_time() - core) / len(pictures)
    )


def decoded(paths: Sequence[Path], size: int) -> list[Picture]:
    """Pictures as the decoder would give them, made in this process."""
    pictures = []
    for path in paths:
        descriptor = open_regular(path)
        with os.fdopen(descriptor, "rb") as file:
            identity = Identity.of(path.stat())
            pixels, facts = decode(file.read(), size, _LIMITS)
            pictures.append(Picture(path, identity, sha256_of(descriptor), facts, pixels))
    return pictures
