"""A throw-away workspace, measured round by round."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from imgsort.care.init import first_model
from imgsort.daemon.bench.pictures import Stock
from imgsort.daemon.bench.results import BenchResult, Round
from imgsort.daemon.bench.stages import (
    decoded,
    measure_bare,
    measure_embedding,
    measure_filing,
    measure_reading,
)
from imgsort.daemon.inbox.probe import LeftAlone
from imgsort.daemon.pipeline.pipeline import Listener, Pipeline
from imgsort.daemon.service.wiring import Works, wired
from imgsort.errors import ImgsortError
from imgsort.filing import Candidate, Done, Filer
from imgsort.models.backbones import InstalledBackbone
from imgsort.models.backbones.on_disk import CARD
from imgsort.models.quantize import QuantizeTerms, quantize
from imgsort.store.schema import migrate
from imgsort.workspace.config import Config
from imgsort.workspace.workspace import Workspace

_LONGEST = 600.0
"""Seconds that one end-to-end pass may take."""
_CALIBRATED_ON = 120


def bench(  # noqa: PLR0913  (what is measured, on what, how often)
    installed: InstalledBackbone,
    stock: Stock,
    config: Config,
    where: Path,
    *,
    images: int,
    rounds: int,
    progress: Callable[[Iterable[int]], Iterable[int]] = iter,
) -> BenchResult:
    """Measure ``rounds`` times over ``images`` pictures in a workspace made below ``where``.

    ``installed`` lies anywhere; nothing of the user's is touched. Start-up is left out.
    """
    done = []
    with throw_away(installed, config, where) as workspace:
        if config.model.precision == "int8":
            _quantize(workspace, stock, images)
        for number in progress(range(rounds)):
            with ExitStack() as stack:
                works = wired(workspace, stack, once=True)
                done.append(_round(works, stock, images, warm=number > 0))
                serving = works.model.current()
    return BenchResult(
        tuple(done),
        {
            "backbone": installed.name,
            "runtime": serving.runtime.name,
            "precision": serving.runtime.precision,
            "batch_size": config.model.batch_size,
            "cores": _cores(),
            "images": images,
            "pictures": stock.what,
        },
    )


@contextmanager
def throw_away(installed: InstalledBackbone, config: Config, where: Path) -> Iterator[Workspace]:
    """A workspace of its own with the 1,000 classes, removed at the end."""
    with tempfile.TemporaryDirectory(prefix=".imgsort-bench-", dir=where) as folder:
        workspace = Workspace(Path(folder), config)
        for place in (*workspace.picture_folders, workspace.models):
            place.mkdir(parents=True)
        if config.model.precision == "int8":  # its int8 form must not become the user's
            _copy(installed, workspace.backbones)
        else:
            workspace.backbones.symlink_to(installed.path.parent)
        migrate(workspace.database)
        first_model(workspace, installed, None)
        yield workspace


def _copy(installed: InstalledBackbone, backbones: Path) -> None:
    """What was installed and nothing that was made of it since; its files are never changed."""
    folder = backbones / installed.id
    folder.mkdir(parents=True)
    for name in (CARD, *installed.card.files):
        try:
            os.link(installed.path / name, folder / name)
        except OSError:  # another file system
            shutil.copyfile(installed.path / name, folder / name)


def _quantize(workspace: Workspace, stock: Stock, images: int) -> None:
    """Speed depends on no agreement, so any will do; these pictures are not those to be timed."""
    with tempfile.TemporaryDirectory(dir=workspace.root) as folder:
        paths = stock.lay_out(Path(folder), min(images, _CALIBRATED_ON))
        quantize(workspace, paths, QuantizeTerms(len(paths), least_pictures=2, least_agreement=0.0))


def _round(works: Works, stock: Stock, images: int, *, warm: bool) -> Round:
    serving, batch_size = works.model.current(), works.pipeline.pace.batch_size
    inbox = works.workspace.inbox
    paths = stock.lay_out(inbox, images)
    read_hash, decode = measure_reading(paths, serving.backbone.input_size, _cores())
    pictures = decoded(paths, serving.backbone.input_size)
    pixels = np.stack([picture.pixels for picture in pictures])
    if not warm:  # the first pass over fresh memory is slower
        measure_bare(serving, pixels, batch_size)
    embed = measure_embedding(serving, pixels, batch_size)
    filer = Filer(works.workspace, works.store, works.run_id)
    file = measure_filing(filer, serving, pictures, batch_size)
    stock.lay_out(inbox, images)
    before = measure_bare(serving, pixels, batch_size)
    through = end_to_end(works, images)
    after = measure_bare(serving, pixels, batch_size)
    bare = 2 / (1 / before + 1 / after)  # over the same span as the daemon's pass
    return Round(_cores(), bare, through, read_hash, decode, embed, file)


class _Watch(Listener):
    """Passes everything on to the daemon's own listener, and notes when images came and went."""

    def __init__(self, behind: Listener) -> None:
        self._behind = behind
        self.began = 0.0
        self.ended = 0.0
        self.images = 0

    def timed(self, candidates: Iterable[Candidate]) -> Iterator[Candidate]:
        for candidate in candidates:
            self.began = self.began or time.perf_counter()
            yield candidate

    def finished(self, path: Path, left: LeftAlone | None) -> None:
        self._behind.finished(path, left)

    def batch(self, batch: Sequence[Done], seconds: float) -> None:
        self.ended = time.perf_counter()
        self.images += sum(done.moved for done in batch)
        self._behind.batch(batch, seconds)

    def quiet_seconds(self) -> float:
        return self._behind.quiet_seconds()

    def hindrance(self) -> str | None:
        return self._behind.hindrance()

    def paused(self, stage: str, trouble: str | None) -> None:
        self._behind.paused(stage, trouble)


def end_to_end(works: Works, images: int) -> float:
    """Images per second of the daemon's own parts, from the first image taken to the last filed."""
    watch = _Watch(works.board)
    pipeline = Pipeline(
        watch.timed(works.source.arrivals()), works.pipeline.stages, watch, works.pipeline.pace
    )
    pipeline.start()
    finished = pipeline.join(_LONGEST)
    if not finished or watch.images != images:
        raise ImgsortError(
            f"Only {watch.images} of {images} pictures were filed, so there is no figure; look "
            f"at the messages above, or name other pictures with --images."
        )
    return images / (watch.ended - watch.began)


def _cores() -> int:
    return len(os.sched_getaffinity(0))
